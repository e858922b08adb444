package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.backup.Backup;
import io.theseus.store.StoreSettings;
import io.theseus.testing.TestKeys;
import io.theseus.wire.Packets;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is received on one node is copied to others while it is received. */
@Tag("once") // says nothing of a version of Java
final class BackupNodeTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final int MIB = 1 << 20;
  private static final int SIZE = 40 * MIB;

  /** What nobody wants any more is soon asked about. */
  private static final String[] SETTINGS = {"backup.factor=1", "session.keep=40s"};

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
      cluster.start(number, SETTINGS);
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

    Path part(int node, UUID session) {
      return root(node).resolve(StoreSettings.STAGING).resolve(session + ".part");
    }

    long shortOfCopies() {
      return cluster.node(1).status().counters().getOrDefault("short-of-copies", -1L);
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
    three = Place.start(directory, 3, SETTINGS);
  }

  @AfterAll
  static void stop() {
    three.close();
  }

  @BeforeEach
  void awaitNothingLeft() {
    await().atMost(PATIENCE).until(() -> three.staged().equals(List.of(0L, 0L, 0L)));
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
    three.cluster.start(2, SETTINGS);
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
  void shouldGoOnBehindWhatABackupHasThatComesBack() throws Exception {
    List<Long> before = three.staged();
    try (RawClient client = three.connect(1)) {
      RawClient.Sending sending = client.put("PUT returned\nSize: " + SIZE + "\n");
      int most = SIZE - SIZE / 100;
      client.write(sending, content, most);
      client.awaitAcked(sending, most);
      int holder = three.holder(before);
      three.cluster.stop(5 - holder); // nobody else is to be chosen
      three.cluster.stop(holder);
      client.write(sending, content, SIZE - 1);
      client.awaitAcked(sending, SIZE - 1);
      three.cluster.start(holder, SETTINGS);
      await().atMost(PATIENCE).until(() -> three.shortOfCopies() == 0);
      client.write(sending, content, SIZE);
      client.complete(sending, SIZE);
      assertThat(three.file(holder, "returned")).hasBinaryContent(content);
      // 1 % was missing: 2 % are enough
      assertThat(three.cluster.node(holder).status().counters().get("copied-bytes"))
          .isBetween((long) SIZE / 100, 2L * SIZE / 100);
      three.again(5 - holder);
    }
  }

  @Test
  void shouldFindWhatHasRottenInACopyBeforeItIsCommitted() throws Exception {
    List<Long> before = three.staged();
    try (RawClient client = three.connect(1)) {
      UUID session = UUID.randomUUID();
      RawClient.Sending sending =
          client.put("PUT rotten\nSession: " + session + "\nSize: " + SIZE + "\n");
      client.write(sending, content, SIZE / 2);
      client.awaitAcked(sending, SIZE / 2);
      int holder = three.holder(before);
      three.cluster.stop(5 - holder); // nobody else is to be chosen
      three.cluster.stop(holder);
      flip(three.part(holder, session), MIB + 17);
      three.cluster.start(holder, SETTINGS);
      await().atMost(PATIENCE).until(() -> three.shortOfCopies() == 0);
      client.write(sending, content, SIZE);
      client.complete(sending, SIZE);
      await().atMost(PATIENCE).until(() -> three.staged(holder) == before.get(holder - 1));
      if (Files.exists(three.file(holder, "rotten"))) {
        assertThat(three.file(holder, "rotten")).hasBinaryContent(content);
      }
      assertThat(three.file(1, "rotten")).hasBinaryContent(content);
      three.again(5 - holder);
    }
  }

  private static void flip(Path file, long at) throws IOException {
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.seek(at);
      int is = bytes.read();
      bytes.seek(at);
      bytes.write(is ^ 1);
    }
  }

  @Test
  void shouldKeepCopiesOnANodeWhoseDirectoryWasWiped() throws Exception {
    List<Long> before = three.staged();
    try (RawClient client = three.connect(1)) {
      RawClient.Sending sending = client.put("PUT wiped\nSize: " + SIZE + "\n");
      client.write(sending, content, SIZE / 2);
      client.awaitAcked(sending, SIZE / 2);
      int holder = three.holder(before);
      three.cluster.stop(5 - holder);
      three.cluster.stop(holder);
      wipe(three.directory.resolve("node" + holder));
      three.cluster.start(holder, SETTINGS);
      await().atMost(PATIENCE).until(() -> three.shortOfCopies() == 0);
      client.write(sending, content, SIZE);
      client.complete(sending, SIZE);
      assertThat(three.file(holder, "wiped")).hasBinaryContent(content);
      three.again(5 - holder);
    }
  }

  private static void wipe(Path directory) throws IOException {
    try (Stream<Path> found = Files.walk(directory)) {
      for (Path path : found.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  @Test
  void shouldRemoveWhatIsCommittedElsewhereAndTakeAnotherWhereOneIsFull(@TempDir Path directory)
      throws Exception {
    try (Place place =
        Place.start(directory, 3, "backup.factor=1", "session.keep=12s", "store.rest-bytes=0")) {
      // one that has room for less than the file
      place.cluster.stop(2);
      place.cluster.start(2, "session.keep=12s", "store.max-bytes=10 MiB");
      place.cluster.stop(3);
      await()
          .atMost(PATIENCE)
          .until(
              () -> place.cluster.node(1).backups().stream().map(Backup::node).toList(),
              List.of("node2")::equals);
      try (RawClient client = place.connect(1)) {
        RawClient.Sending sending = client.put("PUT full\n");
        client.write(sending, content, 8 * MIB);
        client.awaitAcked(sending, 8 * MIB);
        assertThat(place.staged(2)).isEqualTo(8 * MIB);
        place.cluster.start(3, "session.keep=12s");
        place.awaitBackups(2);
        client.write(sending, content, SIZE);
        client.send(end(SIZE));
        client.complete(sending, SIZE);
        assertThat(place.file(3, "full")).hasBinaryContent(content);
        await().atMost(PATIENCE).until(() -> place.staged(2) == 0);
      }
      // one that comes back when all is over
      try (RawClient client = place.connect(1)) {
        RawClient.Sending sending = client.put("PUT late\nSize: " + SIZE + "\n");
        client.write(sending, content, SIZE / 2);
        client.awaitAcked(sending, SIZE / 2);
        assertThat(place.staged(3)).isEqualTo(SIZE / 2);
        place.cluster.stop(3);
        client.write(sending, content, SIZE);
        client.complete(sending, SIZE);
      }
      assertThat(place.staged(3)).isEqualTo(SIZE / 2);
      place.cluster.start(3, "session.keep=12s");
      await().atMost(PATIENCE).until(() -> place.staged(3) == 0);
      assertThat(place.holders("late")).containsExactly(1);
    }
  }

  private static byte[] end(long size) {
    return Packets.info("END\nSize: " + size + "\n").array();
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
