package io.theseus.net;

import io.netty.channel.EventLoop;
import io.netty.channel.SingleThreadEventLoop;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The disk threads as one event loop uses them: what it wants in one turn goes there together.
 *
 * <p>Waking a thread costs more than opening a file that the kernel has in memory. So one thread
 * takes all that waits, and another one joins it only where a task has kept it for {@link
 * #STALLED_NANOS}, as a disk does that has to turn.
 */
@SuppressWarnings("FutureReturnValueIgnored") // timers
final class LoopDisk implements Executor {
  private static final Logger LOG = LoggerFactory.getLogger(LoopDisk.class);
  private static final long STALLED_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  private final SingleThreadEventLoop loop;
  private final Executor disk;
  private final Queue<Runnable> waiting = new ConcurrentLinkedQueue<>();

  /** Threads that take what waits, and those that were asked to. */
  private final AtomicInteger taking = new AtomicInteger();

  /** Whether one was asked that has not begun: while all threads are busy, no other is asked. */
  private volatile boolean asked;

  private volatile long lastTaken;
  private boolean submitting;
  private boolean watching;

  LoopDisk(EventLoop loop, Executor disk) {
    this.loop = (SingleThreadEventLoop) loop;
    this.disk = disk;
  }

  @Override
  public void execute(Runnable task) {
    if (!loop.inEventLoop()) {
      disk.execute(task);
      return;
    }
    waiting.add(task);
    if (!submitting) {
      submitting = true;
      loop.executeAfterEventLoopIteration(this::submit);
    }
  }

  private void submit() {
    submitting = false;
    if (taking.compareAndSet(0, 1)) {
      begin();
    }
    watch();
  }

  private void begin() {
    lastTaken = System.nanoTime();
    asked = true;
    boolean accepted = false;
    try {
      disk.execute(this::take);
      accepted = true;
    } finally {
      if (!accepted) {
        asked = false;
        taking.decrementAndGet();
      }
    }
  }

  /** Runs what waits, on a disk thread. */
  private void take() {
    asked = false;
    do {
      try {
        takeAll();
      } finally {
        taking.decrementAndGet();
      }
      // what came since the last look, and found this thread still counted
    } while (!waiting.isEmpty() && taking.compareAndSet(0, 1));
  }

  private void takeAll() {
    Runnable task;
    while ((task = waiting.poll()) != null) {
      lastTaken = System.nanoTime();
      try {
        task.run();
      } catch (RuntimeException e) {
        LOG.error("a task for the disk broke", e);
      }
    }
  }

  /** Looks again soon whether those who take have come to a stand. */
  private void watch() {
    if (!watching && !waiting.isEmpty()) {
      watching = true;
      loop.schedule(this::look, STALLED_NANOS, TimeUnit.NANOSECONDS);
    }
  }

  private void look() {
    watching = false;
    if (!waiting.isEmpty() && !asked && System.nanoTime() - lastTaken >= STALLED_NANOS) {
      taking.incrementAndGet();
      begin();
    }
    watch();
  }
}
