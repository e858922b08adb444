package io.theseus.cli;

import io.theseus.client.TheseusClient;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ctrl-C: ends the running transfer in order, and lets the command say how to go on before the
 * process is gone.
 */
final class Interrupt implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final CountDownLatch told = new CountDownLatch(1);
  private final Thread hook;
  private volatile boolean happened;

  private Interrupt(Runnable end) {
    hook =
        new Thread(
            () -> {
              happened = true;
              end.run();
              await();
            },
            "theseus-interrupt");
  }

  /** Closes the client on Ctrl-C, which ends its call as cancelled. */
  static Interrupt closing(TheseusClient client) {
    return running(client::close);
  }

  /** Runs this on Ctrl-C, then waits a little for {@link #close}. */
  static Interrupt running(Runnable end) {
    Interrupt interrupt = new Interrupt(end);
    Runtime.getRuntime().addShutdownHook(interrupt.hook);
    return interrupt;
  }

  /** Whether the process is ending. */
  boolean happened() {
    return happened;
  }

  @Override
  public void close() {
    told.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // the process is ending already; the hook has been told
    }
  }

  private void await() {
    try {
      told.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
