package io.theseus.module;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntToLongFunction;
import org.junit.jupiter.api.Test;

class WarmUpTest {
  private static final int CALLS = 1000;

  private final AtomicLong now = new AtomicLong();

  /** Runs one whose bursts take these times by their number; returns how many there were. */
  private int bursts(Duration most, IntToLongFunction nanos) {
    WarmUp warmUp = new WarmUp(most, now::get);
    int bursts = 0;
    while (warmUp.goesOn()) {
      long took = nanos.applyAsLong(bursts++);
      now.addAndGet(took);
      warmUp.burst(CALLS, took);
    }
    assertThat(warmUp.calls()).isEqualTo(bursts * CALLS);
    return bursts;
  }

  @Test
  void shouldEndWhenCallsGetNoFaster() {
    Duration enough = Duration.ofHours(1);
    assertThat(bursts(enough, burst -> 1000))
        .as("steady from the first, but called often enough to be compiled")
        .isEqualTo(WarmUp.LEAST_CALLS / CALLS);
    assertThat(bursts(enough, burst -> burst < 40 ? 1_000_000 - 10_000L * burst : 1000))
        .as("ten bursts behind the last faster one, which was the 41st")
        .isEqualTo(41 + WarmUp.STEADY_BURSTS);
  }

  @Test
  void shouldEndAtMostSoLateAndAfterSoManyCalls() {
    assertThat(bursts(Duration.ofMillis(3), burst -> 1_000_000)).isEqualTo(3);
    assertThat(
            bursts(
                Duration.ofDays(9999),
                burst -> (long) (1e9 * Math.pow(0.94, Math.floorDiv(burst, 9)))))
        .as("faster every ninth time")
        .isEqualTo(WarmUp.MOST_CALLS / CALLS);
  }
}
