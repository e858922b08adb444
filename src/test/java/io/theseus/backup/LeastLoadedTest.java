package io.theseus.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.channel.BackupPolicy.Candidate;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who gets a copy where nobody else decides. */
final class LeastLoadedTest {
  private static Candidate candidate(String node, int sessions, long freeBytes, boolean keeps) {
    return new Candidate(node, "", freeBytes, sessions, 0, keeps);
  }

  @Test
  void shouldChooseWhoHasTheLeastToDoThenTheMostRoom() {
    Candidate busy = candidate("a", 2, 1000, false);
    Candidate small = candidate("b", 1, 10, false);
    Candidate large = candidate("c", 1, 20, false);
    assertThat(LeastLoaded.of(List.of(busy, small))).isEqualTo("b");
    assertThat(LeastLoaded.of(List.of(busy, small, large))).isEqualTo("c");
    assertThat(LeastLoaded.of(List.of(candidate("e", 1, 20, false), large))).isEqualTo("c");
  }

  @Test
  void shouldStayWithWhoHasACopy() {
    assertThat(
            LeastLoaded.of(
                List.of(candidate("a", 0, 1000, false), candidate("b", 9, 10, /* keeps= */ true))))
        .isEqualTo("b");
  }
}
