package io.theseus.recovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.admin.Operations;
import io.theseus.admin.Operations.ActView;
import io.theseus.admin.Operations.Phase;
import io.theseus.module.LabModules;
import io.theseus.testing.Content;
import io.theseus.testing.NodeGauges;
import io.theseus.testing.NodeProcess;
import io.theseus.testing.RawGet;
import io.theseus.testing.RawPut;
import io.theseus.testing.RawTransfer;
import io.theseus.testing.SoakResults;
import io.theseus.testing.Trend;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Upgrades in a row under transfers in both directions: no connection is lost, no byte is wrong,
 * and nothing of a version stays behind.
 */
@Tag("processes")
@Tag("once") // says nothing of a version of Java
final class ManyUpgradesTest {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final Content CONTENT = Content.random(11, 256 << 10);
  private static final int PACKET = 16 << 10;
  private static final int WINDOW = 64 << 10;

  /** Of all transfers together: a few in a hundred of a processor. */
  private static final int PACKETS_A_SECOND = 1_000;

  private static final int TICKS_A_SECOND = 100;

  private static final int SOAK_UPGRADES = 1_000;
  private static final int SOAK_TRANSFERS = 1_000;

  /** Upgrades between two readings. */
  private static final int SOAK_STEP = 20;

  private static final String CHANNEL =
      """
      import io.theseus.channel.*;

      public final class Bursts implements DataChannel {
        @Override
        public Range next(Progress progress) {
          return new Range(
              progress.position(), (int) Math.min(%d, progress.end() - progress.position()));
        }
      }
      """;

  private @TempDir Path directory;
  private int version;

  @Test
  void shouldDisturbNobody() throws Exception {
    try (NodeProcess node = start();
        NodeGauges gauges = NodeGauges.of(node.dataDir());
        Clients clients = new Clients(node, 40)) {
      upgrade(node);
      upgrade(node); // from here on there are one that serves and one before it
      NodeGauges.Code before = gauges.code();
      for (int i = 0; i < 10; i++) {
        upgrade(node);
      }
      await("threads and classes of versions that are gone are gone")
          .atMost(PATIENCE)
          .untilAsserted(
              () -> {
                NodeGauges.Code after = gauges.code();
                assertThat(after.threads()).isLessThanOrEqualTo(before.threads() + 2);
                assertThat(after.classes()).isLessThanOrEqualTo(before.classes() + 20);
              });
      clients.end();
      assertThat(clients.completed.get()).isGreaterThan(40);
    }
  }

  /** The long count, in one piece: what a node uses says nothing of the next one. */
  @Test
  @Tag("soak")
  @Tag("upgrades")
  void shouldDisturbNobodyAThousandTimes() throws Exception {
    SoakResults results = new SoakResults("upgrades");
    List<Double> upgrades = new ArrayList<>();
    List<NodeGauges.Code> readings = new ArrayList<>();
    results.add("# upgrades classes metaspace-bytes threads descriptors heap-bytes");
    try (NodeProcess node = start();
        NodeGauges gauges = NodeGauges.of(node.dataDir());
        Clients clients = new Clients(node, SOAK_TRANSFERS)) {
      for (int i = 1; i <= SOAK_UPGRADES; i++) {
        upgrade(node);
        if (i % SOAK_STEP == 0) {
          NodeGauges.Code code = gauges.code();
          upgrades.add((double) i);
          readings.add(code);
          results.add(
              "%d %d %d %d %d %d"
                  .formatted(
                      i,
                      code.classes(),
                      code.metaspaceBytes(),
                      code.threads(),
                      code.descriptors(),
                      code.heapBytes()));
        }
      }
      clients.end();
      results.add("# transfers completed: " + clients.completed);
      List<Double> last = upgrades.subList(upgrades.size() / 2, upgrades.size());
      List<NodeGauges.Code> of = readings.subList(readings.size() / 2, readings.size());
      requireFlat("classes", last, of, NodeGauges.Code::classes, results);
      requireFlat("metaspace", last, of, NodeGauges.Code::metaspaceBytes, results);
      requireFlat("threads", last, of, NodeGauges.Code::threads, results);
      requireFlat("descriptors", last, of, NodeGauges.Code::descriptors, results);
      results.done();
    } catch (Exception | Error e) {
      results.failed(e);
      throw e;
    }
  }

  private static void requireFlat(
      String what,
      List<Double> upgrades,
      List<NodeGauges.Code> readings,
      ToDoubleFunction<NodeGauges.Code> value,
      SoakResults results) {
    Trend trend = Trend.of(upgrades, readings.stream().mapToDouble(value).boxed().toList());
    results.add("# " + what + " by upgrade: " + trend);
    assertThat(trend.grows()).as("%s by upgrade: %s", what, trend).isFalse();
  }

  private NodeProcess start() {
    NodeProcess node = NodeProcess.start(directory, "log.level=warn", "modules.watch=0");
    assertThat(put("in").run(node.address())).isEqualTo(RawTransfer.End.COMPLETE);
    return node;
  }

  private static RawTransfer put(String name) {
    return new RawPut(name, CONTENT, /* sized= */ true, PACKET, WINDOW);
  }

  private void upgrade(NodeProcess node) throws Exception {
    Path labKey = node.dataDir().resolve("modules").resolve("lab.key");
    byte[] jar =
        LabModules.signed(
            "Bursts", String.valueOf(++version), CHANNEL.formatted(10_000 + version), labKey);
    ActView begun =
        node.operations()
            .upgrade(
                jar,
                Optional.empty(),
                new Operations.Order("ann", Set.of(), Optional.of(Duration.ZERO)));
    ActView ended =
        await()
            .atMost(PATIENCE)
            .pollInterval(Duration.ofMillis(20))
            .until(
                () -> node.operations().act(begun.id()).orElse(begun), act -> act.phase().isOver());
    assertThat(ended.phase()).as(ended.toString()).isEqualTo(Phase.CONFIRMED);
  }

  /** Transfers, half of each direction, each followed by the next as soon as it is over. */
  private static final class Clients implements AutoCloseable {
    final AtomicLong completed = new AtomicLong();
    private final NodeProcess node;
    private final Semaphore packets = new Semaphore(0);
    private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
    private final ScheduledExecutorService pacer = Executors.newSingleThreadScheduledExecutor();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private volatile boolean ending;

    Clients(NodeProcess node, int count) {
      this.node = node;
      var unused =
          pacer.scheduleAtFixedRate(
              () -> packets.release(PACKETS_A_SECOND / TICKS_A_SECOND),
              0,
              1_000 / TICKS_A_SECOND,
              TimeUnit.MILLISECONDS);
      for (int i = 0; i < count; i++) {
        int number = i;
        threads.execute(() -> run(number));
      }
    }

    private void run(int number) {
      try {
        while (!ending) {
          RawTransfer transfer =
              number % 2 == 0 ? new RawGet("in", CONTENT, WINDOW, PACKET) : put("out-" + number);
          RawTransfer.End end = transfer.paced(packets::acquireUninterruptibly).run(node.address());
          if (end != RawTransfer.End.COMPLETE) {
            throw new AssertionError(transfer + ": " + end + ": " + transfer.loss());
          }
          completed.incrementAndGet();
        }
      } catch (Throwable e) {
        failures.add(e);
      }
    }

    /** Lets all that have begun end. */
    void end() throws InterruptedException {
      ending = true;
      packets.release(Integer.MAX_VALUE / 2);
      threads.shutdown();
      assertThat(threads.awaitTermination(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
      assertThat(failures).isEmpty();
    }

    @Override
    public void close() {
      ending = true;
      pacer.shutdownNow();
      packets.release(Integer.MAX_VALUE / 2);
      threads.shutdownNow();
    }
  }
}
