package io.theseus.module;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The few threads that all module code of one revision runs on, and nothing else does.
 *
 * <p>Each session has a line, which is one of the threads: its calls are made one after another, in
 * their order. A call that takes longer than the deadline can't be ended in Java; so all threads
 * are abandoned with it, every call that waits is answered by an exception, and no further one is
 * made.
 */
public final class ModuleThreads implements AutoCloseable {
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  /** How many times the deadline a call has that could not go on. */
  private static final int STARVED = 10;

  /** A call that waits, or is being made. */
  private static final class Call<T> {
    private final String component;
    private final String what;
    private final Callable<T> task;
    private final CompletableFuture<T> answer = new CompletableFuture<>();

    Call(String component, String what, Callable<T> task) {
      this.component = component;
      this.what = what;
      this.task = task;
    }

    void make() {
      try {
        answer.complete(task.call());
      } catch (CodeException e) {
        answer.completeExceptionally(e);
      } catch (Throwable e) { // whatever it is, it stays here
        answer.completeExceptionally(CodeException.thrown(component, what, e));
      }
    }

    /** What it returns from now on is not heard. */
    void refuse(String reason) {
      answer.completeExceptionally(new CodeException(reason));
    }
  }

  /** One of the threads and what waits for it. */
  public final class Line {
    private final LinkedBlockingQueue<Call<?>> calls = new LinkedBlockingQueue<>();
    private final Thread thread;
    private volatile @Nullable Call<?> current;
    private volatile @Nullable Asked asked;
    private volatile long since;
    private @Nullable Suspicion suspicion;

    private Line(String name) {
      thread = new Thread(this::run, name);
      thread.setDaemon(true);
    }

    private void run() {
      while (!over) {
        Call<?> call;
        try {
          call = calls.take();
        } catch (InterruptedException e) {
          continue; // told to look whether it is over; or module code interrupted its own thread
        }
        asked = null;
        since = nanoTime.getAsLong();
        current = call;
        if (over) {
          call.refuse(revision + ": " + why);
        } else {
          call.make();
        }
        current = null;
      }
      refuse(this);
    }

    /**
     * Makes a call on this thread.
     *
     * @param component {@code name@version} of the code that is called, for messages
     * @param what the method, for messages
     * @return what it returned; fails with a {@link CodeException}
     */
    <T> CompletionStage<T> call(String component, String what, Callable<T> task) {
      Call<T> call = new Call<>(component, what, task);
      calls.add(call);
      if (over) {
        refuse(this);
      }
      return call.answer;
    }

    /**
     * Calls code of a module for an answer, within a call on this thread; what it throws comes out
     * as text. Where the call hangs, this is what is said to.
     */
    <T> T ask(String component, String what, Callable<@Nullable T> asking) throws CodeException {
      asked = new Asked(component, what);
      T answer;
      try {
        answer = asking.call();
      } catch (ModuleException e) { // ours, in words already
        throw new CodeException(e.getMessage());
      } catch (Throwable e) { // whatever it is, it stays here
        throw CodeException.thrown(component, what, e);
      }
      if (answer == null) {
        throw new CodeException(component + ": " + what + " returned null (expected: an answer)");
      }
      return answer;
    }

    /**
     * Hears what code is called next by a task that calls it very often: each of these calls has
     * the deadline for itself.
     *
     * @throws IllegalStateException when no further call is made
     */
    void calling(String component, String what) {
      asked = new Asked(component, what);
      anew();
    }

    /**
     * Begins the next part of a call that has many, as for many sessions: each has the deadline for
     * itself.
     *
     * @throws IllegalStateException when no further call is made
     */
    void anew() {
      since = nanoTime.getAsLong();
      if (over) {
        throw new IllegalStateException(why);
      }
    }
  }

  /**
   * A call that has taken longer than the deadline.
   *
   * @param since when it began
   * @param cpuNanos of its thread, when that was seen first
   */
  private record Suspicion(long since, long cpuNanos) {}

  /** What code is being called within a call. */
  private record Asked(String component, String what) {
    @Override
    public String toString() {
      return component + ": " + what;
    }
  }

  private final String revision;
  private final Duration deadline;
  private final LongSupplier nanoTime;
  private final List<Line> lines = new ArrayList<>();
  private final AtomicInteger next = new AtomicInteger();
  private volatile boolean over;
  private volatile String why = "its threads have ended";

  /**
   * Threads of a revision.
   *
   * @param deadline the longest that one call may take
   */
  public ModuleThreads(String revision, int threads, Duration deadline) {
    this(revision, threads, deadline, System::nanoTime);
  }

  ModuleThreads(String revision, int threads, Duration deadline, LongSupplier nanoTime) {
    this.revision = revision;
    this.deadline = deadline;
    this.nanoTime = nanoTime;
    for (int i = 1; i <= threads; i++) {
      lines.add(new Line("module-" + revision + "-" + i));
    }
    lines.forEach(line -> line.thread.start());
  }

  /** A line for a session; they take turns. */
  Line line() {
    return lines.get(Math.floorMod(next.getAndIncrement(), lines.size()));
  }

  /**
   * Looks for a call that hangs, and abandons the threads where there is one; to be called several
   * times within a deadline.
   *
   * <p>A call hangs when it has taken longer than the deadline by its own doing: it waits, or it
   * has had a processor for long. One that a busy machine, or a pause of the JVM, keeps from going
   * on has {@value #STARVED} times as long.
   *
   * @return what hangs, once
   */
  public synchronized @Nullable String check() {
    for (Line line : lines) {
      Call<?> call = line.current;
      if (!over && call != null && hangs(line) && call == line.current) {
        Asked asked = line.asked;
        String hung =
            (asked == null ? new Asked(call.component, call.what) : asked)
                + " did not return within "
                + deadline.toMillis()
                + " ms";
        end(hung, call);
        return hung;
      }
    }
    return null;
  }

  private boolean hangs(Line line) {
    long since = line.since;
    long taken = nanoTime.getAsLong() - since;
    if (taken <= deadline.toNanos()) {
      line.suspicion = null;
      return false;
    }
    long cpuNanos = THREADS.getThreadCpuTime(line.thread.getId());
    Suspicion known = line.suspicion;
    if (known == null || known.since() != since) {
      line.suspicion = new Suspicion(since, cpuNanos);
      return false;
    }
    return line.thread.getState() != Thread.State.RUNNABLE
        || cpuNanos - known.cpuNanos() > deadline.toNanos() / 4
        || taken > STARVED * deadline.toNanos();
  }

  /**
   * Makes no further call, and hears no answer of those that are being made: code that was told to
   * stop in the middle of something may return whatever it has.
   */
  private void end(String reason, @Nullable Call<?> hung) {
    why = reason;
    over = true;
    if (hung != null) {
      hung.refuse(reason);
    }
    for (Line line : lines) {
      Call<?> call = line.current;
      if (call != null) {
        call.refuse(revision + ": " + reason);
      }
    }
    for (Line line : lines) {
      if (line.thread != Thread.currentThread()) { // which looks when its call has returned
        line.thread.interrupt();
      }
      refuse(line);
    }
  }

  private void refuse(Line line) {
    Call<?> call;
    while ((call = line.calls.poll()) != null) {
      call.refuse(revision + ": " + why);
    }
  }

  /** Whether no further call is made. */
  public boolean isOver() {
    return over;
  }

  /** Ends the threads; calls that wait are answered by an exception. */
  @Override
  public void close() {
    if (!over) {
      end("its threads have ended", null);
    }
  }
}
