package io.theseus.node;

import static io.theseus.node.RepairCluster.MIB;
import static io.theseus.node.RepairCluster.PATIENCE;
import static io.theseus.node.RepairCluster.order;
import static io.theseus.node.RepairCluster.random;
import static io.theseus.node.RepairCluster.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.admin.NodeStatus;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nodes see to it that files are on as many nodes as are wanted. */
@Tag("once") // says nothing of a version of Java
final class RepairNodeTest {
  @TempDir Path directory;
  private @Nullable RepairCluster started;

  @AfterEach
  void stop() {
    RepairCluster running = started;
    if (running != null) {
      running.close();
    }
  }

  private RepairCluster start(int size, String... pairs) throws Exception {
    RepairCluster nodes = new RepairCluster(size, directory, pairs);
    started = nodes;
    nodes.startAll();
    return nodes;
  }

  // ---- on too few nodes

  @Test
  void shouldCopyWhatADeadNodeHad() throws Exception {
    RepairCluster nodes = start(3);
    byte[] content = random(3 * MIB + 17);
    String identity = nodes.put(1, "a/large", content);
    nodes.put(1, "a/small", text("small"));
    Set<Integer> before = nodes.holders("a/large");
    assertThat(before).hasSize(2).contains(1);
    int dead = before.stream().filter(each -> each != 1).findFirst().orElseThrow();
    int other = 5 - dead;

    nodes.cluster.stop(dead);

    await().atMost(PATIENCE).until(() -> nodes.holders("a/large").contains(other));
    await().atMost(PATIENCE).until(() -> nodes.holders("a/small").contains(other));
    assertThat(nodes.file(other, "a/large")).hasBinaryContent(content);
    assertThat(Files.getLastModifiedTime(nodes.file(other, "a/large")))
        .isEqualTo(Files.getLastModifiedTime(nodes.file(1, "a/large")));
    assertThat(nodes.stat(other, "a/large").field("Identity")).isEqualTo(identity);
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              NodeStatus files = nodes.cluster.node(1).status();
              assertThat(files.files().shortOfCopies()).isZero();
              assertThat(files.files().copiedFiles()).isPositive();
            });
  }

  @Test
  void shouldSayWhatNoNodeHasRoomFor() throws Exception {
    RepairCluster nodes = start(2);
    nodes.put(1, "f", text("one"));
    nodes.cluster.stop(2);
    nodes.put(1, "g", text("another"));

    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(nodes.cluster.node(1).status().parts())
                    .anySatisfy(
                        part -> {
                          assertThat(part.name()).isEqualTo("files");
                          assertThat(part.state()).isEqualTo("short");
                          assertThat(part.reason())
                              .isEqualTo("2 are on fewer nodes than theseus.backup.factor wants");
                        }));
  }

  @Test
  void shouldFillADirectoryThatWasLost() throws Exception {
    RepairCluster nodes = start(2);
    byte[] content = random(2 * MIB);
    nodes.put(1, "f", content);
    nodes.put(1, "g", text("another"));
    nodes.cluster.stop(2);
    try (Stream<Path> all = Files.walk(directory.resolve("node2"))) {
      all.sorted(Comparator.reverseOrder()).forEach(each -> each.toFile().delete());
    }
    nodes.startOne(2);

    await()
        .atMost(PATIENCE)
        .until(() -> nodes.holders("f").size() == 2 && nodes.holders("g").size() == 2);
    assertThat(nodes.file(2, "f")).hasBinaryContent(content);
  }

  // ---- emptied

  @Test
  void shouldBringFilesElsewhereBeforeANodeIsEmpty() throws Exception {
    RepairCluster nodes = start(3);
    for (int i = 0; i < 12; i++) {
      nodes.put(1 + i % 3, "d/" + i, text("file " + i));
    }

    nodes.operations(1).drain("node2", true, order());

    await().atMost(PATIENCE).until(() -> nodes.backup(1, "node2").orElseThrow().filesLeft() == 0);
    for (int i = 0; i < 12; i++) {
      assertThat(nodes.holders("d/" + i)).containsExactly(1, 3);
      assertThat(nodes.file(3, "d/" + i)).hasContent("file " + i);
    }
    nodes.put(2, "d/late", text("by a client of the emptied node"));
    await()
        .atMost(PATIENCE)
        .until(() -> nodes.holders("d/late").equals(Set.of(1, 3))); // its own goes, too

    // what it let go of comes back, where it is wanted again
    nodes.operations(1).drain("node2", false, order());
    nodes.cluster.stop(3);
    for (int i = 0; i < 12; i++) {
      String name = "d/" + i;
      await().atMost(PATIENCE).until(() -> nodes.holders(name).contains(2));
      assertThat(nodes.file(2, name)).hasContent("file " + i);
    }
  }

  /** It comes to a node that nobody has told of the newer one, as it had none. */
  @Test
  void shouldNotLeaveAnOldOneWhereAFileIsReplacedWhileItIsCopied() throws Exception {
    RepairCluster nodes = start(3, "repair.copy-bandwidth=64KiB");
    nodes.put(1, "f", random(MIB)); // 16 s
    int dead = nodes.holders("f").contains(2) ? 2 : 3;
    int other = 5 - dead;
    nodes.cluster.stop(dead);
    await().atMost(PATIENCE).until(() -> nodes.isCopying(other));
    nodes.operations(1).drain("node" + other, true, order()); // gets no copy of what comes now
    await().atMost(PATIENCE).until(() -> nodes.backup(1, "node" + other).orElseThrow().draining());

    nodes.put(1, "f", text("new"));

    await()
        .atMost(PATIENCE)
        .until(() -> !nodes.isCopying(other) && !Files.exists(nodes.file(other, "f")));
    assertThat(nodes.file(1, "f")).hasContent("new");

    // that copies take long is no reason to look the less often
    nodes.operations(1).drain("node" + other, false, order());
    await().atMost(PATIENCE).until(() -> Files.exists(nodes.file(other, "f")));
    assertThat(nodes.file(other, "f")).hasContent("new");
  }

  @Test
  void shouldKeepWhatThereIsNoOtherPlaceFor() throws Exception {
    RepairCluster nodes = start(2);
    nodes.put(1, "f", text("two copies are wanted"));

    nodes.operations(1).drain("node2", true, order());

    await().atMost(PATIENCE).until(() -> nodes.backup(1, "node2").orElseThrow().filesLeft() == 1);
    assertThat(nodes.holders("f")).containsExactly(1, 2);
  }
}
