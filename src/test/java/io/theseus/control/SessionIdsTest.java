package io.theseus.control;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

final class SessionIdsTest {
  @Test
  void shouldGiveRandomIdsOfVersionFourAndNoneTwice() {
    SessionIds ids = new SessionIds();
    Set<UUID> given = new HashSet<>();
    long ones = 0;
    int count = 10_000;
    for (int i = 0; i < count; i++) {
      UUID id = ids.next();
      assertThat(id.version()).isEqualTo(4);
      assertThat(id.variant()).isEqualTo(2);
      assertThat(given.add(id)).as("%s is new", id).isTrue();
      ones +=
          Long.bitCount(id.getMostSignificantBits()) + Long.bitCount(id.getLeastSignificantBits());
    }
    // 122 fair bits each, and the two that are always set; ten standard deviations
    double expected = count * (61.0 + 2);
    assertThat((double) ones).isBetween(expected - 5_600, expected + 5_600);
  }
}
