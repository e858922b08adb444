package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.admin.Operations;
import io.theseus.admin.Operations.BackupView;
import io.theseus.admin.Operations.Verification;
import io.theseus.testing.PacketSocket.Refused;
import io.theseus.testing.PacketSocket.Said;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nodes see to it that files stay what was stored, on as many nodes as are wanted. */
@Tag("once") // says nothing of a version of Java
final class RepairNodeTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int MIB = 1 << 20;

  @TempDir Path directory;
  private @Nullable TestCluster started;

  @AfterEach
  void stop() {
    TestCluster running = started;
    if (running != null) {
      running.close();
    }
  }

  private TestCluster cluster() {
    return Objects.requireNonNull(started);
  }

  private void start(int nodes, String... pairs) throws Exception {
    started = TestCluster.of(nodes, directory);
    for (int i = 1; i <= nodes; i++) {
      startOne(i, pairs);
    }
    await().atMost(PATIENCE).until(() -> all().allMatch(each -> isReady(each, nodes)));
  }

  private void startOne(int node, String... pairs) throws Exception {
    Stream<String> common = Stream.of("backup.factor=1", "repair.after=1s", "repair.scrub-every=0");
    cluster().start(node, Stream.concat(common, Stream.of(pairs)).toArray(String[]::new));
  }

  private Stream<Node> all() {
    return IntStream.rangeClosed(1, 9)
        .filter(i -> cluster().isRunning(i))
        .mapToObj(cluster()::node);
  }

  private static boolean isReady(Node node, int nodes) {
    return node.names().isSettled()
        && node.names().missing().isEmpty()
        && node.backups().size() == nodes - 1;
  }

  private Path file(int node, String name) {
    return directory.resolve("node" + node).resolve("files").resolve(name);
  }

  private Set<Integer> holders(String name) {
    Set<Integer> holders = new TreeSet<>();
    IntStream.rangeClosed(1, 9).filter(i -> Files.exists(file(i, name))).forEach(holders::add);
    return holders;
  }

  private String put(int node, String name, byte[] bytes) throws IOException {
    try (RawClient client = RawClient.connect(cluster().node(node))) {
      RawClient.Sending sending = client.put("PUT " + name + "\nSize: " + bytes.length + "\n");
      client.write(sending, bytes, bytes.length);
      return client.complete(sending, bytes.length).field("Identity");
    }
  }

  private static byte[] random(int length) {
    byte[] bytes = new byte[length];
    new Random(7).nextBytes(bytes);
    return bytes;
  }

  private static byte[] text(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private Operations operations(int node) {
    return cluster().node(node).operations();
  }

  private static Operations.Order order() {
    return new Operations.Order("test", Set.of(), Optional.empty());
  }

  /** Reads all files of all nodes, and waits for that. */
  private List<Verification> verify(String prefix) throws Exception {
    operations(1).verify(prefix, order());
    await()
        .atMost(PATIENCE)
        .until(() -> operations(1).verification().stream().noneMatch(Verification::running));
    return operations(1).verification();
  }

  /** The disk changes some bytes; it says nothing, and nothing else of the file changes. */
  private static void rot(Path file, long at) throws IOException {
    FileTime modified = Files.getLastModifiedTime(file);
    try (RandomAccessFile access = new RandomAccessFile(file.toFile(), "rw")) {
      access.seek(at);
      int there = access.read();
      access.seek(at);
      access.write(there ^ 0x10);
    }
    Files.setLastModifiedTime(file, modified);
  }

  private long copiedTo(int node) {
    return cluster().node(node).status().counters().getOrDefault("copied-bytes", 0L);
  }

  private Optional<BackupView> backup(int asked, String node) throws Exception {
    return operations(asked).backups().backups().stream()
        .filter(each -> each.node().equals(node))
        .findFirst();
  }

  // ---- on too few nodes

  @Test
  void shouldCopyWhatADeadNodeHad() throws Exception {
    start(3);
    byte[] content = random(3 * MIB + 17);
    String identity = put(1, "a/large", content);
    put(1, "a/small", text("small"));
    Set<Integer> before = holders("a/large");
    assertThat(before).hasSize(2).contains(1);
    int dead = before.stream().filter(each -> each != 1).findFirst().orElseThrow();
    int other = 5 - dead;

    cluster().stop(dead);

    await().atMost(PATIENCE).until(() -> holders("a/large").contains(other));
    await().atMost(PATIENCE).until(() -> holders("a/small").contains(other));
    assertThat(file(other, "a/large")).hasBinaryContent(content);
    assertThat(Files.getLastModifiedTime(file(other, "a/large")))
        .isEqualTo(Files.getLastModifiedTime(file(1, "a/large")));
    assertThat(stat(other, "a/large").field("Identity")).isEqualTo(identity);
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              var files = cluster().node(1).status();
              assertThat(files.files().shortOfCopies()).isZero();
              assertThat(files.files().copiedFiles()).isPositive();
            });
  }

  private Said stat(int node, String name) throws IOException {
    try (RawClient client = RawClient.connect(cluster().node(node))) {
      client.info("STAT " + name + "\n");
      return (Said) client.next();
    }
  }

  @Test
  void shouldCopyWhatAPersonPutHere() throws Exception {
    start(2);
    Path made = file(1, "by/hand");
    Files.createDirectories(made.getParent());
    Files.writeString(made, "put there by hand");
    String identity = stat(1, "by/hand").field("Identity");

    await().atMost(PATIENCE).until(() -> Files.exists(file(2, "by/hand")));

    assertThat(file(2, "by/hand")).hasContent("put there by hand");
    assertThat(stat(2, "by/hand").field("Identity")).isEqualTo(identity).startsWith("s17-t");
    assertThat(stat(1, "by/hand").field("Identity")).isEqualTo(identity);
  }

  @Test
  void shouldSayWhatNoNodeHasRoomFor() throws Exception {
    start(2);
    put(1, "f", text("one"));
    cluster().stop(2);
    put(1, "g", text("another"));

    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(cluster().node(1).status().parts())
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
    start(2);
    byte[] content = random(2 * MIB);
    put(1, "f", content);
    put(1, "g", text("another"));
    cluster().stop(2);
    try (Stream<Path> all = Files.walk(directory.resolve("node2"))) {
      all.sorted(java.util.Comparator.reverseOrder()).forEach(each -> each.toFile().delete());
    }
    startOne(2);

    await().atMost(PATIENCE).until(() -> holders("f").size() == 2 && holders("g").size() == 2);
    assertThat(file(2, "f")).hasBinaryContent(content);
  }

  // ---- emptied

  @Test
  void shouldBringFilesElsewhereBeforeANodeIsEmpty() throws Exception {
    start(3);
    for (int i = 0; i < 12; i++) {
      put(1 + i % 3, "d/" + i, text("file " + i));
    }

    operations(1).drain("node2", true, order());

    await().atMost(PATIENCE).until(() -> backup(1, "node2").orElseThrow().filesLeft() == 0);
    for (int i = 0; i < 12; i++) {
      assertThat(holders("d/" + i)).containsExactly(1, 3);
      assertThat(file(3, "d/" + i)).hasContent("file " + i);
    }
    put(2, "d/late", text("by a client of the emptied node"));
    await()
        .atMost(PATIENCE)
        .until(() -> holders("d/late").equals(Set.of(1, 3))); // its own goes, too
  }

  @Test
  void shouldKeepWhatThereIsNoOtherPlaceFor() throws Exception {
    start(2);
    put(1, "f", text("two copies are wanted"));

    operations(1).drain("node2", true, order());

    await().atMost(PATIENCE).until(() -> backup(1, "node2").orElseThrow().filesLeft() == 1);
    assertThat(holders("f")).containsExactly(1, 2);
  }

  // ---- rotten

  @Test
  void shouldRepairBlocksFromAnotherNode() throws Exception {
    start(2);
    byte[] content = random(16 * MIB + 5);
    String identity = put(1, "r/large", content);
    put(1, "r/sound", text("sound"));
    rot(file(1, "r/large"), 5 * MIB + 100);
    long before = copiedTo(1);

    List<Verification> nodes = verify("r/");

    assertThat(file(1, "r/large")).hasBinaryContent(content);
    assertThat(nodes).hasSize(2);
    assertThat(nodes.get(0).failure()).isEmpty();
    assertThat(nodes.get(0).files()).isEqualTo(2);
    assertThat(nodes.get(0).bytes()).isEqualTo(nodes.get(0).totalBytes());
    assertThat(nodes.get(0).rotten()).isEqualTo(1);
    assertThat(nodes.get(0).repaired()).isEqualTo(1);
    assertThat(nodes.get(0).findings())
        .containsExactly(new Operations.RottenFile("r/large", "node2", ""));
    assertThat(nodes.get(1).rotten()).isZero();
    // the first block, with which the sums come, the rotten one, and the last, which is no whole
    // one
    assertThat(copiedTo(1) - before).isEqualTo(2 * MIB + 5);
    assertThat(stat(1, "r/large").field("Identity")).isEqualTo(identity);
    assertThat(verify("").get(0).rotten()).isZero();
  }

  @Test
  void shouldNotServeWhatIsRottenEverywhere() throws Exception {
    start(2);
    put(1, "r/lost", random(MIB));
    rot(file(1, "r/lost"), 3);
    rot(file(2, "r/lost"), 4);

    List<Verification> nodes = verify("");

    assertThat(nodes.get(0).repaired()).isZero();
    assertThat(nodes.get(0).findings().get(0).reason())
        .isIn("node2: it is rotten there, too", "no other node that can be reached has it");
    try (RawClient client = RawClient.connect(cluster().node(1))) {
      client.info("GET r/lost\n");
      assertThat(((Refused) client.next()).text())
          .contains("\"r/lost\" is rotten: it is not what was stored (expected: a repair");
    }
    assertThat(cluster().node(1).status().parts())
        .anySatisfy(
            part -> {
              assertThat(part.name()).isEqualTo("files");
              assertThat(part.state()).isEqualTo("rotten");
              assertThat(part.reason()).contains("1 are not what was stored").contains("r/lost");
            });
    // an upload anew takes its place
    put(1, "r/lost", text("new"));
    assertThat(verify("").get(0).rotten()).isZero();
  }

  @Test
  void shouldSendWhoGetsARottenFileToASoundOne() throws Exception {
    start(2, "node.roles=control,backup");
    byte[] content = random(MIB);
    put(1, "r/served", content);
    rot(file(1, "r/served"), 3);
    io.theseus.store.Contents contents = cluster().node(1).store().contents();
    io.theseus.wire.FileName name = io.theseus.wire.FileName.parse("r/served");
    contents.condemn(name, contents.check(name, bytes -> {}));

    try (RawClient client = RawClient.connect(cluster().node(1))) {
      client.info("GET r/served\n");
      Said said = (Said) client.next();
      assertThat(said.verb()).isEqualTo("MIGRATE");
      assertThat(said.field("Node")).isEqualTo(cluster().node(2).packetsAddress().orElseThrow());
    }
  }

  @Test
  void shouldTakeAFileThatAPersonChangedForWhatItIs() throws Exception {
    start(2);
    put(1, "changed", text("as it was stored"));
    Files.writeString(file(1, "changed"), "as a person wanted it");
    Files.setLastModifiedTime(file(1, "changed"), FileTime.from(Instant.now().minusSeconds(9)));

    assertThat(verify("").get(0).rotten()).isZero();

    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(file(2, "changed")).hasContent("as a person wanted it"));
  }
}
