package io.theseus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.client.ClientSettings;
import io.theseus.client.NodeAddress;
import io.theseus.client.TransferListener;
import java.time.Duration;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

final class RateLimitTest {
  private static final long RATE = 1_000_000;

  private static Duration took(Runnable work) {
    long began = System.nanoTime();
    work.run();
    return Duration.ofNanos(System.nanoTime() - began);
  }

  @Test
  void shouldSlowDownAcrossFiles() {
    RateLimit.Pace pace = new RateLimit.Pace(RATE);
    Duration took =
        took(
            () -> {
              for (int i = 0; i < 10; i++) {
                RateLimit limit = new RateLimit(TransferListener.NONE, pace);
                limit.progress(50_000, 0, OptionalLong.of(50_000));
              }
            });
    // half a second's worth; the longest catch-up is an eighth
    assertThat(took).isBetween(Duration.ofMillis(370), Duration.ofSeconds(10));
  }

  @Test
  void shouldNotCountWhatWasThereBefore() {
    RateLimit limit = new RateLimit(TransferListener.NONE, new RateLimit.Pace(RATE));
    Duration took =
        took(() -> limit.progress(100_010_000, 100_000_000, OptionalLong.of(200_000_000)));
    assertThat(took).isLessThan(Duration.ofSeconds(3));
  }

  @Test
  void shouldMakePiecesThatFitTheRate() {
    ClientSettings.Builder settings = ClientSettings.builder(new NodeAddress("a", 1));
    RateLimit.configure(settings, 80_000);
    assertThat(settings.build().maxDataBytes()).isEqualTo(10_000);
    assertThat(settings.build().windowBytes()).isEqualTo(40_000);

    RateLimit.configure(settings, 1L << 40);
    assertThat(settings.build().maxDataBytes()).isEqualTo(1 << 20);
    RateLimit.configure(settings, 1);
    assertThat(settings.build().maxDataBytes()).isEqualTo(4096);
  }
}
