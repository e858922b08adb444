package io.theseus.repair;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** So many bytes in a second, by a clock that the test holds. */
final class RateTest {
  private final AtomicLong now = new AtomicLong(-5_000_000_000L);
  private final Rate rate = new Rate(1000, now::get);

  private void advance(long millis) {
    now.addAndGet(TimeUnit.MILLISECONDS.toNanos(millis));
  }

  private static long millis(long nanos) {
    return TimeUnit.NANOSECONDS.toMillis(nanos);
  }

  @Test
  void shouldShareTheRate() {
    assertThat(millis(rate.take(500))).isEqualTo(500);
    assertThat(millis(rate.take(250))).isEqualTo(750);
    advance(700);
    assertThat(millis(rate.take(100))).isEqualTo(150);
  }

  @Test
  void shouldMakeUpForALittleTimeThatWasNotUsed() {
    advance(60_000);
    assertThat(rate.take(100)).isZero();
    assertThat(millis(rate.take(100))).isEqualTo(75);
  }

  @Test
  void shouldNotLimit() {
    Rate unlimited = new Rate(0, now::get);
    assertThat(unlimited.isLimited()).isFalse();
    assertThat(unlimited.take(Long.MAX_VALUE)).isZero();
  }

  @Test
  void shouldWaitForNobodyOnceItIsClosed() throws Exception {
    Rate real = new Rate(1, System::nanoTime);
    CompletableFuture<Void> waits =
        CompletableFuture.runAsync(
            () -> {
              try {
                real.await(1_000_000);
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    real.close();
    assertThatThrownBy(() -> waits.get(30, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasRootCauseInstanceOf(InterruptedException.class)
        .hasRootCauseMessage("the node stops");
    assertThatThrownBy(() -> real.await(1)).isInstanceOf(InterruptedException.class);
  }
}
