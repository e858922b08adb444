package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.admin.jmx.RunFile;
import io.theseus.admin.jmx.StatusClient;
import io.theseus.module.LabModules;
import io.theseus.module.ModuleArchive;
import io.theseus.module.ModuleKeys;
import io.theseus.module.RevisionDescription;
import io.theseus.testing.PacketSocket;
import io.theseus.upgrade.Act;
import io.theseus.upgrade.ActAnswer;
import io.theseus.upgrade.ActRecord;
import io.theseus.upgrade.ActRequest;
import io.theseus.upgrade.NodeRevisions;
import io.theseus.upgrade.RevisionId;
import io.theseus.upgrade.UpgradeView;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Upgrades of whole clusters, in this process. */
@Tag("once") // says nothing of a version of Java
final class UpgradeNodeTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private static final String CHANNEL =
      """
      import io.theseus.channel.*;

      public final class Bursts implements DataChannel {
        @Override
        public Range next(Progress progress) {
          return new Range(
              progress.position(), (int) Math.min(%d, progress.end() - progress.position()));
        }
      }
      """;

  @TempDir private Path directory;
  private int acts;

  @Test
  void shouldUpgradeAllNodesAndGoBack() throws Exception {
    try (TestCluster cluster = TestCluster.of(3, directory)) {
      List<Node> nodes = started(cluster, 1, 2, 3);
      RevisionId one = put(nodes.get(0), "1", 4096);

      assertThat(act(nodes.get(1), upgrade(one, NodeRevisions.builtIn())).outcome())
          .isEqualTo(ActRecord.Outcome.CONFIRMED);
      assertServing(nodes, "bursts@1", one);

      RevisionId two = put(nodes.get(2), "2", 8192);
      ActRecord second = act(nodes.get(0), upgrade(two, one));
      assertServing(nodes, "bursts@2", two);
      assertThat(act(nodes.get(0), new Act.Undo(second.id())).outcome())
          .isEqualTo(ActRecord.Outcome.CONFIRMED);
      assertServing(nodes, "bursts@1", one);
    }
  }

  @Test
  void shouldBringANodeThatReturnsToWhatIsInForceBeforeItServes() throws Exception {
    try (TestCluster cluster = TestCluster.of(3, directory)) {
      List<Node> nodes = started(cluster, 1, 2, 3);
      cluster.stop(3);
      RevisionId one = put(nodes.get(0), "1", 4096);
      Act upgrade = upgrade(one, NodeRevisions.builtIn());
      ActRequest withAll = request(upgrade, Set.of());
      if (answer(nodes.get(0), withAll) instanceof ActAnswer.Refused refused) {
        assertThat(refused.reason()).contains("node3: can't be reached");
      } else { // it was not missed yet
        assertThat(act(nodes.get(0), withAll).reason()).startsWith("node3: can't be reached");
      }
      act(nodes.get(0), request(upgrade, Set.of("node3")));

      Node returned = cluster.start(3, "cluster.catch-up=60s");

      assertServing(List.of(returned), "bursts@1", one);
      assertThat(returned.packetsAddress()).isPresent();
    }
  }

  @Test
  void shouldHoldAllNodesAndLetThemGoOn() throws Exception {
    try (TestCluster cluster = TestCluster.of(2, directory)) {
      List<Node> nodes = started(cluster, 1, 2);
      act(nodes.get(0), new Act.Pause());
      assertThat(nodes).allMatch(node -> node.switchboard().isPaused());
      act(nodes.get(1), new Act.Resume());
      assertThat(nodes).noneMatch(node -> node.switchboard().isPaused());
    }
  }

  @Test
  void shouldTellClientsOfAPauseAndLetNewOnesWait() throws Exception {
    try (TestCluster cluster = TestCluster.of(1, directory)) {
      Node node = cluster.start(1, "session.most-waiting=1");
      Files.write(node.settings().store().root().resolve("in"), new byte[1_000]);
      InetSocketAddress address = address(node);
      try (PacketSocket before = new PacketSocket(address);
          PacketSocket waiting = new PacketSocket(address);
          PacketSocket refused = new PacketSocket(address)) {
        before.info("GET in\nWindow: 400\nMax-Data: 4096\n");
        assertThat(before.take("READY").number("Size")).isEqualTo(1_000);
        assertThat(((PacketSocket.Data) before.take()).offset()).isZero();
        act(node, new Act.Pause());
        assertThat(awaitSaid(before, "MODIFYING").number("Offset")).isEqualTo(400);

        waiting.info("GET in\nWindow: 4096\n");
        var unused = awaitSaid(waiting, "MODIFYING");
        refused.info("GET in\nWindow: 4096\n");
        assertThatThrownBy(refused::take)
            .hasMessageContaining("all transfers are held, and too many wait to begin");

        act(node, new Act.Resume());
        before.offset(400);
        unused = awaitSaid(before, "RESUMED");
        unused = awaitSaid(waiting, "RESUMED");
        try (PacketSocket after = new PacketSocket(address)) {
          after.info("GET in\nWindow: 4096\n");
          unused = after.take("READY");
        }
      }
    }
  }

  private static InetSocketAddress address(Node node) {
    String packets = node.packetsAddress().orElseThrow();
    return new InetSocketAddress(
        InetAddress.getLoopbackAddress(),
        Integer.parseInt(packets.substring(packets.lastIndexOf(':') + 1)));
  }

  private static PacketSocket.Said awaitSaid(PacketSocket socket, String verb) throws IOException {
    while (true) {
      if (socket.next() instanceof PacketSocket.Said said && said.verb().equals(verb)) {
        return said;
      }
    }
  }

  @Test
  void shouldEndAForgottenPause() throws Exception {
    try (TestCluster cluster = TestCluster.of(1, directory)) {
      Node node = cluster.start(1, "session.longest-pause=1s");
      act(node, new Act.Pause());
      await()
          .atMost(PATIENCE)
          .until(() -> node.upgrades().view().orElseThrow().history().size() == 2);
      assertThat(node.switchboard().isPaused()).isFalse();
      assertThat(node.upgrades().view().orElseThrow().history().get(1).who())
          .isEqualTo("node node1");
    }
  }

  @Test
  void shouldRefuseWhatOneNodeCanNotRun() throws Exception {
    try (TestCluster cluster = TestCluster.of(3, directory)) {
      List<Node> nodes =
          List.of(
              cluster.start(1),
              cluster.start(2, "modules.lab-key=" + directory.resolve("other.key")),
              cluster.start(3));
      RevisionId one = put(nodes.get(0), "1", 4096);
      ActRecord ended = act(nodes.get(0), upgrade(one, NodeRevisions.builtIn()));
      assertThat(ended.outcome()).isEqualTo(ActRecord.Outcome.REFUSED);
      assertThat(ended.reason()).startsWith("node2: signature: by key ");
      assertServing(nodes, "standard@1.0.0", NodeRevisions.builtIn());
    }
  }

  @Test
  void shouldTakeBackWhatFailsAfterItWasConfirmedAlsoWithoutAMissingNode() throws Exception {
    String fragile =
        """
        import io.theseus.channel.*;

        public final class Bursts implements DataChannel {
          private boolean fragile;

          @Override
          public void begin(SessionInfo session) {
            fragile = session.name().equals("in");
          }

          @Override
          public Range next(Progress progress) {
            if (fragile) {
              throw new IllegalStateException("broken");
            }
            return new Range(
                progress.position(), (int) Math.min(%d, progress.end() - progress.position()));
          }
        }
        """;
    try (TestCluster cluster = TestCluster.of(3, directory)) {
      List<Node> nodes = started(cluster, 1, 2, 3).subList(0, 2);
      Node node = nodes.get(0);
      Files.write(node.settings().store().root().resolve("in"), new byte[1_000]);
      cluster.stop(3);
      RevisionId one = put(node, "1", fragile, 4096);
      ActRecord upgrade =
          act(node, request(upgrade(one, NodeRevisions.builtIn()), Set.of("node3")));
      assertThat(upgrade.outcome()).isEqualTo(ActRecord.Outcome.CONFIRMED);
      try (PacketSocket client = new PacketSocket(address(node))) {
        client.info("GET in\nWindow: 4096\n");
        var unused = client.take("READY");
        assertThat(((PacketSocket.Data) client.take()).bytes()).hasSize(1_000);
        client.offset(1_000);
        unused = client.take("COMPLETE");
      }
      assertServing(nodes, "standard@1.0.0", NodeRevisions.builtIn());
      // it serves again before that is confirmed
      await()
          .atMost(PATIENCE)
          .until(() -> view(node).last().orElseThrow().who().equals("node node1"));
      ActRecord last = view(node).last().orElseThrow();
      assertThat(last.what()).isEqualTo("undo of act " + upgrade.id());
    }
  }

  @Test
  void shouldRefuseEveryJarThatIsNotSignedWholeAndNewer() throws Exception {
    try (TestCluster cluster = TestCluster.of(1, directory)) {
      Node node = started(cluster, 1).get(0);
      Path key = node.settings().modules().labKey().orElseThrow();
      Operations operations =
          StatusClient.operations(
              RunFile.read(RunFile.in(node.settings().dataDir())).orElseThrow());
      Operations.Order order = new Operations.Order("ann", Set.of(), Optional.of(Duration.ZERO));
      byte[] two = LabModules.signed("Bursts", "2", CHANNEL.formatted(4096), key);
      String act = operations.upgrade(two, Optional.empty(), order).id();
      await().atMost(PATIENCE).until(() -> view(node).ended(act).isPresent());
      RevisionId served = view(node).confirmed().revision();
      byte[] tampered = two.clone();
      tampered[tampered.length / 2]++;
      byte[] cut = Arrays.copyOf(two, two.length - 1);
      Map<String, byte[]> wrong =
          Map.of(
              "signature: none",
              LabModules.unsigned("Bursts", "3", CHANNEL.formatted(4096)),
              "signature: by key ",
              LabModules.signed("Bursts", "3", CHANNEL.formatted(4096), otherKey()),
              "version: bursts@1 (",
              LabModules.signed("Bursts", "1", CHANNEL.formatted(4096), key),
              "version: bursts@2 (",
              LabModules.signed("Bursts", "2", CHANNEL.formatted(8192), key),
              "example/Burst.class",
              LabModules.withAClassTwice(),
              "Bursts.class",
              tampered,
              "(expected: ",
              cut);
      wrong.forEach(
          (words, jar) ->
              assertThatThrownBy(() -> operations.upgrade(jar, Optional.empty(), order))
                  .isInstanceOf(OperationException.class)
                  .hasMessageContaining(words)
                  .hasMessageContaining("(expected: "));
      assertThat(view(node).confirmed().revision()).isEqualTo(served);
      assertThat(view(node).history()).hasSize(1);
    }
  }

  private Path otherKey() throws Exception {
    Path file = directory.resolve("other.key");
    var unused = ModuleKeys.forNode(List.of(), Optional.of(file));
    return file;
  }

  // ---- helpers

  private static List<Node> started(TestCluster cluster, int... numbers) throws Exception {
    for (int number : numbers) {
      cluster.start(number);
    }
    List<Node> nodes = IntStream.of(numbers).mapToObj(cluster::node).toList();
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                nodes.stream()
                    .allMatch(
                        node ->
                            node.status().cluster().members().size() == numbers.length
                                && view(node).standing().equals("current")));
    return nodes;
  }

  private static UpgradeView view(Node node) {
    return node.upgrades().view().orElseThrow();
  }

  private RevisionId put(Node node, String version, int most) throws Exception {
    return put(node, version, CHANNEL, most);
  }

  private static RevisionId put(Node node, String version, String channel, int most)
      throws Exception {
    ModuleArchive module =
        node.revisions()
            .put(
                LabModules.signed(
                    "Bursts",
                    version,
                    channel.formatted(most),
                    node.settings().modules().labKey().orElseThrow()));
    RevisionDescription now =
        node.revisions().describe(view(node).confirmed().revision()).orElseThrow();
    return node.revisions().put(now.with(module.descriptor(), module.sha256()));
  }

  private static Act upgrade(RevisionId revision, RevisionId base) {
    return new Act.Upgrade(revision, base, null);
  }

  private ActRequest request(Act act, Set<String> without) {
    return new ActRequest(
        "act-" + ++acts, "ann", System.currentTimeMillis(), act, without, /* watchMillis= */ 0);
  }

  private static ActAnswer answer(Node node, ActRequest request) throws Exception {
    return node.upgrades()
        .submit(request)
        .toCompletableFuture()
        .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  private ActRecord act(Node node, Act act) throws Exception {
    return act(node, request(act, Set.of()));
  }

  private static ActRecord act(Node node, ActRequest request) throws Exception {
    ActAnswer answer = answer(node, request);
    assertThat(answer).isInstanceOfAny(ActAnswer.Begun.class, ActAnswer.Ended.class);
    await().atMost(PATIENCE).until(() -> view(node).ended(request.id()).isPresent());
    return view(node).ended(request.id()).orElseThrow();
  }

  private static void assertServing(List<Node> nodes, String module, RevisionId revision) {
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(nodes)
                    .allSatisfy(
                        node -> {
                          assertThat(node.switchboard().current().revision().module())
                              .isEqualTo(module);
                          assertThat(view(node).serving().map(each -> each.revision()))
                              .isEqualTo(Optional.of(revision));
                        }));
  }
}
