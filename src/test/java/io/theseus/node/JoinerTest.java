package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class JoinerTest {
  private static final Duration LONG = Duration.ofSeconds(40);

  @Test
  void shouldJoinItselfAtOnceWhenAlone(@TempDir Path directory) throws StartException {
    NodeSettings settings =
        SettingsSource.defaults()
            .set("data-dir=" + directory)
            .set("packets.port=0")
            .set("cluster.port=0")
            .read();
    try (Node node = Node.start(settings, io.theseus.steps.Steps.NONE)) {
      await().atMost(LONG).until(() -> node.waitsFor().isEmpty());
    }
  }

  static List<List<Integer>> orders() {
    return List.of(List.of(1, 2, 3), List.of(3, 2, 1), List.of(2, 3, 1));
  }

  @ParameterizedTest
  @MethodSource("orders")
  void shouldFormOneClusterWhicheverNodeStartsFirst(List<Integer> order, @TempDir Path directory)
      throws StartException {
    try (TestCluster cluster = TestCluster.of(3, directory)) {
      for (int number : order) {
        cluster.start(number);
      }
      awaitOneCluster(cluster, 1, 2, 3);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void shouldFormWithoutTheMissingNodeAndTakeItInLater(int missing, @TempDir Path directory)
      throws StartException {
    try (TestCluster cluster = TestCluster.of(3, directory)) {
      List<Integer> present = List.of(1, 2, 3).stream().filter(each -> each != missing).toList();
      cluster.start(present.get(0));
      await()
          .atMost(LONG)
          .untilAsserted(
              () ->
                  assertThat(cluster.node(present.get(0)).waitsFor().orElse(""))
                      .startsWith("waiting for 1 more of seed nodes ")
                      .contains(cluster.address(missing) + " (no answer)")
                      .endsWith("; needs 2 of 3"));
      cluster.start(present.get(1));
      awaitOneCluster(cluster, present.get(0), present.get(1));
      cluster.start(missing);
      awaitOneCluster(cluster, 1, 2, 3);
    }
  }

  private static void awaitOneCluster(TestCluster cluster, int... numbers) {
    Set<String> all = new java.util.HashSet<>();
    for (int number : numbers) {
      all.add(cluster.address(number));
    }
    for (int number : numbers) {
      await()
          .atMost(LONG)
          .untilAsserted(() -> assertThat(cluster.membersSeenBy(number)).isEqualTo(all));
      await().atMost(LONG).until(() -> cluster.node(number).waitsFor().isEmpty());
    }
  }
}
