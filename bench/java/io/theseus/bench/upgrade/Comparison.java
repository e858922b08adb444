package io.theseus.bench.upgrade;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/**
 * Windows of one kind against control windows, in numbers of the windows of each kind pooled.
 *
 * <p>There are twice as many control windows. They are split into halves again and again: a half
 * against the windows of the kind is the difference, as both have as many windows; a half against
 * the other one is what differs where nothing does, the band. The interval is a bootstrap over
 * windows, because what happens in one window happens to all its clients.
 *
 * @param value of the windows
 * @param control mean of the control's halves
 * @param low of the interval of the difference, 95 %
 * @param bandLow of what control against control shows, 95 %
 */
record Comparison(
    double value, double control, double low, double high, double bandLow, double bandHigh) {
  private static final int DRAWS = 1_000;
  private static final double TAIL = 0.025;

  double difference() {
    return value - control;
  }

  /** Whether it lies within what control against control shows. */
  boolean isInside() {
    return difference() >= bandLow && difference() <= bandHigh;
  }

  /** Whether it is greater than all that control against control shows. */
  boolean isAbove() {
    return difference() > bandHigh;
  }

  /**
   * Compares windows.
   *
   * @param control twice as many
   * @param pool what windows have in common; made once for all numbers
   * @param numbers to be told of a pool, by what they are called
   */
  static <T, P, K> Map<K, Comparison> of(
      List<T> windows,
      List<T> control,
      Function<List<T>, P> pool,
      Map<K, ToDoubleFunction<P>> numbers,
      long seed) {
    if (windows.isEmpty() || control.size() < 2) {
      throw new IllegalArgumentException(
          "windows: %d, of control %d (expected: >= 1, >= 2)"
              .formatted(windows.size(), control.size()));
    }
    Random random = new Random(seed);
    int half = control.size() / 2;
    P all = pool.apply(windows);
    Map<K, Drawn> drawn = new LinkedHashMap<>();
    numbers.forEach((name, number) -> drawn.put(name, new Drawn(number.applyAsDouble(all))));
    List<T> shuffled = new ArrayList<>(control);
    for (int draw = 0; draw < DRAWS; draw++) {
      Collections.shuffle(shuffled, random);
      P one = pool.apply(shuffled.subList(0, half));
      P other = pool.apply(shuffled.subList(half, 2 * half));
      P ofWindows = pool.apply(drawn(windows, windows.size(), random));
      P ofControl = pool.apply(drawn(control, half, random));
      for (Map.Entry<K, ToDoubleFunction<P>> each : numbers.entrySet()) {
        ToDoubleFunction<P> number = each.getValue();
        Objects.requireNonNull(drawn.get(each.getKey()))
            .add(
                draw,
                number.applyAsDouble(one),
                number.applyAsDouble(other),
                number.applyAsDouble(ofWindows) - number.applyAsDouble(ofControl));
      }
    }
    Map<K, Comparison> comparisons = new LinkedHashMap<>();
    drawn.forEach((name, each) -> comparisons.put(name, each.compared()));
    return comparisons;
  }

  /** What was drawn for one number. */
  private static final class Drawn {
    private final double value;
    private final double[] halves = new double[DRAWS];
    private final double[] nothing = new double[DRAWS];
    private final double[] differences = new double[DRAWS];

    Drawn(double value) {
      this.value = value;
    }

    void add(int draw, double half, double other, double difference) {
      halves[draw] = half;
      nothing[draw] = half - other;
      differences[draw] = difference;
    }

    Comparison compared() {
      Arrays.sort(nothing);
      Arrays.sort(differences);
      return new Comparison(
          value,
          Arrays.stream(halves).average().orElseThrow(),
          tail(differences, TAIL),
          tail(differences, 1 - TAIL),
          tail(nothing, TAIL),
          tail(nothing, 1 - TAIL));
    }
  }

  private static <T> List<T> drawn(List<T> from, int count, Random random) {
    List<T> drawn = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      drawn.add(from.get(random.nextInt(from.size())));
    }
    return drawn;
  }

  private static double tail(double[] sorted, double share) {
    return sorted[(int) Math.min(sorted.length - 1L, Math.round(share * (sorted.length - 1)))];
  }
}
