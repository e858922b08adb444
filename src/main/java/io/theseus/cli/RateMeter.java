package io.theseus.cli;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.OptionalDouble;

/**
 * How fast something moves just now: over the last seconds, not since the beginning, so that a
 * pause shows and what an earlier run did doesn't count.
 */
final class RateMeter {
  private record Sample(long nanos, long bytes) {}

  private final long windowNanos;
  private final Deque<Sample> samples = new ArrayDeque<>();

  RateMeter(Duration window) {
    windowNanos = window.toNanos();
  }

  /** Notes that so many bytes are done by now; fewer than before begins anew. */
  void note(long nanos, long bytes) {
    if (!samples.isEmpty() && samples.getLast().bytes > bytes) {
      samples.clear();
    }
    samples.addLast(new Sample(nanos, bytes));
    while (samples.size() > 2 && nanos - samples.getFirst().nanos > windowNanos) {
      samples.removeFirst();
    }
  }

  /** Forgets what was, where the next bytes are not a matter of speed (a resume). */
  void restart() {
    samples.clear();
  }

  /** Bytes per second; empty until there are two moments to compare. */
  OptionalDouble perSecond() {
    if (samples.size() < 2) {
      return OptionalDouble.empty();
    }
    Sample first = samples.getFirst();
    Sample last = samples.getLast();
    long nanos = last.nanos - first.nanos;
    return nanos <= 0
        ? OptionalDouble.empty()
        : OptionalDouble.of((last.bytes - first.bytes) * 1e9 / nanos);
  }
}
