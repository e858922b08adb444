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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is received on one node is copied to others while it is received. */
final class BackupNodeTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final int MIB = 1 << 20;
  private static final int SIZE = 40 * MIB;

  private Path directory;
  private byte[] content;
  private TestCluster cluster;

  @BeforeEach
  void prepare(@TempDir Path temporary) {
    directory = temporary;
    content = new byte[SIZE];
    new Random(11).nextBytes(content);
    cluster = TestCluster.of(2, directory);
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  private void start(int size, String... pairs) throws Exception {
    cluster = TestCluster.of(size, directory);
    for (int i = 1; i <= size; i++) {
      cluster.start(i, with("backup.factor=1", pairs));
    }
    awaitBackups(size - 1);
  }

  private static String[] with(String first, String... others) {
    return Stream.concat(Stream.of(first), Stream.of(others)).toArray(String[]::new);
  }

  private void awaitBackups(int count) {
    await().atMost(PATIENCE).until(() -> cluster.node(1).backups().size() == count);
  }

  private Path root(int node) {
    return directory.resolve("node" + node).resolve("files");
  }

  private Path file(int node, String name) {
    return root(node).resolve(name);
  }

  /** Bytes that a node has staged, of whatever session. */
  private long staged(int node) {
    try (Stream<Path> parts = Files.list(root(node).resolve(StoreSettings.STAGING))) {
      return parts
          .filter(each -> each.toString().endsWith(".part"))
          .mapToLong(each -> each.toFile().length())
          .sum();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private List<Integer> holders(String name) {
    return Stream.of(1, 2, 3).filter(each -> Files.exists(file(each, name))).toList();
  }

  @Test
  void shouldKeepACopyBeforeItSaysThatAllIsThere() throws Exception {
    start(2);
    assertThat(cluster.node(1).backups()).extracting(Backup::node).containsExactly("node2");
    try (RawClient client = RawClient.connect(cluster.node(1))) {
      RawClient.Sending sending = client.put("PUT d/out\nSize: " + SIZE + "\n");
      client.write(sending, content, SIZE / 2);
      // an OFFSET means: there, too
      assertThat(sending.acked()).isPositive();
      assertThat(staged(2)).isGreaterThanOrEqualTo(sending.acked());
      assertThat(file(2, "d/out")).doesNotExist();
      client.write(sending, content, SIZE);
      client.complete(sending, SIZE);
      assertThat(file(1, "d/out")).hasBinaryContent(content);
      assertThat(file(2, "d/out")).hasBinaryContent(content);
      assertThat(staged(1)).isZero();
      assertThat(staged(2)).isZero();
    }
  }

  @Test
  void shouldCopySmallOnesAndEmptyOnes() throws Exception {
    start(2);
    try (RawClient client = RawClient.connect(cluster.node(1))) {
      for (int i = 0; i < 50; i++) {
        RawClient.Sending sending = client.put("PUT s/" + i + "\nSize: " + i + "\n");
        client.write(sending, content, i);
        client.complete(sending, i);
        assertThat(file(2, "s/" + i)).hasSize(i);
      }
    }
    assertThat(staged(2)).isZero();
  }

  @Test
  void shouldGoOnWithAnotherBackupWhereOneIsLost() throws Exception {
    start(3);
    try (RawClient client = RawClient.connect(cluster.node(1))) {
      RawClient.Sending sending = client.put("PUT out\nSize: " + SIZE + "\n");
      client.write(sending, content, SIZE / 2);
      int holder = staged(2) > 0 ? 2 : 3;
      assertThat(staged(5 - holder)).isZero();
      cluster.stop(holder);
      client.write(sending, content, SIZE);
      client.complete(sending, SIZE);
      assertThat(holders("out")).containsExactly(1, 5 - holder);
      assertThat(file(5 - holder, "out")).hasBinaryContent(content);
    }
  }

  @Test
  void shouldGoOnWithoutBackupsWhereItMay() throws Exception {
    start(2, "backup.when-missing=continue");
    try (RawClient client = RawClient.connect(cluster.node(1))) {
      RawClient.Sending sending = client.put("PUT out\nSize: " + SIZE + "\n");
      client.write(sending, content, SIZE / 2);
      cluster.stop(2);
      client.write(sending, content, SIZE);
      client.complete(sending, SIZE);
      assertThat(holders("out")).containsExactly(1);
    }
    assertThat(cluster.node(1).status().counters())
        .containsEntry("backups", 0L)
        .containsEntry("short-of-copies", 0L)
        .containsEntry("held-bytes", 0L);
  }

  @Test
  void shouldGoOnWithItsCopyAfterARestart() throws Exception {
    start(3);
    UUID session = UUID.randomUUID();
    String command = "PUT out\nSession: " + session + "\nSize: " + SIZE + "\n";
    long acked;
    try (RawClient client = RawClient.connect(cluster.node(1))) {
      RawClient.Sending sending = client.put(command);
      client.write(sending, content, 30 * MIB);
      acked = sending.acked();
    }
    int holder = staged(2) > 0 ? 2 : 3;
    cluster.stop(1);
    cluster.start(1, "backup.factor=1");
    awaitBackups(2);
    try (RawClient client = RawClient.connect(cluster.node(1))) {
      RawClient.Sending sending = client.put(command + "Offset: " + acked + "\n");
      assertThat(sending.acked()).isGreaterThanOrEqualTo(acked);
      client.write(sending, content, SIZE);
      client.complete(sending, SIZE);
    }
    assertThat(holders("out")).containsExactly(1, holder);
    assertThat(file(holder, "out")).hasBinaryContent(content);
  }

  @Test
  void shouldRemoveTheCopyOfWhatIsGivenUp() throws Exception {
    start(2);
    try (RawClient client = RawClient.connect(cluster.node(1))) {
      RawClient.Sending sending = client.put("PUT out\nSize: " + SIZE + "\n");
      client.write(sending, content, SIZE / 2);
      assertThat(staged(2)).isPositive();
      client.send(Packets.error("internal: the client gives up").array());
      await().atMost(PATIENCE).until(() -> staged(1) == 0 && staged(2) == 0);
    }
  }

  @Test
  void shouldCopyOverTlsWhereNodesSpeakIt() throws Exception {
    TestKeys keys = TestKeys.in(directory.resolve("keys")).make("node");
    start(
        2,
        "cluster.tls.certificate=" + keys.certificate("node"),
        "cluster.tls.key=" + keys.key("node"),
        "cluster.tls.ca=" + keys.authority());
    try (RawClient client = RawClient.connect(cluster.node(1))) {
      RawClient.Sending sending = client.put("PUT out\nSize: " + SIZE + "\n");
      client.write(sending, content, SIZE);
      client.complete(sending, SIZE);
      assertThat(file(2, "out")).hasBinaryContent(content);
    }
  }

  @Test
  void shouldWaitForABackupWhereItMust() throws Exception {
    start(2, "backup.when-missing=wait");
    cluster.stop(2);
    await().atMost(PATIENCE).until(() -> cluster.node(1).backups().isEmpty());
    try (RawClient client = RawClient.connect(cluster.node(1))) {
      RawClient.Sending sending = client.put("PUT out\nSize: " + MIB + "\n");
      client.write(sending, content, MIB);
      await().atMost(PATIENCE).until(() -> staged(1) == MIB);
      assertThat(file(1, "out")).doesNotExist();
      cluster.start(2, "backup.factor=1");
      client.complete(sending, MIB);
      assertThat(holders("out")).containsExactly(1, 2);
    }
  }

  @Test
  void shouldMakeNoCopiesUnlessTold() throws Exception {
    start(2, "backup.factor=0");
    try (RawClient client = RawClient.connect(cluster.node(1))) {
      RawClient.Sending sending = client.put("PUT out\nSize: " + MIB + "\n");
      client.write(sending, content, MIB);
      client.complete(sending, MIB);
      assertThat(holders("out")).containsExactly(1);
    }
  }

  @Test
  void shouldKeepTwoCopies() throws Exception {
    start(3, "backup.factor=2");
    try (RawClient client = RawClient.connect(cluster.node(1))) {
      RawClient.Sending sending = client.put("PUT out\nSize: " + SIZE + "\n");
      client.write(sending, content, SIZE);
      client.complete(sending, SIZE);
      assertThat(file(2, "out")).hasBinaryContent(content);
      assertThat(file(3, "out")).hasBinaryContent(content);
    }
  }
}
