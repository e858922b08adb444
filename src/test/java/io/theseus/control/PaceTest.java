package io.theseus.control;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class PaceTest {
  private static final long MICRO = 1_000;
  private static final long MILLI = 1_000 * MICRO;

  /** Ten of them take 0.1 ms. */
  private static final long LITTLE = 9_900;

  private final Pace pace = new Pace();
  private long now = 7;

  private int next(long later) {
    now += later;
    return pace.next(now);
  }

  private void learn(long each) {
    pace.begin(now);
    for (int i = 0; i < 200; i++) {
      pace.took(4 * each, 4);
    }
  }

  @Test
  void shouldBeginWithFew() {
    pace.begin(now);
    assertThat(next(0)).isEqualTo(4);
  }

  @Test
  void shouldTakeAsManyAsFitIntoAMomentOfTheThread() {
    learn(LITTLE);
    assertThat(next(MILLI)).isEqualTo(10);
    assertThat(next(MILLI)).isEqualTo(10);
  }

  @Test
  void shouldTakeMoreWhereTheThreadIsBusyWithPackets() {
    learn(LITTLE);
    assertThat(next(10 * MILLI)).isEqualTo(50);
    assertThat(next(20 * MILLI)).isEqualTo(101);
    assertThat(next(MILLI)).as("the thread has time again").isEqualTo(10);
  }

  @Test
  void shouldNotCountTheTimeThatNobodyFollowed() {
    learn(LITTLE);
    now += 1_000 * MILLI;
    pace.begin(now);
    assertThat(next(0)).isEqualTo(10);
  }

  @Test
  void shouldNeitherStandStillNorTakeAll() {
    learn(100 * MILLI);
    assertThat(next(MILLI)).isEqualTo(4);
    learn(1);
    assertThat(next(MILLI)).isEqualTo(128);
  }
}
