package io.theseus.cli;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The pace at which something is asked again and again, until Ctrl-C. */
interface Ticker extends AutoCloseable {
  /** Makes the ticker of a command that begins. */
  interface Source {
    Ticker start();
  }

  /** Waits until it is time; false after Ctrl-C, when the process is ending. */
  boolean next();

  /** Ctrl-C ends the process again; where it has come, the process ends now. */
  @Override
  void close();

  /** One that waits so long. */
  static Ticker every(Duration interval) {
    CountDownLatch interrupted = new CountDownLatch(1);
    Interrupt interrupt = Interrupt.running(interrupted::countDown);
    return new Ticker() {
      @Override
      public boolean next() {
        try {
          return !interrupted.await(interval.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          return false;
        }
      }

      @Override
      public void close() {
        interrupt.close();
      }
    };
  }
}
