package io.theseus.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.store.StoreFixture.HandClock;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Versions of names. */
final class VersionClockTest {
  private final HandClock time = new HandClock();
  private final VersionClock clock = new VersionClock("node1", time);

  @Test
  void shouldGiveEachOneAboveTheLast() {
    String first = clock.next();
    assertThat(first).matches("[0-9a-f]{16}@node1");
    assertThat(clock.next()).isGreaterThan(first);
    time.advance(Duration.ofMillis(1));
    String later = clock.next();
    assertThat(later).isGreaterThan(first);
    time.advance(Duration.ofHours(-1));
    assertThat(clock.next()).as("a clock that was put back").isGreaterThan(later);
  }

  @Test
  void shouldGiveTheLowestOneAboveAnother() {
    String known = clock.next();
    String above = clock.above(known);
    assertThat(above).isGreaterThan(known).isLessThan(clock.next());
    VersionClock behind = new VersionClock("a", time);
    time.advance(Duration.ofHours(-1));
    behind.see(known);
    assertThat(behind.next()).as("by a clock that is behind").isGreaterThan(above);
    assertThat(clock.above("")).isEqualTo("0000000000000001@node1");
  }

  @Test
  void shouldOrderWhatNobodyGaveAVersionByItsTime() {
    String now = VersionClock.at(time.instant());
    assertThat(VersionClock.at(time.instant().plusNanos(16))).isGreaterThan(now);
    assertThat(VersionClock.at(time.instant().plusNanos(999_999)))
        .isLessThan(VersionClock.at(time.instant().plusMillis(1)));
    assertThat(clock.next()).isGreaterThan(now);
    assertThat(now).isLessThan(clock.above(now));
  }

  @Test
  void shouldBeAboveWhatItHasSeen() {
    time.advance(Duration.ofHours(1));
    String ahead = new VersionClock("node2", time).next();
    time.advance(Duration.ofHours(-1));
    assertThat(clock.next()).isLessThan(ahead);
    clock.see(ahead);
    assertThat(clock.next()).isGreaterThan(ahead);
    clock.see("-");
    assertThat(clock.next()).isGreaterThan(ahead);
  }
}
