package io.theseus.recovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.theseus.testing.Content;
import io.theseus.testing.Network;
import io.theseus.testing.Network.Plane;
import io.theseus.testing.NodeProcess;
import io.theseus.testing.RawPut;
import io.theseus.testing.RawTransfer.End;
import io.theseus.testing.SoakResults;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Three processes, one of which receives PUTs, several at once, while its backups are killed,
 * stopped and cut off at random moments. The client notices nothing but that it takes longer; what
 * it was told is durable is on as many backups as are wanted, at each moment; what was completed is
 * whole there.
 */
@Tag("processes")
@Tag("once") // says nothing of a version of Java
final class BackupFaultsTest {
  private static final Duration PATIENCE = Duration.ofMinutes(4);
  private static final int SOAK_PUTS = 1000;
  private static final int SOAK_ROUND = 100;
  private static final Duration SOAK_TIME = Duration.ofMinutes(50);
  private static final int CLIENTS = 5;
  private static final int MIB = 1 << 20;
  private static final long MBIT = 125_000;
  private static final long MOST_HELD = 8L * MIB;

  /** What one turn of a loop reads beyond it. */
  private static final long BEYOND = 2L * MIB;

  @ParameterizedTest
  @CsvSource({"1, 45", "2, 5"}) // with two copies each fault is waited for
  void shouldLoseNothingWhateverHappensToBackups(int factor, int puts, @TempDir Path directory)
      throws Exception {
    try (Run run = new Run(directory, seed(), factor, /* longestMillis= */ 1500)) {
      run.run(puts, size -> {});
      System.out.println(run);
      assertThat(run.faults()).as("faults").isPositive();
    }
  }

  @Test
  void shouldTakeAnotherWhereNoBytesComeThroughAndWaitForASlowOne(@TempDir Path directory)
      throws Exception {
    try (Run run = new Run(directory, /* seed= */ 1, /* factor= */ 1, /* longestMillis= */ 1)) {
      NodeProcess owner = run.owner();
      Content content = Content.random(1, 24 * MIB);
      RawPut cut = new RawPut("cut", content, /* sized= */ true, 256 << 10, MIB);
      cut.paced(() -> LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20)));
      Thread client = new Thread(() -> cut.run(owner.address()), "client");
      client.start();
      await().atMost(PATIENCE).until(() -> cut.acknowledged() > 0);
      int holder = Run.has(run.nodes.get(1), cut, cut.acknowledged()) ? 2 : 3;
      run.network.cutOff(holder, EnumSet.of(Plane.BYTES));
      client.join(PATIENCE.toMillis());
      assertThat(cut.isComplete()).as(cut.loss()).isTrue();
      assertThat(owner.log()).contains("copy on node node" + holder + " lost: does not get on");
      assertThat(Content.sha256HexOf(run.nodes.get(4 - holder).files().resolve("cut")))
          .isEqualTo(content.sha256Hex());
      run.network.heal();

      for (int backup = 2; backup <= 3; backup++) {
        run.network.limit(backup, MBIT);
      }
      long unreachable = unreachable(run);
      Content small = Content.random(2, 2 * MIB);
      RawPut slow = new RawPut("slow", small, /* sized= */ true, 256 << 10, 4 * MIB);
      long begun = System.nanoTime();
      assertThat(slow.run(owner.address())).as(slow.loss()).isEqualTo(End.COMPLETE);
      assertThat(System.nanoTime() - begun)
          .as("so slow that a copy which gets on would be given up, were that a matter of time")
          .isGreaterThan(TimeUnit.SECONDS.toNanos(14));
      assertThat(unreachable(run)).as("members that were taken for lost").isEqualTo(unreachable);
      assertThat(owner.log()).doesNotContain(slow.session() + ": copy on node");
      run.checkHeld();
    }
  }

  private static long unreachable(Run run) {
    return run.nodes.stream()
        .mapToLong(node -> node.log().split("as UNREACHABLE", -1).length)
        .sum();
  }

  /** The long count. It stops after 50 minutes and goes on the next time it is run. */
  @Test
  @Tag("soak")
  @Tag("backup-faults")
  void shouldLoseNothingInAThousandPuts(@TempDir Path directory) throws Exception {
    SoakResults results = new SoakResults("backup-faults");
    long end = System.nanoTime() + SOAK_TIME.toNanos();
    try {
      while (count(results) < SOAK_PUTS && System.nanoTime() < end) {
        int round = (int) (count(results) / SOAK_ROUND);
        int factor = 1 + round % 2;
        long seed = seed();
        results.add("# seed " + seed + ", factor " + factor);
        Path place = directory.resolve("round" + System.nanoTime());
        try (Run run = new Run(place, seed, factor, /* longestMillis= */ 9000)) {
          run.run(SOAK_ROUND, size -> results.add("put of " + size + ", copies " + factor));
          results.add("# " + run);
        }
      }
    } catch (RuntimeException | Error e) {
      results.failed(e);
      throw e;
    }
    assumeTrue(count(results) >= SOAK_PUTS, "not done yet, run it again to go on");
    results.done();
  }

  private static long count(SoakResults results) {
    return results.lines().stream().filter(line -> line.startsWith("put ")).count();
  }

  private static long seed() {
    long seed = Long.getLong("backup.seed", System.nanoTime());
    System.out.println("seed " + seed + " (again by -Dbackup.seed=" + seed + ")");
    return seed;
  }

  /** What happens to a backup. */
  private enum Fault {
    KILLED,
    STOPPED,
    CUT_OFF,
    WITHOUT_MESSAGES,
    WITHOUT_BYTES;

    static final List<Fault> ALL = List.copyOf(EnumSet.allOf(Fault.class));
  }

  /** One cluster, and what happens to it. */
  private static final class Run implements AutoCloseable {
    private final long seed;
    private final int factor;
    private final int longestMillis;
    private final SplittableRandom random;
    private final Network network = new Network(3);
    private final List<NodeProcess> nodes = new ArrayList<>();
    private final Map<Fault, Integer> faults = new EnumMap<>(Fault.class);
    private final Set<RawPut> open = ConcurrentHashMap.newKeySet();
    private final AtomicInteger begun = new AtomicInteger();
    private final CountDownLatch over = new CountDownLatch(CLIENTS);
    private volatile @Nullable Throwable broken;

    Run(Path directory, long seed, int factor, int longestMillis) {
      this.seed = seed;
      this.factor = factor;
      this.longestMillis = longestMillis;
      this.random = new SplittableRandom(seed);
      for (int i = 1; i <= 3; i++) {
        nodes.add(
            network.start(
                i,
                directory.resolve("node" + i),
                "backup.factor=" + factor,
                "backup.when-missing=wait",
                "peers.most-held-bytes=" + MOST_HELD,
                "session.keep=60s"));
      }
    }

    int faults() {
      return faults.values().stream().mapToInt(Integer::intValue).sum();
    }

    private NodeProcess owner() {
      return nodes.get(0);
    }

    private List<NodeProcess> backups() {
      return nodes.subList(1, 3);
    }

    void run(int puts, IntConsumer onComplete) throws Exception {
      List<Thread> clients = new ArrayList<>();
      for (int i = 0; i < CLIENTS; i++) {
        SplittableRandom own = random.split();
        Thread client = new Thread(() -> client(puts, own, onComplete), "client " + i);
        clients.add(client);
        client.start();
      }
      try {
        while (broken == null && !over.await(random.nextInt(200), TimeUnit.MILLISECONDS)) {
          happen(Fault.ALL.get(random.nextInt(Fault.ALL.size())));
        }
      } catch (Exception | Error e) {
        broken = broken == null ? e : broken;
        nodes.forEach(NodeProcess::close); // nobody is to wait for them
      } finally {
        network.heal();
        for (Thread client : clients) {
          client.join(PATIENCE.toMillis());
        }
      }
      Throwable fault = broken;
      if (fault != null) {
        throw new AssertionError("seed " + seed + ": " + fault + "; " + this, fault);
      }
      await("nothing is left behind")
          .atMost(PATIENCE)
          .untilAsserted(
              () -> {
                for (NodeProcess node : nodes) {
                  assertThat(Visible.parts(node)).as("left in staging, seed %s", seed).isEmpty();
                }
              });
    }

    private void client(int puts, SplittableRandom own, IntConsumer onComplete) {
      try {
        for (int number = begun.getAndIncrement();
            number < puts && broken == null;
            number = begun.getAndIncrement()) {
          onComplete.accept(put("put-" + number, own));
        }
      } catch (RuntimeException | Error | IOException e) {
        broken = broken == null ? e : broken;
      } finally {
        over.countDown();
      }
    }

    /** Gives its size. */
    private int put(String name, SplittableRandom own) throws IOException {
      Content content = Content.random(own.nextLong(), own.nextInt(1, 10 * MIB));
      RawPut put =
          new RawPut(
              name,
              content,
              /* sized= */ own.nextBoolean(),
              own.nextInt(64 << 10, 512 << 10),
              own.nextInt(MIB / 2, 4 * MIB));
      put.paced(() -> LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50)));
      open.add(put);
      // on one connection: it is neither lost nor refused
      assertThat(put.run(owner().address())).as("%s: %s", put, put.loss()).isEqualTo(End.COMPLETE);
      open.remove(put);
      assertThat(Content.sha256HexOf(owner().files().resolve(name))).isEqualTo(content.sha256Hex());
      List<String> copies = new ArrayList<>();
      for (NodeProcess backup : backups()) {
        Path copy = backup.files().resolve(name);
        if (Files.exists(copy)) {
          copies.add(Content.sha256HexOf(copy));
        }
      }
      assertThat(copies).as("copies of %s", put).hasSizeGreaterThanOrEqualTo(factor);
      assertThat(copies).as("copies of %s", put).containsOnly(content.sha256Hex());
      return content.size();
    }

    private void happen(Fault fault) throws Exception {
      int number = 2 + random.nextInt(2);
      NodeProcess victim = nodes.get(number - 1);
      // most are short, some are longer than the others wait before they give it up
      int millis = random.nextInt(1, random.nextInt(4) == 0 ? longestMillis : longestMillis / 4);
      faults.merge(fault, 1, Integer::sum);
      switch (fault) {
        case KILLED -> {
          Map<RawPut, Long> promised = promised();
          victim.kill();
          promised.forEach(this::checkPromise);
          victim.restart();
        }
        case STOPPED -> {
          victim.pause();
          over.await(millis, TimeUnit.MILLISECONDS);
          victim.resume();
        }
        default -> {
          network.cutOff(
              number,
              fault == Fault.CUT_OFF
                  ? EnumSet.allOf(Plane.class)
                  : EnumSet.of(fault == Fault.WITHOUT_MESSAGES ? Plane.MESSAGES : Plane.BYTES));
          over.await(millis, TimeUnit.MILLISECONDS);
          network.heal();
        }
      }
      checkHeld();
    }

    void checkHeld() {
      for (NodeProcess node : nodes) {
        assertThat(node.status().counters().get("held-bytes"))
            .as("bytes that wait to be written")
            .isLessThanOrEqualTo(MOST_HELD + BEYOND);
      }
    }

    private Map<RawPut, Long> promised() {
      Map<RawPut, Long> promised = new LinkedHashMap<>();
      open.forEach(put -> promised.put(put, put.acknowledged()));
      promised.values().removeIf(bytes -> bytes == 0);
      return promised;
    }

    /** What the client was told is durable is there, and on as many backups as are wanted. */
    private void checkPromise(RawPut put, long acknowledged) {
      try {
        boolean here = has(owner(), put, acknowledged);
        int there = 0;
        for (NodeProcess backup : backups()) {
          there += has(backup, put, acknowledged) ? 1 : 0;
        }
        if (open.contains(put)) { // else it was completed meanwhile, and looked at
          assertThat(here).as("%s of %s are durable where they came", acknowledged, put).isTrue();
          assertThat(there)
              .as("backups with %s of %s", acknowledged, put)
              .isGreaterThanOrEqualTo(factor);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private static boolean has(NodeProcess node, RawPut put, long bytes) throws IOException {
      for (Path file :
          List.of(
              node.staging().resolve(put.session() + ".part"), node.files().resolve(put.name()))) {
        try (InputStream in = Files.newInputStream(file)) {
          return begins(in, put.content(), bytes);
        } catch (NoSuchFileException e) {
          // perhaps it has its name by now
        }
      }
      return false;
    }

    private static boolean begins(InputStream in, Content content, long bytes) throws IOException {
      byte[] piece = new byte[MIB];
      for (long at = 0; at < bytes; ) {
        int most = (int) Math.min(piece.length, bytes - at);
        int length = in.readNBytes(piece, 0, most);
        byte[] expected = content.bytes(at, length);
        if (length < most || !Arrays.equals(expected, Arrays.copyOf(piece, length))) {
          return false;
        }
        at += length;
      }
      return true;
    }

    @Override
    public void close() throws IOException {
      network.heal();
      nodes.forEach(NodeProcess::close);
      network.close();
    }

    @Override
    public String toString() {
      return "seed " + seed + ", " + factor + " copies: " + faults;
    }
  }
}
