package io.theseus.client;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The way to end a blocking call from outside: {@link #cancel}, or an interrupt. */
final class Cancellation {
  private final CountDownLatch cancelled = new CountDownLatch(1);
  private volatile @Nullable Connection waker;

  /** Whose selector is to be woken by a cancellation; null for none. */
  void wakes(@Nullable Connection connection) {
    waker = connection;
  }

  void cancel() {
    cancelled.countDown();
    wake();
  }

  /** Lets the transfer's thread look around. */
  void wake() {
    Connection connection = waker;
    if (connection != null) {
      connection.wakeup();
    }
  }

  boolean isCancelled() {
    return cancelled.getCount() == 0;
  }

  /** Throws where the call is to end. The interrupt stays set, for the caller to see. */
  void check() throws TransferException {
    if (isCancelled()) {
      throw new TransferException(TransferException.Kind.CANCELLED, "client closed");
    }
    if (Thread.currentThread().isInterrupted()) {
      throw interrupted();
    }
  }

  /** Waits this long, less where the call is to end. */
  void pause(Duration delay) throws TransferException {
    try {
      if (cancelled.await(delay.toNanos(), TimeUnit.NANOSECONDS)) {
        check();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw interrupted();
    }
  }

  private static TransferException interrupted() {
    return new TransferException(TransferException.Kind.CANCELLED, "interrupted");
  }
}
