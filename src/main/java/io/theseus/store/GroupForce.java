package io.theseus.store;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One fsync of one file or folder for all who ask while another one runs. A failed one fails all
 * that follow: what it dropped from the page cache a second one would not find. One that had no
 * descriptor to begin with fails alone.
 *
 * <p>Who asks first while one runs makes the next one, for all who ask until it begins. So the end
 * of an fsync wakes those who were waiting for it and one more, not everybody.
 */
final class GroupForce {
  /** The fsync itself. */
  @FunctionalInterface
  interface Call {
    void force() throws IOException;
  }

  /** An fsync that is to come or runs. Completes with whether it was made, and never fails. */
  private static final class Turn extends CompletableFuture<Boolean> {}

  /** The one that runs; it may have ended. */
  private @Nullable Turn running;

  /** The one behind it, which has its maker and may be joined. */
  private @Nullable Turn next;

  private @Nullable IOException failure;

  /**
   * Returns when an fsync that began after this call has ended.
   *
   * @param call the fsync; one of those who ask at once makes it for all of them
   */
  void force(Call call) throws IOException {
    boolean made = false;
    while (!made) {
      Turn before = null;
      Turn turn;
      boolean mine;
      synchronized (this) {
        requireSound();
        turn = next;
        mine = turn == null;
        if (turn == null) {
          turn = new Turn();
          before = running;
          next = turn;
        }
      }
      if (mine) {
        make(call, turn, before);
        return;
      }
      // where it had no descriptor, or failed for good, the next look tells
      made = turn.join();
    }
  }

  private void make(Call call, Turn turn, @Nullable Turn before) throws IOException {
    boolean made = false;
    try {
      if (before != null) {
        before.join();
      }
      synchronized (this) {
        // who asks from here on comes too late for this one
        running = turn;
        next = null;
        requireSound();
      }
      call.force();
      made = true;
    } catch (IOException e) {
      if (!Refusals.isNoDescriptor(Refusals.reason(e))) {
        fail(e);
      }
      throw e;
    } finally {
      turn.complete(made);
    }
  }

  private synchronized void fail(IOException e) {
    if (failure == null) {
      failure = e;
    }
  }

  private void requireSound() throws IOException {
    if (failure != null) {
      throw new IOException(failure.getMessage(), failure);
    }
  }
}
