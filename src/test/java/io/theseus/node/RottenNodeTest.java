package io.theseus.node;

import static io.theseus.node.RepairCluster.MIB;
import static io.theseus.node.RepairCluster.PATIENCE;
import static io.theseus.node.RepairCluster.random;
import static io.theseus.node.RepairCluster.rot;
import static io.theseus.node.RepairCluster.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.admin.Operations;
import io.theseus.admin.Operations.Verification;
import io.theseus.store.Contents;
import io.theseus.testing.PacketSocket.Refused;
import io.theseus.testing.PacketSocket.Said;
import io.theseus.wire.FileName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Nodes see to it that files stay what was stored. Two nodes for all cases: each leaves all sound.
 */
@Tag("once") // says nothing of a version of Java
final class RottenNodeTest {
  private static RepairCluster nodes;

  @BeforeAll
  static void start(@TempDir Path directory) throws Exception {
    nodes = new RepairCluster(2, directory);
    nodes.startAll();
  }

  @AfterAll
  static void stop() {
    nodes.close();
  }

  @Test
  void shouldRepairBlocksFromAnotherNode() throws Exception {
    byte[] content = random(16 * MIB + 5);
    String identity = nodes.put(1, "blocks/large", content);
    nodes.put(1, "blocks/sound", text("sound"));
    rot(nodes.file(1, "blocks/large"), 5 * MIB + 100);
    long before = nodes.copiedTo(1);

    List<Verification> read = nodes.verify("blocks/");

    assertThat(nodes.file(1, "blocks/large")).hasBinaryContent(content);
    assertThat(read).hasSize(2);
    assertThat(read.get(0).failure()).isEmpty();
    assertThat(read.get(0).files()).isEqualTo(2);
    assertThat(read.get(0).bytes()).isEqualTo(read.get(0).totalBytes());
    assertThat(read.get(0).rotten()).isEqualTo(1);
    assertThat(read.get(0).repaired()).isEqualTo(1);
    assertThat(read.get(0).findings())
        .containsExactly(new Operations.RottenFile("blocks/large", "node2", ""));
    assertThat(read.get(1).rotten()).isZero();
    // the first block, with which the sums come, the rotten one, and the last, which is no whole
    // one
    assertThat(nodes.copiedTo(1) - before).isEqualTo(2 * MIB + 5);
    assertThat(nodes.stat(1, "blocks/large").field("Identity")).isEqualTo(identity);
    assertThat(nodes.verify("blocks/").get(0).rotten()).isZero();
  }

  @Test
  void shouldNotServeWhatIsRottenEverywhere() throws Exception {
    nodes.put(1, "r/lost", random(MIB));
    rot(nodes.file(1, "r/lost"), 3);
    rot(nodes.file(2, "r/lost"), 4);

    List<Verification> read = nodes.verify("");

    assertThat(read.get(0).repaired()).isZero();
    assertThat(read.get(0).findings().get(0).reason())
        .isIn("node2: it is rotten there, too", "no other node that can be reached has it");
    try (RawClient client = RawClient.connect(nodes.cluster.node(1))) {
      client.info("GET r/lost\n");
      assertThat(((Refused) client.next()).text())
          .contains("\"r/lost\" is rotten: it is not what was stored (expected: a repair");
    }
    assertThat(nodes.cluster.node(1).status().parts())
        .anySatisfy(
            part -> {
              assertThat(part.name()).isEqualTo("files");
              assertThat(part.state()).isEqualTo("rotten");
              assertThat(part.reason()).contains("1 are not what was stored").contains("r/lost");
            });
    // an upload anew takes its place
    nodes.put(1, "r/lost", text("new"));
    assertThat(nodes.verify("").get(0).rotten()).isZero();
  }

  @Test
  void shouldSendWhoGetsARottenFileToASoundOne(@TempDir Path directory) throws Exception {
    try (RepairCluster still = new RepairCluster(2, directory, "repair.after=1h")) {
      still.startAll();
      byte[] content = random(MIB);
      still.put(1, "r/served", content);
      rot(still.file(1, "r/served"), 3);
      Contents contents = still.cluster.node(1).store().contents();
      FileName name = FileName.parse("r/served");
      contents.condemn(name, contents.check(name, bytes -> {}));

      try (RawClient client = RawClient.connect(still.cluster.node(1))) {
        client.info("GET r/served\n");
        Said said = (Said) client.next();
        assertThat(said.verb()).isEqualTo("MIGRATE");
        assertThat(said.field("Node"))
            .isEqualTo(still.cluster.node(2).packetsAddress().orElseThrow());
      }
      assertThat(still.verify("r/served").get(0).repaired()).isOne();
    }
  }

  @Test
  void shouldRepairOnceANodeThatHasItIsBackAlsoAfterARestart() throws Exception {
    byte[] content = random(MIB);
    nodes.put(1, "r/back", content);
    nodes.cluster.stop(2);
    rot(nodes.file(1, "r/back"), 3);
    assertThat(nodes.verify("r/back").get(0).repaired()).isZero();
    nodes.cluster.stop(1);
    nodes.startOne(1);
    assertThat(nodes.cluster.node(1).store().contents().rotten())
        .containsExactly(FileName.parse("r/back"));

    nodes.startOne(2);
    await()
        .atMost(PATIENCE)
        .until(() -> nodes.cluster.node(1).store().contents().rotten().isEmpty());
    assertThat(nodes.file(1, "r/back")).hasBinaryContent(content);
    nodes.awaitAll();
  }

  @Test
  void shouldTakeAFileThatAPersonChangedForWhatItIs() throws Exception {
    nodes.put(1, "changed", text("as it was stored"));
    Files.writeString(nodes.file(1, "changed"), "as a person wanted it");
    Files.setLastModifiedTime(
        nodes.file(1, "changed"), FileTime.from(Instant.now().minusSeconds(9)));

    assertThat(nodes.verify("").get(0).rotten()).isZero();

    nodes.restart(2);
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> assertThat(nodes.file(2, "changed")).hasContent("as a person wanted it"));
  }

  @Test
  void shouldCopyWhatAPersonPutHere() throws Exception {
    Path made = nodes.file(1, "by/hand");
    Files.createDirectories(made.getParent());
    Files.writeString(made, "put there by hand");
    String identity = nodes.stat(1, "by/hand").field("Identity");

    nodes.restart(2);
    await().atMost(PATIENCE).until(() -> Files.exists(nodes.file(2, "by/hand")));

    assertThat(nodes.file(2, "by/hand")).hasContent("put there by hand");
    assertThat(nodes.stat(2, "by/hand").field("Identity")).isEqualTo(identity).startsWith("s17-t");
    assertThat(nodes.stat(1, "by/hand").field("Identity")).isEqualTo(identity);
  }
}
