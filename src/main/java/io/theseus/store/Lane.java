package io.theseus.store;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/** Runs one piece of work after another on a shared executor, never two at once. */
final class Lane {
  /** A piece of work: does some of it and says whether there is more right now. */
  @FunctionalInterface
  interface Work {
    boolean step();
  }

  /** Steps between two looks at the executor's queue, so that lanes share its threads. */
  private static final int STEPS_IN_A_ROW = 8;

  private final Executor executor;
  private final Work work;
  private final Runnable rejected;
  private final AtomicInteger signals = new AtomicInteger();

  /** {@code rejected} runs, as the lane's last act, when the executor takes nothing any more. */
  Lane(Executor executor, Work work, Runnable rejected) {
    this.executor = executor;
    this.work = work;
    this.rejected = rejected;
  }

  /** There may be work: it is looked for at least once after this call. */
  void signal() {
    if (signals.getAndIncrement() == 0) {
      submit();
    }
  }

  /** The same on this thread, where no other is at it. */
  void signalHere() {
    if (signals.getAndIncrement() == 0) {
      run();
    }
  }

  private void submit() {
    try {
      executor.execute(this::run);
    } catch (RejectedExecutionException e) {
      rejected.run();
      signals.set(0);
    }
  }

  private void run() {
    int seen = signals.get();
    boolean more = true;
    for (int i = 0; more && i < STEPS_IN_A_ROW; i++) {
      more = work.step();
    }
    if (more || signals.addAndGet(-seen) > 0) {
      submit();
    }
  }
}
