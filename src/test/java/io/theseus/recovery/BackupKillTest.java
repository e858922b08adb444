package io.theseus.recovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.node.TestCluster;
import io.theseus.testing.Content;
import io.theseus.testing.NodeProcess;
import io.theseus.testing.RawPut;
import io.theseus.testing.RawTransfer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Three processes, one of which receives an upload that another one copies; who receives it, or who
 * copies it, is killed at a step of either. Whoever it was, the client goes on and ends with a
 * COMPLETE, and the file is whole on two nodes.
 */
@Tag("processes")
@Tag("once") // says nothing of a version of Java
final class BackupKillTest {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final int PACKET = 256 << 10;
  private static final Content CONTENT = Content.random(13, 20 << 20);

  private static final List<NodeProcess> NODES = new ArrayList<>();
  private static int number;

  /** Who is killed, and at which step. */
  record Death(boolean owner, String point) {
    @Override
    public String toString() {
      return (owner ? "who receives" : "who copies") + " at " + point;
    }
  }

  @BeforeAll
  static void start(@TempDir Path directory) {
    List<Integer> ports = TestCluster.freePorts(6);
    String seeds =
        String.join(",", ports.subList(0, 3).stream().map(port -> "127.0.0.1:" + port).toList());
    for (int i = 1; i <= 3; i++) {
      NODES.add(
          NodeProcess.start(
              directory.resolve("node" + i),
              "node.id=node" + i,
              "cluster.port=" + ports.get(i - 1),
              "peers.port=" + ports.get(2 + i),
              "cluster.nodes=node1,node2,node3",
              "cluster.seed-nodes=" + seeds,
              "cluster.catch-up=0",
              "backup.factor=1",
              "modules.lab-key=" + directory.resolve("lab.key")));
    }
  }

  @AfterAll
  static void stop() {
    NODES.forEach(NodeProcess::close);
    NODES.clear();
  }

  /** At each point of copying, and one of the commit. */
  static Stream<Death> deaths() {
    return Stream.of(
        new Death(/* owner= */ true, "put.sealed"),
        new Death(/* owner= */ true, "put.decided"),
        new Death(/* owner= */ true, "commit.renamed"),
        new Death(/* owner= */ false, "backup.synced"),
        new Death(/* owner= */ false, "backup.marked"),
        new Death(/* owner= */ false, "backup.sealed"),
        new Death(/* owner= */ false, "backup.commit"),
        new Death(/* owner= */ false, "backup.committed"));
  }

  private static void awaitAll() {
    await("all know each other")
        .atMost(PATIENCE)
        .ignoreExceptions()
        .until(
            () ->
                NODES.stream()
                    .allMatch(node -> node.status().counters().getOrDefault("backups", 0L) == 2));
  }

  @ParameterizedTest
  @MethodSource("deaths")
  void shouldCompleteWhoeverDies(Death death) throws Exception {
    awaitAll();
    NodeProcess owner = NODES.get(0);
    List<NodeProcess> others = NODES.subList(1, 3);
    List<NodeProcess> dying = death.owner() ? List.of(owner) : others;
    String name = "out-" + number++;
    RawPut put = new RawPut(name, CONTENT, /* sized= */ true, PACKET, 1 << 20);
    for (NodeProcess node : dying) {
      node.haltAt(death.point());
    }
    Reviver reviver = new Reviver(dying);
    try {
      await("it completes")
          .atMost(PATIENCE)
          .ignoreExceptions()
          .until(() -> put.run(owner.address()) == RawTransfer.End.COMPLETE);
    } finally {
      reviver.stop();
    }
    assertThat(reviver.deaths()).as("deaths at %s", death.point()).isOne();
    assertThat(owner.files().resolve(name)).satisfies(BackupKillTest::isWhole);
    List<NodeProcess> holders = new ArrayList<>();
    for (NodeProcess node : others) {
      if (Files.exists(node.files().resolve(name))) {
        holders.add(node);
        assertThat(node.files().resolve(name)).satisfies(BackupKillTest::isWhole);
      }
    }
    assertThat(holders).as("nodes with a copy").isNotEmpty();
    await("nothing is left behind")
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(staged(owner)).isEmpty());
  }

  /** Starts the first one again that dies; no other one is to die any more. */
  private static final class Reviver {
    private final List<NodeProcess> watched;
    private final Thread thread = new Thread(this::watch, "reviver");
    private volatile boolean stopped;
    private final AtomicInteger deaths = new AtomicInteger();

    Reviver(List<NodeProcess> watched) {
      this.watched = watched;
      thread.start();
    }

    private void watch() {
      while (!stopped) {
        Optional<NodeProcess> dead = watched.stream().filter(each -> !each.isAlive()).findFirst();
        if (dead.isPresent()) {
          deaths.incrementAndGet();
          watched.forEach(each -> each.haltAt(""));
          dead.get().awaitDeath();
          dead.get().restart();
        } else {
          LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
        }
      }
    }

    void stop() throws InterruptedException {
      stopped = true;
      thread.join();
      watched.forEach(each -> each.haltAt(""));
    }

    int deaths() {
      return deaths.get();
    }
  }

  private static void isWhole(Path file) throws IOException {
    assertThat(Content.sha256HexOf(file)).isEqualTo(CONTENT.sha256Hex());
  }

  private static List<String> staged(NodeProcess node) throws IOException {
    try (Stream<Path> found = Files.list(node.staging())) {
      return found
          .map(each -> each.getFileName().toString())
          .filter(each -> each.endsWith(".part"))
          .toList();
    }
  }
}
