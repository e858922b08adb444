package io.theseus.bench.upgrade;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;

/**
 * Windows of known distributions: what differs is seen, what doesn't is not, what can't be is said.
 */
final class ComparisonTest {
  private static final int WINDOWS = 24;
  private static final double MILLI = 1e6;

  private final Random random = new Random(3);

  @Test
  void shouldSeeNoDifferenceWhereThereIsNone() {
    Function<Statistic, Comparison> found =
        compare(windows(WINDOWS, 0, 0), windows(2 * WINDOWS, 0, 0));

    assertThat(Statistic.values())
        .extracting(found)
        .allSatisfy(
            each -> {
              assertThat(each.bandLow()).isNotPositive();
              assertThat(each.bandHigh()).isNotNegative();
              assertThat(each.low()).isLessThanOrEqualTo(each.high());
              assertThat(each.value()).isPositive();
            });
    assertThat(found.apply(Statistic.P50).isInside()).isTrue();
    assertThat(Verdict.ofMedian(found.apply(Statistic.P50))).isEqualTo(Verdict.MET);
  }

  @Test
  void shouldSeeWhatIsAddedForAll() {
    Function<Statistic, Comparison> found =
        compare(windows(WINDOWS, 2, 1), windows(2 * WINDOWS, 0, 0));

    Comparison median = found.apply(Statistic.P50);
    assertThat(median.difference()).isBetween(1.9, 2.1);
    assertThat(median.low()).isLessThan(median.difference());
    assertThat(median.high()).isGreaterThan(median.difference());
    assertThat(median.isAbove()).isTrue();
    assertThat(Verdict.ofMedian(median)).isEqualTo(Verdict.MISSED);
  }

  @Test
  void shouldSeeAFewThatAreLateInTheTailAlone() {
    Function<Statistic, Comparison> found =
        compare(windows(WINDOWS, 50, 0.02), windows(2 * WINDOWS, 0, 0));

    assertThat(found.apply(Statistic.P50).isAbove()).isFalse();
    assertThat(found.apply(Statistic.P99).isAbove()).isTrue();
    assertThat(found.apply(Statistic.MAX).difference()).isGreaterThan(30);
  }

  @Test
  void shouldSayThatItCanNotTellWhereAStallIsNotSeen() {
    List<Delays> control = windows(2 * WINDOWS, 0, 0);
    Comparison same = compare(windows(WINDOWS, 0, 0), control).apply(Statistic.P99);
    Comparison stalled = compare(windows(WINDOWS, 5, 0.5), control).apply(Statistic.P99);

    assertThat(Verdict.ofBand(same, stalled)).isEqualTo(Verdict.MET);
    assertThat(Verdict.ofBand(same, same)).isEqualTo(Verdict.CANT_TELL);
    assertThat(Verdict.ofBand(stalled, stalled)).isEqualTo(Verdict.MISSED);
    assertThat(Verdict.ofThroughput(stalled)).isEqualTo(Verdict.MET);
  }

  @Test
  void shouldRefuseTooFewWindows() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> compare(windows(1, 0, 0), windows(1, 0, 0)))
        .withMessage("windows: 1, of control 1 (expected: >= 1, >= 2)");
  }

  /** Waits around a millisecond; a share of them so many milliseconds longer. */
  private List<Delays> windows(int count, double addedMillis, double share) {
    List<Delays> windows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Delays waits = new Delays();
      for (int each = 0; each < 200; each++) {
        double added = random.nextDouble() < share ? addedMillis : 0;
        waits.add((long) (MILLI * (0.9 + 0.2 * random.nextDouble() + added)));
      }
      windows.add(waits);
    }
    return windows;
  }

  private static Function<Statistic, Comparison> compare(
      List<Delays> windows, List<Delays> control) {
    Map<Statistic, ToDoubleFunction<Delays>> numbers = new LinkedHashMap<>();
    for (Statistic each : Statistic.values()) {
      numbers.put(each, each::of);
    }
    Map<Statistic, Comparison> compared =
        Comparison.of(windows, control, Delays::pooled, numbers, /* seed= */ 1);
    return statistic -> Objects.requireNonNull(compared.get(statistic));
  }
}
