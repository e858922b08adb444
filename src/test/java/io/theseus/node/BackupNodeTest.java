package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.backup.Backup;
import io.theseus.store.StoreSettings;
import io.theseus.testing.TestKeys;
import io.theseus.wire.Packets;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is received on one node is copied to others while it is received. */
@Tag("once") // says nothing of a version of Java
final class BackupNodeTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final int MIB = 1 << 20;
  private static final int SIZE = 40 * MIB;

  private static byte[] content = new byte[SIZE];
  private static Place three;

  /** A cluster in a directory of its own. */
  record Place(Path directory, TestCluster cluster) implements AutoCloseable {
    static Place start(Path directory, int size, String... pairs) throws Exception {
      Place place = new Place(directory, TestCluster.of(size, directory));
      for (int i = 1; i <= size; i++) {
        place.cluster.start(i, pairs);
      }
      place.awaitBackups(size - 1);
      return place;
    }

    void awaitBackups(int count) {
      await().atMost(PATIENCE).until(() -> cluster.node(1).backups().size() == count);
    }

    void again(int number) throws Exception {
      cluster.start(number, "backup.factor=1");
      awaitBackups(2);
    }

    RawClient connect(int number) throws IOException {
      return RawClient.connect(cluster.node(number));
    }

    private Path root(int node) {
      return directory.resolve("node" + node).resolve("files");
    }

    Path file(int node, String name) {
      return root(node).resolve(name);
    }

    /** Bytes that a node has staged, of whatever session. */
    long staged(int node) {
      try (Stream<Path> parts = Files.list(root(node).resolve(StoreSettings.STAGING))) {
        return parts
            .filter(each -> each.toString().endsWith(".part"))
            .mapToLong(each -> each.toFile().length())
            .sum();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** What each node has staged, by its number. */
    List<Long> staged() {
      return Stream.of(1, 2, 3).map(this::staged).toList();
    }

    /** The one of nodes 2 and 3 that copies the only upload that was begun since. */
    int holder(List<Long> before) {
      int holder = staged(2) > before.get(1) ? 2 : 3;
      assertThat(staged(holder)).isGreaterThan(before.get(holder - 1));
      assertThat(staged(5 - holder)).isEqualTo(before.get(4 - holder));
      return holder;
    }

    List<Integer> holders(String name) {
      return Stream.of(1, 2, 3).filter(each -> Files.exists(file(each, name))).toList();
    }

    @Override
    public void close() {
      cluster.close();
    }
  }

  @BeforeAll
  static void start(@TempDir Path directory) throws Exception {
    new Random(11).nextBytes(content);
    three = Place.start(directory, 3, "backup.factor=1");
  }

  @AfterAll
  static void stop() {
    three.close();
  }

  @Test
  void shouldKeepACopyBeforeItSaysThatAllIsThere() throws Exception {
    assertThat(three.cluster.node(1).backups())
        .extracting(Backup::node)
        .containsExactly("node2", "node3");
    List<Long> before = three.staged();
    try (RawClient client = three.connect(1)) {
      RawClient.Sending sending = client.put("PUT d/kept\nSize: " + SIZE + "\n");
      client.write(sending, content, SIZE / 2);
      // an OFFSET means: there, too
      assertThat(sending.acked()).isPositive();
      int holder = three.holder(before);
      assertThat(three.staged(holder) - before.get(holder - 1))
          .isGreaterThanOrEqualTo(sending.acked());
      assertThat(three.file(holder, "d/kept")).doesNotExist();
      client.write(sending, content, SIZE);
      client.complete(sending, SIZE);
      assertThat(three.file(1, "d/kept")).hasBinaryContent(content);
      assertThat(three.file(holder, "d/kept")).hasBinaryContent(content);
      assertThat(three.staged()).isEqualTo(before);
    }
  }

  @Test
  void shouldCopySmallOnesAndEmptyOnes() throws Exception {
    try (RawClient client = three.connect(1)) {
      for (int i = 0; i < 50; i++) {
        RawClient.Sending sending = client.put("PUT s/" + i + "\nSize: " + i + "\n");
        client.write(sending, content, i);
        client.complete(sending, i);
        List<Integer> holders = three.holders("s/" + i);
        assertThat(holders).hasSize(2).contains(1);
        assertThat(three.file(holders.get(1), "s/" + i)).hasSize(i);
      }
    }
  }

  @Test
  void shouldGoOnWithAnotherBackupAndThenWithoutOne() throws Exception {
    List<Long> before = three.staged();
    try (RawClient client = three.connect(1)) {
      RawClient.Sending sending = client.put("PUT lost\nSize: " + SIZE + "\n");
      client.write(sending, content, SIZE / 2);
      int holder = three.holder(before);
      three.cluster.stop(holder);
      client.write(sending, content, SIZE);
      client.complete(sending, SIZE);
      assertThat(three.holders("lost")).containsExactly(1, 5 - holder);
      assertThat(three.file(5 - holder, "lost")).hasBinaryContent(content);
      assertThat(client.notes())
          .containsExactly(
              "NOTICE\nText: 0 of 1 copies have all that was acknowledged\nReplication: under\n",
              "NOTICE\nText: 1 of 1 copies have all that was acknowledged\nReplication: full\n");

      sending = client.put("PUT alone\nSize: " + SIZE + "\n");
      client.write(sending, content, SIZE / 2);
      three.cluster.stop(5 - holder);
      client.write(sending, content, SIZE);
      client.complete(sending, SIZE);
      assertThat(three.holders("alone")).containsExactly(1);
      assertThat(client.notes().get(2)).startsWith("NOTICE\n").endsWith("Replication: under\n");
      assertThat(three.cluster.node(1).status().counters())
          .containsEntry("backups", 0L)
          .containsEntry("short-of-copies", 0L)
          .containsEntry("held-bytes", 0L);
    }
    three.cluster.start(2, "backup.factor=1");
    three.again(3);
  }

  @Test
  void shouldGoOnWithItsCopyAfterARestart() throws Exception {
    String command = "PUT again\nSession: " + UUID.randomUUID() + "\nSize: " + SIZE + "\n";
    List<Long> before = three.staged();
    long acked;
    try (RawClient client = three.connect(1)) {
      RawClient.Sending sending = client.put(command);
      client.write(sending, content, 30 * MIB);
      acked = sending.acked();
    }
    int holder = three.holder(before);
    three.cluster.stop(1);
    three.again(1);
    try (RawClient client = three.connect(1)) {
      RawClient.Sending sending = client.put(command + "Offset: " + acked + "\n");
      assertThat(sending.acked()).isGreaterThanOrEqualTo(acked);
      client.write(sending, content, SIZE);
      client.complete(sending, SIZE);
    }
    assertThat(three.holders("again")).containsExactly(1, holder);
    assertThat(three.file(holder, "again")).hasBinaryContent(content);
  }

  @Test
  void shouldRemoveTheCopyOfWhatIsGivenUp() throws Exception {
    List<Long> before = three.staged();
    try (RawClient client = three.connect(1)) {
      RawClient.Sending sending = client.put("PUT given-up\nSize: " + SIZE + "\n");
      client.write(sending, content, SIZE / 2);
      assertThat(three.staged()).isNotEqualTo(before);
      client.send(Packets.error("internal: the client gives up").array());
      await().atMost(PATIENCE).until(() -> three.staged().equals(before));
    }
  }

  @Test
  void shouldKeepTwoCopiesOverTlsWhereNodesSpeakIt(@TempDir Path directory) throws Exception {
    TestKeys keys = TestKeys.in(directory.resolve("keys")).make("node");
    try (Place place =
            Place.start(
                directory,
                3,
                "backup.factor=2",
                "cluster.tls.certificate=" + keys.certificate("node"),
                "cluster.tls.key=" + keys.key("node"),
                "cluster.tls.ca=" + keys.authority());
        RawClient client = place.connect(1)) {
      RawClient.Sending sending = client.put("PUT out\nSize: " + SIZE + "\n");
      client.write(sending, content, SIZE);
      client.complete(sending, SIZE);
      assertThat(place.file(2, "out")).hasBinaryContent(content);
      assertThat(place.file(3, "out")).hasBinaryContent(content);
    }
  }

  @Test
  void shouldWaitForABackupWhereItMustAndMakeNoCopiesUnlessTold(@TempDir Path directory)
      throws Exception {
    try (Place place = Place.start(directory, 2, "backup.factor=1", "backup.when-missing=wait")) {
      place.cluster.stop(2);
      await().atMost(PATIENCE).until(() -> place.cluster.node(1).backups().isEmpty());
      try (RawClient client = place.connect(1)) {
        RawClient.Sending sending = client.put("PUT out\nSize: " + MIB + "\n");
        client.write(sending, content, MIB);
        await().atMost(PATIENCE).until(() -> place.staged(1) == MIB);
        assertThat(place.file(1, "out")).doesNotExist();
        place.cluster.start(2, "backup.factor=0");
        client.complete(sending, MIB);
        assertThat(place.holders("out")).containsExactly(1, 2);
      }
      try (RawClient client = place.connect(2)) {
        RawClient.Sending sending = client.put("PUT single\nSize: " + MIB + "\n");
        client.write(sending, content, MIB);
        client.complete(sending, MIB);
        assertThat(place.holders("single")).containsExactly(2);
      }
    }
  }
}
