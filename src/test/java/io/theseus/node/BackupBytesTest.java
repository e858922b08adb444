package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.admin.Operations;
import io.theseus.admin.Operations.ActView;
import io.theseus.admin.Operations.Phase;
import io.theseus.admin.jmx.RunFile;
import io.theseus.admin.jmx.StatusClient;
import io.theseus.module.LabModules;
import io.theseus.testing.Content;
import io.theseus.testing.SoakResults;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * How many bytes go between nodes when the copy of 1 GiB moves, or comes back. {@link
 * ChangeOfTargetTest} and {@link BackupNodeTest} ask the same of less.
 */
@Tag("soak")
@Tag("backup-bytes")
final class BackupBytesTest {
  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final long SIZE = 1L << 30;
  private static final int BLOCK = 128 << 10;

  /** Nobody else is to be chosen, nor what is away to be forgotten, meanwhile. */
  private static final String[] SETTINGS = {"backup.factor=1", "session.keep=1h"};

  private static final SoakResults RESULTS = new SoakResults("backup-bytes");

  private final byte[] block = new byte[BLOCK];
  private BackupNodeTest.Place three;

  @BeforeEach
  void start(@TempDir Path directory) throws Exception {
    new Random(14).nextBytes(block);
    three = BackupNodeTest.Place.start(directory, 3, SETTINGS);
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                Stream.of(1, 2, 3)
                    .map(three.cluster()::node)
                    .allMatch(
                        node -> node.upgrades().view().orElseThrow().standing().equals("current")));
  }

  @AfterEach
  void stop() {
    three.close();
  }

  @AfterAll
  static void done() {
    RESULTS.done();
  }

  @Test
  void shouldMoveEachByteOnceWhereTheTargetChangesAtHalf() throws Exception {
    pin("1", "node2");
    try (RawClient client = three.connect(1)) {
      RawClient.Sending sending = client.put("PUT moved\nSize: " + SIZE + "\n");
      write(client, sending, SIZE / 2);
      await().atMost(PATIENCE).until(() -> three.staged(2) == SIZE / 2);
      assertThat(copiedTo(3)).isZero();

      pin("2", "node3");
      await().atMost(PATIENCE).until(() -> three.staged(2) == 0 && three.staged(3) >= SIZE / 2);
      write(client, sending, SIZE);
      client.complete(sending, SIZE);
    }
    long copied = copiedTo(3);
    RESULTS.add("change of target at half of " + SIZE + ": " + copied + " bytes to the new one");
    assertThat(copied).as("bytes to the new one").isBetween(SIZE, SIZE * 105 / 100);
    assertThat(three.holders("moved")).containsExactly(1, 3);
    assertWhole("moved", 1);
    assertWhole("moved", 3);
  }

  @Test
  void shouldMoveWhatIsMissingWhereACopyComesBack() throws Exception {
    List<Long> before = three.staged();
    long most = SIZE / 100 * 99;
    int holder;
    try (RawClient client = three.connect(1)) {
      RawClient.Sending sending = client.put("PUT returned\nSize: " + SIZE + "\n");
      write(client, sending, most);
      client.awaitAcked(sending, most);
      holder = three.holder(before);
      three.cluster().stop(5 - holder); // nobody else is to be chosen
      three.cluster().stop(holder);
      write(client, sending, SIZE - 1);
      client.awaitAcked(sending, SIZE - 1);
      three.cluster().start(holder, SETTINGS);
      await().atMost(PATIENCE).until(() -> three.shortOfCopies() == 0);
      write(client, sending, SIZE);
      client.complete(sending, SIZE);
    }
    long copied = copiedTo(holder);
    RESULTS.add("return behind 1 % of " + SIZE + ": " + copied + " bytes to who came back");
    assertThat(copied).as("bytes to who came back").isBetween(SIZE - most, SIZE * 2 / 100);
    assertWhole("returned", 1);
    assertWhole("returned", holder);
  }

  private long copiedTo(int node) {
    return three.cluster().node(node).status().counters().getOrDefault("copied-bytes", 0L);
  }

  private void pin(String version, String node) throws Exception {
    String source =
        Files.readString(Path.of("examples/pinned/Pinned.java"))
            .replace("\"node3\", \"node2\", \"node1\"", '"' + node + '"');
    assertThat(source).contains("List.of(\"" + node + "\")");
    byte[] jar = LabModules.signed("Pinned", version, source, three.cluster().labKey());
    Operations operations =
        StatusClient.operations(
            RunFile.read(RunFile.in(three.cluster().node(1).settings().dataDir())).orElseThrow());
    Operations.Order order = new Operations.Order("ann", Set.of(), Optional.of(Duration.ZERO));
    ActView act = operations.upgrade(jar, Optional.empty(), order);
    await().atMost(PATIENCE).until(() -> operations.act(act.id()).orElseThrow().phase().isOver());
    assertThat(operations.act(act.id()).orElseThrow().phase()).isEqualTo(Phase.CONFIRMED);
  }

  /** All blocks are alike but for their number, with which they begin. */
  private void number(long offset) {
    ByteBuffer.wrap(block).putLong(0, offset / BLOCK);
  }

  private void write(RawClient client, RawClient.Sending sending, long upTo) throws IOException {
    client.write(
        sending,
        upTo,
        (offset, length) -> {
          number(offset);
          client.data(offset, block, (int) (offset % BLOCK), length);
        });
  }

  private void assertWhole(String name, int node) throws Exception {
    MessageDigest expected = MessageDigest.getInstance("SHA-256");
    for (long offset = 0; offset < SIZE; offset += BLOCK) {
      number(offset);
      expected.update(block);
    }
    assertThat(Content.sha256HexOf(three.file(node, name)))
        .isEqualTo(HexFormat.of().formatHex(expected.digest()));
  }
}
