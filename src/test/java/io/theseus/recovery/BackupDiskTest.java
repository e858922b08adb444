package io.theseus.recovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.admin.Operations;
import io.theseus.node.TestCluster;
import io.theseus.testing.Content;
import io.theseus.testing.NodeProcess;
import io.theseus.testing.PacketSocket;
import io.theseus.testing.PacketSocket.Offset;
import io.theseus.testing.PacketSocket.Packet;
import io.theseus.testing.PacketSocket.Said;
import io.theseus.testing.RawPut;
import io.theseus.testing.RawTransfer.End;
import io.theseus.testing.SmallDisk;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Disks under copies that are full, and bits in them that rot; rows 8 and 10 of the faults. The
 * client is told where that costs it a copy, and gets its COMPLETE; nothing rotten is ever named.
 */
@Tag("processes")
@Tag("once") // says nothing of a version of Java
final class BackupDiskTest {
  private static final Duration PATIENCE = Duration.ofMinutes(4);
  private static final int MIB = 1 << 20;
  private static final int PACKET = 256 << 10;
  private static final Content CONTENT = Content.random(16, 24 * MIB);

  private final List<NodeProcess> nodes = new ArrayList<>();

  @TempDir Path directory;

  private void start(int size, String... settings) {
    List<Integer> ports = TestCluster.freePorts(size);
    String seeds = String.join(",", ports.stream().map(port -> "127.0.0.1:" + port).toList());
    List<String> names = new ArrayList<>();
    for (int i = 1; i <= size; i++) {
      names.add("node" + i);
    }
    for (int i = 1; i <= size; i++) {
      List<String> all =
          new ArrayList<>(
              List.of(
                  "node.id=node" + i,
                  "cluster.port=" + ports.get(i - 1),
                  "cluster.nodes=" + String.join(",", names),
                  "cluster.seed-nodes=" + seeds,
                  "cluster.catch-up=0",
                  "backup.factor=1",
                  "modules.lab-key=" + directory.resolve("lab.key")));
      if (i > 1) {
        all.addAll(List.of(settings));
      }
      nodes.add(NodeProcess.start(directory.resolve("node" + i), all.toArray(String[]::new)));
    }
    awaitBackups(size - 1);
  }

  @AfterEach
  void stop() {
    nodes.forEach(NodeProcess::close);
  }

  private NodeProcess node(int number) {
    return nodes.get(number - 1);
  }

  private void awaitBackups(int count) {
    await()
        .atMost(PATIENCE)
        .ignoreExceptions()
        .until(() -> node(1).status().backups().known() == count);
  }

  private RawPut put(String name) {
    return new RawPut(name, CONTENT, /* sized= */ true, PACKET, MIB);
  }

  private static Path part(NodeProcess node, RawPut put) {
    return node.staging().resolve(put.session() + ".part");
  }

  private static boolean has(NodeProcess node, RawPut put) throws IOException {
    Path file = node.files().resolve(put.name());
    return Files.exists(file) && Content.sha256HexOf(file).equals(put.content().sha256Hex());
  }

  /** Row 8. */
  @Test
  void shouldGoOnWithoutACopyWhereTheDiskOfTheOnlyBackupIsFullAndMakeOneAgain() throws Exception {
    try (SmallDisk disk = SmallDisk.tmpfs(directory.resolve("disk"), "size=160m")) {
      // its journal has its own room
      start(2, "store.root=" + disk.path());
      RawPut full = put("full");
      assertThat(full.run(node(1).address(), CONTENT.size() / 3)).isEqualTo(End.LEFT);
      assertThat(disk.path().resolve(".theseus-staging").resolve(full.session() + ".part"))
          .exists();
      Path ballast = disk.fill(MIB);

      List<String> notes = new ArrayList<>();
      finish(full, notes);
      assertThat(notes)
          .containsExactly(
              "NOTICE\nText: 0 of 1 copies have all that was acknowledged\nReplication: under\n");
      assertThat(has(node(1), full)).isTrue();
      assertThat(disk.path().resolve("full")).doesNotExist();
      assertThat(node(1).log())
          .containsPattern(
              Pattern.quote("session " + full.session() + ": copy on node node2 lost: no-space: ")
                  + ".*\\(expected: .*\\)");
      assertThat(node(2).isAlive()).as("the node whose disk is full").isTrue();
      await("nothing is left of it where there is no room")
          .atMost(PATIENCE)
          .untilAsserted(
              () ->
                  assertThat(
                          disk.path().resolve(".theseus-staging").resolve(full.session() + ".part"))
                      .doesNotExist());

      Files.delete(ballast);
      await("there is room again")
          .atMost(PATIENCE)
          .ignoreExceptions() // it isn't there
          .untilAsserted(
              () -> {
                RawPut again = put("again");
                assertThat(again.run(node(1).address())).isEqualTo(End.COMPLETE);
                assertThat(Content.sha256HexOf(disk.path().resolve("again")))
                    .isEqualTo(CONTENT.sha256Hex());
              });
    }
  }

  /** Sends the rest, and gathers what a client is told meanwhile. */
  private void finish(RawPut put, List<String> notes) throws IOException {
    try (PacketSocket socket = new PacketSocket(node(1).address())) {
      socket.socket().setSoTimeout((int) PATIENCE.toMillis());
      socket.info(put.command());
      long sent = -1;
      while (true) {
        Packet packet = socket.next();
        if (packet instanceof Said said && said.verb().equals("COMPLETE")) {
          assertThat(said.field("SHA-256")).isEqualTo(CONTENT.sha256Hex());
          return;
        } else if (packet instanceof Said said && said.verb().equals("NOTICE")) {
          notes.add(said.text());
        } else if (packet instanceof Offset offset) {
          // packet by packet, as the document has it
          assertThat(offset.offset()).isGreaterThan(sent);
          sent = offset.offset();
          int length = (int) Math.min(PACKET, CONTENT.size() - sent);
          if (length > 0) {
            socket.data(CONTENT, sent, length);
          }
        }
      }
    }
  }

  /** Row 10, where the copy is. */
  @Test
  void shouldFindABitThatRotsInACopyBeforeItHasItsName() throws Exception {
    start(3);
    RawPut put = put("rotten-there");
    assertThat(put.run(node(1).address(), CONTENT.size() / 2)).isEqualTo(End.LEFT);
    int holder = Files.exists(part(node(2), put)) ? 2 : 3;
    node(5 - holder).kill(); // nobody else is to be chosen
    node(holder).kill();
    flip(part(node(holder), put), MIB + 17);
    awaitBackups(0);
    node(holder).restart();
    awaitBackups(1);
    await("it goes on with what it has")
        .atMost(PATIENCE)
        .until(() -> node(1).status().counters().getOrDefault("short-of-copies", -1L) == 0);
    await().atMost(PATIENCE).until(() -> put.run(node(1).address()) == End.COMPLETE);
    String reason = "internal: block 1 of 1 MiB has another CRC32C than where it came from";
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(node(holder).log())
                    .contains("backup of " + put.session() + ": " + reason));
    assertThat(node(1).log())
        .contains("session " + put.session() + ": copy on node node" + holder + " lost: " + reason);
    assertThat(has(node(1), put)).isTrue();
    Path copy = node(holder).files().resolve(put.name());
    assertThat(Files.notExists(copy) || has(node(holder), put)).as("a rotten copy").isTrue();
  }

  /** Row 10, where it came. */
  @Test
  void shouldNotSpreadABitThatRotsWhereAnUploadCame() throws Exception {
    start(3);
    RawPut put = put("rotten-here");
    assertThat(put.run(node(1).address(), CONTENT.size() / 2)).isEqualTo(End.LEFT);
    int holder = Files.exists(part(node(2), put)) ? 2 : 3;
    flip(part(node(1), put), 3 * MIB + 17);
    node(1).operations().drain("node" + holder, /* drain= */ true, Operations.Order.by("ann"));
    String reason = "internal: block 3 of 1 MiB has another CRC32C than where it came from";
    await("the other one gets it from the beginning, and refuses it")
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(node(1).log())
                    .contains(
                        "session "
                            + put.session()
                            + ": copy on node node"
                            + (5 - holder)
                            + " lost: "
                            + reason));
    assertThat(part(node(holder), put)).as("the copy that is good").exists();
    await().atMost(PATIENCE).until(() -> put.run(node(1).address()) == End.COMPLETE);
    assertThat(has(node(holder), put)).as("the copy that is good").isTrue();
    assertThat(node(5 - holder).files().resolve(put.name())).doesNotExist();
  }

  private static void flip(Path file, long at) throws IOException {
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.seek(at);
      int is = bytes.read();
      bytes.seek(at);
      bytes.write(is ^ 1);
    }
  }
}
