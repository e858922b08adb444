package io.theseus.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RoundsTest {
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
  private static final long BEGAN = 77;

  private final List<Integer> looks = new ArrayList<>();
  private final Rounds<Integer> rounds = new Rounds<>((each, now) -> looks.add(each), BEGAN);
  private long now = BEGAN;
  private int mostAtATime;

  private void fill(int many) {
    for (int i = 0; i < many; i++) {
      rounds.add(i);
    }
  }

  private void pass(long nanos) {
    long end = now + nanos;
    long delay = 0;
    while (now + delay <= end) {
      now += delay;
      int before = looks.size();
      delay = rounds.step(now);
      mostAtATime = Math.max(mostAtATime, looks.size() - before);
    }
    now = end;
  }

  private Map<Integer, Integer> counts() {
    Map<Integer, Integer> counts = new HashMap<>();
    looks.forEach(each -> counts.merge(each, 1, Integer::sum));
    return counts;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 100, 1_000, 10_000, 100_000})
  void shouldLookAtEachAboutOnceASecond(int many) {
    fill(many);
    pass(10 * SECOND);
    assertThat(counts())
        .hasSize(many)
        .allSatisfy((each, times) -> assertThat(times).isBetween(8, 11));
  }

  @Test
  void shouldLookAtFewAtATime() {
    fill(10_000);
    pass(3 * SECOND);
    assertThat(mostAtATime).isBetween(1, 25);
  }

  @Test
  void shouldNotMakeUpAtOnceForWhatItMissed() {
    fill(10_000);
    now += 30 * SECOND;
    pass(3 * SECOND);
    assertThat(mostAtATime).isLessThanOrEqualTo(78);
    assertThat(counts()).hasSize(10_000);
  }

  /** Those that come and go cost those that stay no turn, and are not kept. */
  @Test
  void shouldNotTakeTurnsForWhatIsGone() {
    int last = 50_000;
    fill(100);
    for (int second = 0; second < 5; second++) {
      for (int i = 0; i < 10_000; i++) {
        rounds.add(last);
        rounds.remove(last++);
      }
      pass(SECOND);
    }
    assertThat(counts())
        .hasSize(100)
        .allSatisfy((each, times) -> assertThat(times).isBetween(4, 6));
    assertThat(mostAtATime).isLessThan(5);
  }

  @Test
  void shouldNotLookAtWhatIsGone() {
    Rounds<Integer> removing =
        new Rounds<>(
            (each, at) -> {
              looks.add(each);
              throwAway(each);
            },
            BEGAN);
    self = removing;
    for (int i = 0; i < 100; i++) {
      removing.add(i);
    }
    for (long at = BEGAN; at < BEGAN + 5 * SECOND; ) {
      at += removing.step(at);
    }
    assertThat(counts()).hasSize(50).allSatisfy((each, times) -> assertThat(times).isEqualTo(1));
    assertThat(removing.all()).isEmpty();
    assertThat(removing.remove(1)).isFalse();
  }

  private Rounds<Integer> self = rounds;

  /** With its neighbour. */
  private void throwAway(int one) {
    self.remove(one);
    self.remove(one ^ 1);
  }
}
