package io.theseus.recovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.testing.Content;
import io.theseus.testing.NodeProcess;
import io.theseus.testing.ProcessCluster;
import io.theseus.testing.RawPut;
import io.theseus.testing.RawTransfer;
import java.io.IOException;
import java.io.UncheckedIOException;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Three processes, one of which receives an upload that another one copies; who receives it, or who
 * copies it, is killed at a step of either, alone, with all others, or before the other one is.
 * Whoever it was, the client goes on and ends with a COMPLETE, and the file is whole on two nodes;
 * what was decided is finished even where the client does not come back.
 */
@Tag("processes")
@Tag("once") // says nothing of a version of Java
final class BackupKillTest {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final int PACKET = 256 << 10;
  private static final Content CONTENT = Content.random(13, 20 << 20);

  private static ProcessCluster cluster;
  private static int number;

  /**
   * Who is killed, and at which step.
   *
   * @param all whether all others are, too, at that moment
   * @param then where the other kind of node is killed behind that; empty for nowhere
   */
  record Death(boolean owner, String point, boolean all, String then) {
    static Death alone(boolean owner, String point) {
      return new Death(owner, point, /* all= */ false, "");
    }

    static Death ofAll(boolean owner, String point) {
      return new Death(owner, point, /* all= */ true, "");
    }

    int count() {
      return then.isEmpty() ? 1 : 2;
    }

    @Override
    public String toString() {
      return (owner ? "who receives" : "who copies")
          + " at "
          + point
          + (all ? ", with all others" : "")
          + (then.isEmpty() ? "" : ", then the other one at " + then);
    }
  }

  @BeforeAll
  static void start(@TempDir Path directory) {
    cluster =
        ProcessCluster.start(
            3, directory, "backup.factor=1", "backup.when-missing=wait", "session.keep=60s");
  }

  @AfterAll
  static void stop() {
    try {
      await("nothing is left behind")
          .atMost(PATIENCE)
          .untilAsserted(
              () -> {
                for (NodeProcess node : cluster.nodes()) {
                  assertThat(staged(node)).isEmpty();
                }
              });
    } finally {
      cluster.close();
    }
  }

  /** At each point of copying, and one of the commit: now one node alone, now all of them. */
  static Stream<Death> deaths() {
    return Stream.of(
        Death.alone(/* owner= */ true, "put.sealed"),
        Death.ofAll(/* owner= */ true, "put.decided"),
        Death.alone(/* owner= */ true, "commit.renamed"),
        Death.ofAll(/* owner= */ true, "commit.directory-synced"),
        Death.ofAll(/* owner= */ true, "put.committed"),
        Death.ofAll(/* owner= */ true, "put.complete-sent"),
        Death.alone(/* owner= */ false, "backup.synced"),
        Death.ofAll(/* owner= */ false, "backup.marked"),
        Death.alone(/* owner= */ false, "backup.sealed"),
        Death.ofAll(/* owner= */ false, "backup.commit"),
        Death.alone(/* owner= */ false, "backup.committed"),
        new Death(/* owner= */ false, "backup.sealed", /* all= */ false, "put.decided"));
  }

  /** The other way round. */
  static Stream<Death> otherDeaths() {
    return Stream.of(
        Death.ofAll(/* owner= */ true, "put.sealed"),
        Death.alone(/* owner= */ true, "put.decided"),
        Death.ofAll(/* owner= */ true, "commit.renamed"),
        Death.ofAll(/* owner= */ false, "commit.renamed"),
        Death.ofAll(/* owner= */ false, "commit.directory-synced"),
        Death.alone(/* owner= */ false, "backup.marked"),
        Death.ofAll(/* owner= */ false, "backup.sealed"),
        Death.alone(/* owner= */ false, "backup.commit"),
        Death.ofAll(/* owner= */ false, "backup.committed"),
        new Death(/* owner= */ true, "put.decided", /* all= */ false, "backup.committed"));
  }

  @ParameterizedTest
  @MethodSource("otherDeaths")
  @Tag("soak")
  @Tag("kill-points")
  void shouldCompleteWhoeverElseDies(Death death) throws Exception {
    shouldCompleteWhoeverDies(death);
  }

  @ParameterizedTest
  @MethodSource("deaths")
  void shouldCompleteWhoeverDies(Death death) throws Exception {
    cluster.awaitAll();
    NodeProcess owner = cluster.node(1);
    List<NodeProcess> others = cluster.nodes().subList(1, 3);
    List<NodeProcess> dying = death.owner() ? List.of(owner) : others;
    String name = "out-" + number++;
    RawPut put = new RawPut(name, CONTENT, /* sized= */ true, PACKET, 1 << 20);
    for (NodeProcess node : dying) {
      node.haltAt(death.point());
    }
    Reviver reviver =
        new Reviver(death, dying, death.owner() ? others : List.of(owner), cluster.nodes());
    try {
      await("it completes")
          .atMost(PATIENCE)
          .ignoreExceptions()
          .until(() -> put.run(owner.address()) == RawTransfer.End.COMPLETE);
      // its COMPLETE may come before it is seen that who sent it has died
      await("deaths, " + death).atMost(PATIENCE).until(() -> reviver.deaths() == death.count());
    } finally {
      reviver.stop();
    }
    assertThat(reviver.deaths()).as("deaths, %s", death).isEqualTo(death.count());
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
    await("who asks again is told the same")
        .atMost(PATIENCE)
        .until(() -> put.run(owner.address()) == RawTransfer.End.COMPLETE);
  }

  @Test
  void shouldFinishWhatWasDecidedThoughItsClientIsGone() throws Exception {
    cluster.awaitAll();
    NodeProcess owner = cluster.node(1);
    String name = "out-" + number++;
    RawPut put = new RawPut(name, CONTENT, /* sized= */ true, PACKET, 1 << 20);
    owner.haltAt("put.decided");
    assertThat(put.run(owner.address())).isEqualTo(RawTransfer.End.LOST);
    owner.awaitDeath();
    owner.restart();
    await("it is finished")
        .atMost(PATIENCE)
        .until(
            () ->
                Files.exists(owner.files().resolve(name))
                    && cluster.nodes().stream().allMatch(node -> staged(node).isEmpty()));
    assertThat(
            cluster.nodes().stream().map(node -> node.files().resolve(name)).filter(Files::exists))
        .hasSize(2)
        .allSatisfy(BackupKillTest::isWhole);
    // and the client, should it come, hears of that
    assertThat(put.run(owner.address())).isEqualTo(RawTransfer.End.COMPLETE);
  }

  @Test
  void shouldTakeNothingFromALifeOfWhichNothingWasMarked() throws Exception {
    cluster.awaitAll();
    NodeProcess owner = cluster.node(1);
    String name = "out-" + number++;
    RawPut before = new RawPut(name, CONTENT, /* sized= */ true, PACKET, 1 << 20);
    owner.haltAt("session.synced"); // the copy has marked what it has by then
    assertThat(before.run(owner.address())).isEqualTo(RawTransfer.End.LOST);
    assertThat(before.acknowledged()).isZero();
    owner.awaitDeath();
    owner.restart();
    Content other = Content.random(14, CONTENT.size());
    RawPut put = new RawPut(before.session(), name, other, /* sized= */ true, PACKET, 1 << 20);
    assertThat(put.run(owner.address())).isEqualTo(RawTransfer.End.COMPLETE);
    assertThat(
            cluster.nodes().stream().map(node -> node.files().resolve(name)).filter(Files::exists))
        .hasSize(2)
        .allSatisfy(file -> assertThat(Content.sha256HexOf(file)).isEqualTo(other.sha256Hex()));
    // they were never taken for bytes of this life, which sums would have had to find
    assertThat(cluster.nodes())
        .noneSatisfy(node -> assertThat(node.log()).contains("another CRC32C"));
  }

  /** Starts those again that die, as often as somebody is to. */
  private static final class Reviver {
    private final Death death;
    private final List<NodeProcess> others;
    private final List<NodeProcess> all;
    private volatile List<NodeProcess> watched;
    private final Thread thread = new Thread(this::watch, "reviver");
    private volatile boolean stopped;
    private final AtomicInteger deaths = new AtomicInteger();

    Reviver(
        Death death, List<NodeProcess> watched, List<NodeProcess> others, List<NodeProcess> all) {
      this.death = death;
      this.watched = watched;
      this.others = others;
      this.all = all;
      thread.start();
    }

    private void watch() {
      while (!stopped) {
        Optional<NodeProcess> dead = watched.stream().filter(each -> !each.isAlive()).findFirst();
        if (dead.isPresent()) {
          boolean first = deaths.incrementAndGet() == 1;
          watched.forEach(each -> each.haltAt(""));
          dead.get().awaitDeath();
          List<NodeProcess> dying = death.all() ? all : List.of(dead.get());
          dying.stream().filter(NodeProcess::isAlive).forEach(NodeProcess::kill);
          if (first && !death.then().isEmpty()) {
            others.forEach(each -> each.haltAt(death.then()));
            watched = others;
          }
          dying.parallelStream().forEach(NodeProcess::restart);
        } else {
          LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
        }
      }
    }

    void stop() throws InterruptedException {
      stopped = true;
      thread.join();
      all.forEach(each -> each.haltAt(""));
    }

    int deaths() {
      return deaths.get();
    }
  }

  private static void isWhole(Path file) throws IOException {
    assertThat(Content.sha256HexOf(file)).isEqualTo(CONTENT.sha256Hex());
  }

  private static List<String> staged(NodeProcess node) {
    try (Stream<Path> found = Files.list(node.staging())) {
      return found
          .map(each -> each.getFileName().toString())
          .filter(each -> each.endsWith(".part"))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
