package io.theseus.recovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.theseus.recovery.KillAtRandomTest.Tally;
import io.theseus.recovery.KillingRun.Ending;
import io.theseus.recovery.KillingRun.Hit;
import io.theseus.testing.Content;
import io.theseus.testing.NodeProcess;
import io.theseus.testing.PacketSocket.RefusedException;
import io.theseus.testing.PowerDisk;
import io.theseus.testing.ProcessCluster;
import io.theseus.testing.RawPut;
import io.theseus.testing.RawTransfer.End;
import io.theseus.testing.SoakResults;
import io.theseus.testing.Strace;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Row 3 of the faults for one node: the power is cut at random moments while GETs and PUTs are
 * under way, and what had not reached the disk is really gone (see {@link PowerDisk}).
 *
 * <p>A kill keeps the page cache and so says nothing about fsync; this does. Files, staging,
 * journal and records of the node are on one disk. {@link KillingRun} checks what a kill is checked
 * for: names show whole files before the node has started again, every file whose COMPLETE was sent
 * is there, no acknowledged byte is asked for again, hashes are right.
 */
@Tag("processes")
@Tag("once") // says nothing of a version of Java
final class PowerCutTest {
  private static final int CUTS = 5;
  private static final int SOAK_CUTS = 200;
  private static final int CUTS_OF_TWO = 2;
  private static final int SOAK_CUTS_OF_TWO = 100;
  private static final Duration SOAK_TIME = Duration.ofMinutes(50);
  private static final long DISK_BYTES = 768L << 20;

  /** How many cuts may be needed for one that counts. */
  private static final int TRIES = 4;

  /** For how long a node may still run on its dead disk. */
  private static final long MOST_AFTERLIFE_NANOS = 40_000_000;

  @Test
  void shouldLoseNothingWhenThePowerIsCut(@TempDir Path directory)
      throws IOException, InterruptedException {
    List<String> lines = new ArrayList<>();
    cut(
        directory,
        TRIES * CUTS,
        hits -> {
          lines.add(Tally.line(hits));
          return counting(lines) < CUTS;
        });
    System.out.println(String.join("\n", lines));
    assertThat(counting(lines)).as("cuts that count, of %s", lines).isEqualTo(CUTS);
  }

  /** The long count. It stops after 50 minutes and goes on the next time it is run. */
  @Test
  @Tag("soak")
  @Tag("power")
  void shouldLoseNothingInTwoHundredCuts(@TempDir Path directory)
      throws IOException, InterruptedException {
    SoakResults results = new SoakResults("power");
    long end = System.nanoTime() + SOAK_TIME.toNanos();
    try {
      cut(
          directory,
          TRIES * SOAK_CUTS,
          hits -> {
            results.add(Tally.line(hits));
            return counting(results.lines()) < SOAK_CUTS && System.nanoTime() < end;
          });
    } catch (RuntimeException | Error e) {
      results.failed(e);
      throw e;
    }
    int counted = counting(results.lines());
    System.out.println(counted + " cuts that count");
    assumeTrue(counted >= SOAK_CUTS, "not done yet, run it again to go on: " + counted);
    results.done();
  }

  /** Who receives and who copies lose their power together. */
  @Test
  void shouldLoseNothingWhenThePowerOfBothIsCut(@TempDir Path directory)
      throws IOException, InterruptedException {
    List<String> lines = new ArrayList<>();
    cutTwo(
        directory,
        TRIES * CUTS_OF_TWO,
        hits -> {
          lines.add(Tally.line(hits));
          return counting(lines) < CUTS_OF_TWO;
        });
    System.out.println(String.join("\n", lines));
    assertThat(counting(lines)).as("cuts that count, of %s", lines).isEqualTo(CUTS_OF_TWO);
  }

  /** The long count of those. */
  @Test
  @Tag("soak")
  @Tag("backup-power")
  void shouldLoseNothingInAHundredCutsOfBoth(@TempDir Path directory)
      throws IOException, InterruptedException {
    SoakResults results = new SoakResults("backup-power");
    long end = System.nanoTime() + SOAK_TIME.toNanos();
    try {
      cutTwo(
          directory,
          TRIES * SOAK_CUTS_OF_TWO,
          hits -> {
            results.add(Tally.line(hits));
            return counting(results.lines()) < SOAK_CUTS_OF_TWO && System.nanoTime() < end;
          });
    } catch (RuntimeException | Error e) {
      results.failed(e);
      throw e;
    }
    int counted = counting(results.lines());
    System.out.println(counted + " cuts that count");
    assumeTrue(counted >= SOAK_CUTS_OF_TWO, "not done yet, run it again to go on: " + counted);
    results.done();
  }

  /** Negative control: a node that acknowledges without an fsync loses bytes here. */
  @Test
  void shouldLoseBytesWhereNothingIsSynced(@TempDir Path directory) throws IOException {
    Path data = directory.resolve("node/data");
    try (PowerDisk disk = PowerDisk.format(data, DISK_BYTES, "");
        NodeProcess node = NodeProcess.start(directory.resolve("node"))) {
      Content content = Content.random(3, 4 << 20);
      RawPut synced = new RawPut("synced", content, /* sized= */ true, 256 << 10, 1 << 20);
      RawPut whole = new RawPut("whole", content, /* sized= */ true, 256 << 10, 1 << 20);
      RawPut half = new RawPut("half", content, /* sized= */ true, 256 << 10, 256 << 10);
      assertThat(synced.run(node.address())).isEqualTo(End.COMPLETE);
      try (Strace unsynced =
          Strace.attach(directory, node.pid(), "fsync,fdatasync,msync,syncfs", "retval=0")) {
        assertThat(whole.run(node.address())).isEqualTo(End.COMPLETE);
        assertThat(half.run(node.address(), content.size() / 2)).isEqualTo(End.LEFT);
        assertThat(unsynced.calls()).as("syncs that the node believes in").isNotEmpty();
        disk.cut();
        node.kill();
      }
      disk.revive("");

      assertThat(Visible.onDisk(node))
          .containsEntry("synced", content.sha256Hex())
          .doesNotContainEntry("whole", content.sha256Hex());
      node.restart();
      assertThatThrownBy(() -> half.run(node.address()))
          .isInstanceOf(RefusedException.class)
          .hasMessageStartingWith("unknown-session: ");
    }
  }

  private static void cut(Path directory, int most, Predicate<List<Hit>> onCut)
      throws IOException, InterruptedException {
    long seed = Long.getLong("power.seed", System.nanoTime());
    System.out.println("seed " + seed + " (again by -Dpower.seed=" + seed + ")");
    SplittableRandom random = new SplittableRandom(seed);
    Path home = directory.resolve("node");
    try (PowerDisk disk = PowerDisk.format(home.resolve("data"), DISK_BYTES, "")) {
      Ending cut =
          node -> {
            disk.cut();
            // what it acknowledges now was on the disk before
            LockSupport.parkNanos(random.nextLong(MOST_AFTERLIFE_NANOS));
            node.kill();
            // files that were not synced may show old blocks, too
            disk.revive(random.nextBoolean() ? "data=writeback" : "data=ordered");
          };
      try (KillingRun run = new KillingRun(home, seed, cut)) {
        run.run(most, onCut);
      }
      disk.check();
    }
  }

  private static void cutTwo(Path directory, int most, Predicate<List<Hit>> onCut)
      throws IOException, InterruptedException {
    long seed = Long.getLong("power.seed", System.nanoTime());
    System.out.println("seed " + seed + " (again by -Dpower.seed=" + seed + ")");
    SplittableRandom random = new SplittableRandom(seed);
    try (PowerDisk one = PowerDisk.format(directory.resolve("node1/data"), DISK_BYTES, "");
        PowerDisk other = PowerDisk.format(directory.resolve("node2/data"), DISK_BYTES, "");
        ProcessCluster cluster = startTwo(directory)) {
      Ending cut =
          node -> {
            List<PowerDisk> disks =
                random.nextBoolean() ? List.of(one, other) : List.of(other, one);
            disks.forEach(PowerDisk::cut);
            LockSupport.parkNanos(random.nextLong(MOST_AFTERLIFE_NANOS));
            cluster.nodes().forEach(NodeProcess::kill);
            for (PowerDisk disk : disks) {
              disk.revive(random.nextBoolean() ? "data=writeback" : "data=ordered");
            }
          };
      try (KillingRun run = new KillingRun(cluster.node(1), List.of(cluster.node(2)), seed, cut)) {
        run.run(most, onCut);
      }
      one.check();
      other.check();
    }
  }

  /** Two nodes, the first of which has each upload copied on the other. */
  private static ProcessCluster startTwo(Path directory) {
    return ProcessCluster.start(
        2,
        directory,
        number ->
            Stream.concat(
                    KillingRun.SETTINGS.stream(),
                    Stream.of(
                        "backup.factor=" + (2 - number),
                        "backup.when-missing=wait",
                        "repair.after=1s"))
                .toList());
  }

  /** Cuts that hit a PUT of which something was acknowledged and not all. */
  private static int counting(List<String> lines) {
    return (int) lines.stream().filter(line -> line.contains("PUT_")).count();
  }
}
