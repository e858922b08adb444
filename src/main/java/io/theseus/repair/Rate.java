package io.theseus.repair;

import io.theseus.store.Contents;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** So many bytes in a second, for all who share it. */
final class Rate implements Contents.Pacing {
  /** Time that was not used is made up for by no more than this. */
  private static final long CATCH_UP_NANOS = TimeUnit.MILLISECONDS.toNanos(125);

  private final long bytesPerSecond;
  private final LongSupplier nanoTime;

  // guarded by this
  private long due;
  private boolean closed;

  /**
   * A rate.
   *
   * @param bytesPerSecond 0 for no limit
   */
  Rate(long bytesPerSecond, LongSupplier nanoTime) {
    this.bytesPerSecond = bytesPerSecond;
    this.nanoTime = nanoTime;
    this.due = nanoTime.getAsLong();
  }

  long bytesPerSecond() {
    return bytesPerSecond;
  }

  boolean isLimited() {
    return bytesPerSecond > 0;
  }

  /** Takes so many bytes; gives the nanoseconds after which they may go. */
  synchronized long take(long bytes) {
    if (!isLimited()) {
      return 0;
    }
    long now = nanoTime.getAsLong();
    due = Math.max(due, now - CATCH_UP_NANOS) + (long) (bytes * 1e9 / bytesPerSecond);
    return Math.max(0, due - now);
  }

  @Override
  public void await(int bytes) throws InterruptedException {
    pause(take(bytes));
  }

  /** Waits. */
  synchronized void pause(long nanos) throws InterruptedException {
    long until = nanoTime.getAsLong() + nanos;
    for (long left = nanos; left > 0 && !closed; left = until - nanoTime.getAsLong()) {
      TimeUnit.NANOSECONDS.timedWait(this, left);
    }
    if (closed) {
      throw new InterruptedException("the node stops");
    }
  }

  /** Who waits, or will, waits no more. */
  synchronized void close() {
    closed = true;
    notifyAll();
  }
}
