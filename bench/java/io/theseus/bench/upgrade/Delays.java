package io.theseus.bench.upgrade;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * How long clients waited, as counts: classes are 0.2 % wide from a microsecond up, so that windows
 * can be pooled and drawn again thousands of times.
 */
final class Delays {
  private static final double WIDTH = 0.002;
  private static final double LEAST_NANOS = 1000;

  /** Up to a minute. */
  private static final int CLASSES = (int) (Math.log(60e9 / LEAST_NANOS) / WIDTH) + 1;

  private final int[] counts = new int[CLASSES];
  private long size;
  private long max;

  /** The greatest, then each class that has some, and how many. */
  @JsonValue
  long[] kept() {
    LongStream classes =
        IntStream.range(0, CLASSES)
            .filter(each -> counts[each] > 0)
            .mapToObj(each -> LongStream.of(each, counts[each]))
            .flatMapToLong(each -> each);
    return LongStream.concat(LongStream.of(max), classes).toArray();
  }

  /** What {@link #kept} gave. */
  @JsonCreator
  static Delays of(long[] kept) {
    Delays delays = new Delays();
    delays.max = kept[0];
    for (int i = 1; i < kept.length; i += 2) {
      delays.counts[(int) kept[i]] = (int) kept[i + 1];
      delays.size += kept[i + 1];
    }
    return delays;
  }

  /** Adds one, in nanoseconds. */
  void add(long nanos) {
    int at = (int) (Math.log(Math.max(1, nanos / LEAST_NANOS)) / WIDTH);
    counts[Math.min(at, CLASSES - 1)]++;
    size++;
    max = Math.max(max, nanos);
  }

  /** Adds all of another one. */
  void add(Delays other) {
    if (other.size == 0) {
      return;
    }
    for (int i = 0; i < CLASSES; i++) {
      counts[i] += other.counts[i];
    }
    size += other.size;
    max = Math.max(max, other.max);
  }

  static Delays pooled(Iterable<Delays> all) {
    Delays pool = new Delays();
    all.forEach(pool::add);
    return pool;
  }

  long size() {
    return size;
  }

  /**
   * What a share of all is at most, in milliseconds; 1 for the greatest, which is exact.
   *
   * @throws IllegalStateException where there are none
   */
  double quantile(double share) {
    if (size == 0) {
      throw new IllegalStateException("no client waited for anything (expected: one at least)");
    }
    long rank = (long) Math.ceil(share * size);
    if (rank >= size) {
      return max / 1e6;
    }
    long below = 0;
    int at = 0;
    while ((below += counts[at]) < rank) {
      at++;
    }
    return LEAST_NANOS * Math.exp((at + 0.5) * WIDTH) / 1e6;
  }
}
