package io.theseus.recovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.testing.Content;
import io.theseus.testing.Network;
import io.theseus.testing.Network.Plane;
import io.theseus.testing.NodeProcess;
import io.theseus.testing.RawPut;
import io.theseus.testing.RawTransfer.End;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Row 5 of the faults, for copies: three processes, of which the one that receives an upload and
 * the one that copies it can't reach each other, or one way only, or now and then. The client ends
 * with a COMPLETE while it is so, the file is whole on two nodes, and behind it the nodes are one
 * cluster again by themselves.
 */
@Tag("processes")
@Tag("once") // says nothing of a version of Java
final class BackupPartitionTest {
  private static final Duration PATIENCE = Duration.ofMinutes(4);
  private static final int MIB = 1 << 20;
  private static final Set<Plane> ALL = EnumSet.allOf(Plane.class);
  private static final Content CONTENT = Content.random(15, 24 * MIB);
  private static final List<NodeProcess> NODES = new ArrayList<>();

  private static Network network;
  private static int number;

  @BeforeAll
  static void start(@TempDir Path directory) {
    network = new Network(3);
    for (int i = 1; i <= 3; i++) {
      NODES.add(
          network.start(
              i,
              directory.resolve("node" + i),
              "backup.factor=1",
              "backup.when-missing=wait",
              "session.keep=60s"));
    }
  }

  @AfterAll
  static void stop() throws IOException {
    network.heal();
    NODES.forEach(NodeProcess::close);
    NODES.clear();
    network.close();
  }

  private static NodeProcess node(int number) {
    return NODES.get(number - 1);
  }

  /** An upload to node 1 that has begun. */
  private static final class Running {
    final RawPut put = new RawPut("out-" + number++, CONTENT, /* sized= */ true, 256 << 10, MIB);
    final CompletableFuture<End> end;
    final int holder;

    Running(Duration pause) {
      awaitAll();
      put.paced(() -> LockSupport.parkNanos(pause.toNanos()));
      end = CompletableFuture.supplyAsync(() -> put.run(node(1).address()));
      await().atMost(PATIENCE).until(() -> put.acknowledged() > 0);
      holder = isStagedOn(2) ? 2 : 3;
      assertThat(isStagedOn(holder)).as("a copy of it on node %s", holder).isTrue();
      assertThat(isStagedOn(5 - holder)).as("a copy of it on the other one").isFalse();
    }

    private boolean isStagedOn(int node) {
      return Files.exists(node(node).staging().resolve(put.session() + ".part"));
    }

    void awaitEnd() throws Exception {
      assertThat(end.get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
          .as(put.loss())
          .isEqualTo(End.COMPLETE);
      assertThat(put.begunAt()).as("connections").containsExactly(0L);
    }

    /** One file, on who received it and on one that copies. */
    void assertWhole(List<Integer> holders) throws IOException {
      for (int node : List.of(1, 2, 3)) {
        Path file = node(node).files().resolve(put.name());
        if (holders.contains(node)) {
          assertThat(Content.sha256HexOf(file)).isEqualTo(CONTENT.sha256Hex());
        } else {
          assertThat(file).doesNotExist();
        }
      }
    }
  }

  private static void awaitAll() {
    await("they are one cluster, and nothing is left of what was before")
        .atMost(PATIENCE)
        .ignoreExceptions()
        .until(
            () ->
                NODES.stream()
                    .allMatch(
                        node ->
                            node.status().backups().known() == 2
                                && node.status().isNormal()
                                && Visible.parts(node).isEmpty()));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldTakeAnotherWhereOneOfTwoIsNotHeard(boolean owner) throws Exception {
    Running upload = new Running(Duration.ofMillis(20));
    if (owner) {
      network.cutOneWay(1, upload.holder, ALL);
    } else {
      network.cutOneWay(upload.holder, 1, ALL);
    }
    upload.awaitEnd();
    upload.assertWhole(List.of(1, 5 - upload.holder));
    assertThat(node(1).log())
        .containsPattern(
            "session " + upload.put.session() + ": copy on node node" + upload.holder + " lost: ");
    network.heal();
    awaitAll();
  }

  @Test
  void shouldTakeTheOneThatBothReachWhereTwoDoNotReachEachOther() throws Exception {
    Running upload = new Running(Duration.ofMillis(20));
    network.cutBetween(1, upload.holder, ALL);
    upload.awaitEnd();
    upload.assertWhole(List.of(1, 5 - upload.holder));
    network.heal();
    awaitAll();
  }

  @Test
  void shouldGoOnWhileALinkComesAndGoes() throws Exception {
    long seed = Long.getLong("backup.seed", System.nanoTime());
    System.out.println("seed " + seed + " (again by -Dbackup.seed=" + seed + ")");
    SplittableRandom random = new SplittableRandom(seed);
    Running upload = new Running(Duration.ofMillis(60));
    int times = 0;
    while (!isOver(upload.end, random.nextInt(50, 500))) {
      network.cutBetween(1, upload.holder, ALL);
      isOver(upload.end, random.nextInt(50, 1500));
      network.heal();
      times++;
    }
    upload.awaitEnd();
    assertThat(times).as("times that it was cut, seed %s", seed).isPositive();
    assertThat(CONTENT.sha256Hex())
        .isEqualTo(Content.sha256HexOf(node(1).files().resolve(upload.put.name())));
    awaitAll();
  }

  private static boolean isOver(CompletableFuture<End> end, int millis) throws Exception {
    try {
      end.get(millis, TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException e) {
      return false;
    }
  }
}
