package io.theseus.upgrade;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class VotersTest {
  private static final Set<String> THREE = Set.of("n1", "n2", "n3");
  private static final Set<String> TWO = Set.of("n1", "n2");

  private final Voters three = new Voters(Map.of("n1", 1L, "n2", 2L, "n3", 3L), Map.of());
  private final Voters two = new Voters(Map.of("n1", 1L, "n2", 2L), Map.of());

  @Test
  void shouldNeedAllBeforeTheyAreKnown() {
    assertThat(Voters.NONE.isQuorum(Map.of("n1", 1L, "n2", 2L), THREE)).isFalse();
    assertThat(Voters.NONE.isQuorum(Map.of("n1", 1L, "n2", 2L, "n3", 3L), THREE)).isTrue();
  }

  @Test
  void shouldNeedAMajorityAndNotCountAnotherDisk() {
    assertThat(three.isQuorum(Map.of("n1", 1L), THREE)).isFalse();
    assertThat(three.isQuorum(Map.of("n1", 1L, "n3", 3L), THREE)).isTrue();
    assertThat(three.isQuorum(Map.of("n1", 1L, "n3", 9L), THREE)).isFalse();
    assertThat(three.isQuorum(Map.of("n1", 1L, "n2", 8L, "n3", 9L), THREE)).isFalse();
    assertThat(two.isQuorum(Map.of("n1", 1L), TWO)).isFalse();
    assertThat(new Voters(Map.of("n1", 1L), Map.of()).isQuorum(Map.of("n1", 1L), Set.of("n1")))
        .isTrue();
  }

  @Test
  void shouldLetOneOfTwoLoseItsDiskWhereBothAnswer() {
    assertThat(two.isQuorum(Map.of("n1", 1L, "n2", 9L), TWO)).isTrue();
    assertThat(two.isQuorum(Map.of("n1", 8L, "n2", 9L), TWO)).isFalse();
  }

  @Test
  void shouldNeedOldAndNewVotersWhileTheyChange() {
    Voters changing = three.admitting("n1", 9);

    assertThat(changing.isQuorum(Map.of("n1", 9L, "n2", 2L), THREE)).isFalse();
    assertThat(changing.isQuorum(Map.of("n2", 2L, "n3", 3L), THREE)).isTrue();
    assertThat(changing.settled().isQuorum(Map.of("n1", 9L, "n2", 2L), THREE)).isTrue();
  }
}
