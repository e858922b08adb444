package io.theseus.store;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * One fsync of one file or folder for all who ask while another one runs. A failed one fails all
 * that follow: what it dropped from the page cache a second one would not find. One that had no
 * descriptor to begin with fails alone.
 */
final class GroupForce {
  /** The fsync itself. */
  @FunctionalInterface
  interface Call {
    void force() throws IOException;
  }

  private long asked;
  private long done;
  private boolean running;
  private @Nullable IOException failure;

  /**
   * Returns when an fsync that began after this call has ended.
   *
   * @param call the fsync; one of those who ask at once makes it for all of them
   */
  void force(Call call) throws IOException {
    long goal;
    synchronized (this) {
      long mine = ++asked;
      boolean interrupted = false;
      while (running && done < mine && failure == null) {
        try {
          wait();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      if (failure != null) {
        throw new IOException(failure.getMessage(), failure);
      }
      if (done >= mine) {
        return;
      }
      running = true;
      goal = asked;
    }
    IOException failed = null;
    try {
      call.force();
    } catch (IOException e) {
      failed = e;
      throw e;
    } finally {
      synchronized (this) {
        running = false;
        if (failed == null) {
          done = goal;
        } else if (!Refusals.isNoDescriptor(Refusals.reason(failed))) {
          failure = failed;
        }
        notifyAll();
      }
    }
  }
}
