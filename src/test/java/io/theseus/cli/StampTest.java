package io.theseus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;

final class StampTest {
  private static Stamp stamp(long size, String modified) {
    return new Stamp(size, Instant.parse(modified));
  }

  @Test
  void shouldCompareSizeAndTime() {
    Stamp stamp = stamp(5, "2026-01-02T03:04:05.678Z");
    assertThat(stamp.sameAs(stamp(5, "2026-01-02T03:04:05.678Z"))).isTrue();
    assertThat(stamp.sameAs(stamp(6, "2026-01-02T03:04:05.678Z"))).isFalse();
    assertThat(stamp.sameAs(stamp(5, "2026-01-02T03:04:06.678Z"))).isFalse();
    assertThat(stamp.sameAs(stamp(5, "2026-01-02T03:04:05.680Z"))).isFalse();
  }

  @Test
  void shouldAllowForCoarserClocks() {
    Stamp fine = stamp(5, "2026-01-02T03:04:05.678123456Z");
    assertThat(fine.sameAs(stamp(5, "2026-01-02T03:04:05.678123Z"))).isTrue();
    assertThat(fine.sameAs(stamp(5, "2026-01-02T03:04:05.678Z"))).isTrue();
    assertThat(fine.sameAs(stamp(5, "2026-01-02T03:04:05Z"))).isTrue();
    assertThat(stamp(5, "2026-01-02T03:04:05Z").sameAs(fine)).isTrue();
    assertThat(fine.sameAs(stamp(5, "2026-01-02T03:04:06Z"))).isFalse();
  }
}
