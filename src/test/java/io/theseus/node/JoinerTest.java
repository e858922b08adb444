package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorRefResolver;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.javadsl.Adapter;
import akka.cluster.typed.Cluster;
import akka.cluster.typed.Down;
import akka.serialization.Serialization;
import akka.serialization.SerializationExtension;
import akka.serialization.jackson.JacksonCborSerializer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("once") // says nothing of a version of Java
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

  @Test
  void shouldTakeTheFirstSeedBack(@TempDir Path directory) throws StartException {
    try (TestCluster cluster = TestCluster.of(3, directory)) {
      for (int number = 1; number <= 3; number++) {
        cluster.start(number);
      }
      awaitOneCluster(cluster, 1, 2, 3);
      cluster.stop(1);
      awaitOneCluster(cluster, 2, 3);
      cluster.start(1);
      awaitOneCluster(cluster, 1, 2, 3);
    }
  }

  @Test
  void shouldBeginAnotherLifeWhenTheClusterDownsIt(@TempDir Path directory) throws StartException {
    try (TestCluster cluster = TestCluster.of(3, directory)) {
      for (int number = 1; number <= 3; number++) {
        cluster.start(number);
      }
      awaitOneCluster(cluster, 1, 2, 3);
      ActorSystem<?> first = cluster.node(2).system();
      String clients = cluster.node(2).packetsAddress().orElseThrow();

      Cluster other = Cluster.get(cluster.node(1).system());
      other.manager().tell(new Down(Cluster.get(first).selfMember().address()));

      await().atMost(LONG).until(() -> cluster.node(2).system() != first);
      awaitOneCluster(cluster, 1, 2, 3);
      assertThat(cluster.node(2).packetsAddress()).hasValue(clients);
      assertThat(first.getWhenTerminated().toCompletableFuture()).isDone();
    }
  }

  @Test
  void shouldSendWhatJoinersSayAndNothingElse(@TempDir Path directory) throws Exception {
    try (TestCluster cluster = TestCluster.of(1, directory)) {
      ActorSystem<?> system = cluster.start(1).system();
      Serialization serialization = SerializationExtension.get(Adapter.toClassic(system));
      ActorRef<Joiner.Command> someone =
          ActorRefResolver.get(system)
              .resolveActorRef("akka://theseus@" + cluster.address(1) + "/user/" + Joiner.NAME);
      Formation.Membership membership = new Formation.Membership(Set.of("a:1#7", "b:2#-8"), 1);
      for (Joiner.Remote message :
          List.of(
              new Joiner.Ask(new Formation.Question("a:1", 7, -3, true), someone),
              new Joiner.Answer(
                  new Formation.Reply("b:2", 7, Long.MIN_VALUE, true, false, membership)),
              new Joiner.Answer(
                  new Formation.Reply("b:2", 7, 0, false, true, Formation.Membership.NONE)))) {
        byte[] bytes = serialization.serialize(message).get();
        assertThat(serialization.deserialize(bytes, message.getClass()).get()).isEqualTo(message);
        assertThat(serialization.findSerializerFor(message))
            .isInstanceOf(JacksonCborSerializer.class);
      }

      assertThatThrownBy(() -> serialization.serialize(new java.io.File("gadget")).get())
          .hasMessageContaining("Java");
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
