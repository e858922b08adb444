package io.theseus.node;

import java.time.Duration;

/**
 * Whether the process can still start a thread, asked again and again.
 *
 * <p>Its own threads are there from the start, but those of the JVM, of actors and of who asks for
 * the status are not: a node that gets none lives on half. So it ends, and whoever supervises it
 * starts it again; sessions stay resumable. For the heap the JVM does that by itself ({@code
 * -XX:+ExitOnOutOfMemoryError}), for threads it doesn't.
 */
final class ThreadCheck {
  /** Between two attempts. */
  static final Duration INTERVAL = Duration.ofSeconds(2);

  /** What is told before the process ends. */
  static final String OUT =
      "threads: none can be started (expected: room for some more: `ulimit -u` in a shell,"
          + " TasksMax= in systemd); the node ends, unfinished transfers can be resumed";

  /** Attempts in a row that must fail: others of the same user may have taken them all for long. */
  private static final int FAILURES = 3;

  private final Runnable start;
  private int failures;

  ThreadCheck() {
    this(() -> new Thread(() -> {}, "theseus-check").start());
  }

  /** The same with another way to start a thread. */
  ThreadCheck(Runnable start) {
    this.start = start;
  }

  /** Tries once; whether the process had better end. */
  boolean isOut() {
    try {
      start.run();
      failures = 0;
    } catch (OutOfMemoryError e) {
      failures++;
    }
    return failures >= FAILURES;
  }
}
