package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.theseus.admin.Operations;
import io.theseus.admin.Operations.ActView;
import io.theseus.admin.Operations.Phase;
import io.theseus.admin.jmx.RunFile;
import io.theseus.admin.jmx.StatusClient;
import io.theseus.module.LabModules;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Uploads whose copy goes to another node while they run. */
@Tag("once") // says nothing of a version of Java
final class ChangeOfTargetTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final int MIB = 1 << 20;
  private static final int SIZE = 24 * MIB;
  private static final int HALF = SIZE / 2;

  private static byte[] content = new byte[SIZE];
  private static BackupNodeTest.Place three;

  @BeforeAll
  static void start(@TempDir Path directory) throws Exception {
    new Random(12).nextBytes(content);
    three = BackupNodeTest.Place.start(directory, 3, "backup.factor=1");
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                List.of(1, 2, 3).stream()
                    .map(three.cluster()::node)
                    .allMatch(
                        node ->
                            node.status().cluster().members().size() == 3
                                && node.upgrades()
                                    .view()
                                    .orElseThrow()
                                    .standing()
                                    .equals("current")));
  }

  @AfterAll
  static void stop() {
    three.close();
  }

  private static Operations operations() throws Exception {
    return operations(1);
  }

  private static Operations operations(int node) throws Exception {
    return StatusClient.operations(
        RunFile.read(RunFile.in(three.cluster().node(node).settings().dataDir())).orElseThrow());
  }

  private static Operations.Order order() {
    return new Operations.Order("ann", Set.of(), Optional.of(Duration.ZERO));
  }

  private static void awaitConfirmed(ActView act) throws Exception {
    Operations operations = operations();
    await().atMost(PATIENCE).until(() -> operations.act(act.id()).orElseThrow().phase().isOver());
    assertThat(operations.act(act.id()).orElseThrow().phase()).isEqualTo(Phase.CONFIRMED);
  }

  /** The example, with another order. */
  private static void pin(String version, String first, String second) throws Exception {
    String source =
        Files.readString(Path.of("examples/pinned/Pinned.java"))
            .replace("\"node3\", \"node2\", \"node1\"", quoted(first) + ", " + quoted(second));
    assertThat(source).contains("List.of(" + quoted(first));
    byte[] jar = LabModules.signed("Pinned", version, source, three.cluster().labKey());
    awaitConfirmed(operations().upgrade(jar, Optional.empty(), order()));
  }

  private static String quoted(String text) {
    return '"' + text + '"';
  }

  private static long copiedTo(int node) {
    return three.cluster().node(node).status().counters().getOrDefault("copied-bytes", 0L);
  }

  /** Waits until a copy has left one node for another one. */
  private static void awaitMoved(List<Long> before, int from, int to) {
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                three.staged(from) == before.get(from - 1)
                    && three.staged(to) > before.get(to - 1));
  }

  @Test
  void shouldGoWhereTheNewPolicyWantsItAndBackWithoutAWordToTheClient() throws Exception {
    pin("1", "node2", "node3");
    List<Long> before = three.staged();
    long copied = copiedTo(3);
    try (RawClient client = three.connect(1)) {
      RawClient.Sending sending = client.put("PUT moved\nSize: " + SIZE + "\n");
      client.write(sending, content, HALF);
      await().atMost(PATIENCE).until(() -> three.staged(2) - before.get(1) == HALF);
      assertThat(three.staged(3)).isEqualTo(before.get(2));

      pin("2", "node3", "node2");
      awaitMoved(before, 2, 3);
      client.write(sending, content, SIZE);
      client.complete(sending, SIZE);
      assertThat(three.holders("moved")).containsExactly(1, 3);
      assertThat(three.file(1, "moved")).hasBinaryContent(content);
      assertThat(three.file(3, "moved")).hasBinaryContent(content);
      assertThat(copiedTo(3) - copied)
          .as("bytes that went to the new one")
          .isBetween((long) SIZE, SIZE * 105L / 100);

      sending = client.put("PUT back\nSize: " + SIZE + "\n");
      client.write(sending, content, HALF);
      awaitConfirmed(operations().undo(order()));
      awaitMoved(before, 3, 2);
      client.write(sending, content, SIZE);
      client.complete(sending, SIZE);
      assertThat(three.holders("back")).containsExactly(1, 2);
      assertThat(three.file(2, "back")).hasBinaryContent(content);
      assertThat(client.notes()).noneMatch(note -> note.startsWith("NOTICE"));
    }
    assertThat(three.staged()).isEqualTo(before);
  }

  @Test
  void shouldLeaveANodeThatIsDrainedUntilItIsNotAnyMore() throws Exception {
    List<Long> before = three.staged();
    long others = before.get(1) + before.get(2);
    int drained;
    try (RawClient client = three.connect(1)) {
      RawClient.Sending sending = client.put("PUT drained\nSize: " + SIZE + "\n");
      client.write(sending, content, HALF);
      await().atMost(PATIENCE).until(() -> three.staged(2) + three.staged(3) == HALF + others);
      drained = three.staged(2) > before.get(1) ? 2 : 3;
      assertThat(operations().drain("node" + drained, /* drain= */ true, order()))
          .isEqualTo(new Operations.Drained("node" + drained, true, 1));
      awaitMoved(before, drained, 5 - drained);
      client.write(sending, content, SIZE);
      client.complete(sending, SIZE);
      assertThat(three.holders("drained")).containsExactly(1, 5 - drained);
      assertThat(three.file(5 - drained, "drained")).hasBinaryContent(content);
    }
    three.cluster().stop(drained);
    three.again(drained);
    await("it knows behind a restart")
        .atMost(PATIENCE)
        .until(() -> backups(drained, /* draining= */ true).equals(List.of("node" + drained)));
    await()
        .atMost(PATIENCE)
        .until(() -> backups(1, /* draining= */ true).equals(List.of("node" + drained)));
    assertThat(operations().drain("node" + drained, /* drain= */ false, order()))
        .isEqualTo(new Operations.Drained("node" + drained, false, 0));
    await()
        .atMost(PATIENCE)
        .until(() -> backups(1, /* draining= */ false).equals(List.of("node1", "node2", "node3")));
    assertThatThrownBy(() -> operations().drain("node4", /* drain= */ true, order()))
        .hasMessage(
            "node: \"node4\" (expected: a backup that can be reached, of [node1, node2, node3])");
  }

  /** Those that a node sees, which drain or don't. */
  private static List<String> backups(int node, boolean draining) throws Exception {
    return operations(node).backups().backups().stream()
        .filter(each -> each.draining() == draining)
        .map(Operations.BackupView::node)
        .toList();
  }

  @Test
  void shouldLetAllNodesBeToldToRegisterNobodyElse() throws Exception {
    assertThat(operations().backups().open()).isTrue();
    assertThat(operations().register(/* open= */ false, order()))
        .isEqualTo(Map.of("node1", "done", "node2", "done", "node3", "done"));
    assertThat(operations().backups().open()).isFalse();
    assertThat(operations().backups().backups()).allMatch(Operations.BackupView::registered);
    operations().register(/* open= */ true, order());
    assertThat(operations().backups().open()).isTrue();
  }
}
