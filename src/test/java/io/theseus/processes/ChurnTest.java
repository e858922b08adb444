package io.theseus.processes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.testing.NodeGauges;
import io.theseus.testing.NodeGauges.Reading;
import io.theseus.testing.NodeProcess;
import io.theseus.testing.SoakResults;
import io.theseus.testing.Trend;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Sessions that come and go in every way, in rounds; behind each round, with nobody connected, the
 * node uses what it used before.
 */
@Tag("processes")
@Tag("once") // says nothing of a version of Java
final class ChurnTest {
  private static final Duration SOAK_TIME = Duration.ofMinutes(45);
  private static final Duration SOAK_ROUND = Duration.ofSeconds(45);
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Rounds of the soak in which the JVM is still warming up: they say nothing of leaks. */
  private static final int WARM_UP = 5;

  @Test
  void shouldUseNoMoreWhenSessionsHaveGone(@TempDir Path directory) throws Exception {
    try (NodeProcess node = start(directory);
        NodeGauges gauges = NodeGauges.of(node.dataDir());
        Churn churn = new Churn(node, 4, 1)) {
      churn.run(Duration.ofSeconds(3));
      Reading before = settled(gauges);
      long sessions = churn.sessions();
      churn.run(Duration.ofSeconds(5));
      Reading after = settled(gauges);
      long more = churn.sessions() - sessions;

      assertThat(more).isGreaterThan(100);
      // a connection of the management protocol is closed when it was idle for a while
      await("descriptors: no more than " + before.descriptors())
          .atMost(PATIENCE)
          .until(() -> gauges.descriptors() <= before.descriptors());
      assertThat(after.threads()).as("threads").isLessThanOrEqualTo(before.threads() + 4);
      // a session that stays is 800 bytes at least (measured), and a JVM that warms up takes some
      assertThat(after.heapBytes() - before.heapBytes())
          .as("heap that %d sessions left", more)
          .isLessThan((2L << 20) + more * 400);
    }
  }

  /** The long run. It is done in one piece: what a node uses says nothing of the next one. */
  @Test
  @Tag("soak")
  @Tag("churn")
  void shouldUseNoMoreAfterFortyFiveMinutes(@TempDir Path directory) throws Exception {
    SoakResults results = new SoakResults("churn");
    List<Double> sessions = new ArrayList<>();
    List<Reading> readings = new ArrayList<>();
    results.add("# sessions heap-bytes buffer-bytes resident-bytes threads descriptors");
    try (NodeProcess node = start(directory);
        NodeGauges gauges = NodeGauges.of(node.dataDir());
        Churn churn = new Churn(node, 4, 2)) {
      long end = System.nanoTime() + SOAK_TIME.toNanos();
      while (System.nanoTime() < end) {
        churn.run(SOAK_ROUND);
        Reading reading = settled(gauges);
        sessions.add((double) churn.sessions());
        readings.add(reading);
        results.add(
            "%d %d %d %d %d %d"
                .formatted(
                    churn.sessions(),
                    reading.heapBytes(),
                    reading.bufferBytes(),
                    reading.residentBytes(),
                    reading.threads(),
                    reading.descriptors()));
      }
      results.add("# " + churn.summary());
      Trend heap = trend(sessions, readings, Reading::heapBytes);
      Trend threads = trend(sessions, readings, Reading::threads);
      Trend descriptors = trend(sessions, readings, Reading::descriptors);
      results.add("# heap, bytes by session: " + heap);
      results.add("# threads by session: " + threads);
      results.add("# descriptors by session: " + descriptors);
      assertThat(heap.grows()).as("heap after full collections: %s", heap).isFalse();
      assertThat(threads.grows()).as("threads: %s", threads).isFalse();
      assertThat(descriptors.grows()).as("descriptors: %s", descriptors).isFalse();
      results.done();
    } catch (Exception | Error e) {
      results.failed(e);
      throw e;
    }
  }

  private static Trend trend(
      List<Double> sessions, List<Reading> readings, ToLongFunction<Reading> value) {
    int warm = readings.size() > 2 * WARM_UP ? WARM_UP : 0;
    return Trend.of(
        sessions.subList(warm, sessions.size()),
        readings.subList(warm, readings.size()).stream()
            .map(each -> (double) value.applyAsLong(each))
            .toList());
  }

  /** An unfinished upload is kept for seconds, so that those that nobody resumes go, too. */
  private static NodeProcess start(Path directory) {
    return NodeProcess.start(
        directory, "session.keep=5s", "session.mark-bytes=1 MiB", "log.level=error");
  }

  /** Reads when no session and no connection is left. */
  private static Reading settled(NodeGauges gauges) throws Exception {
    await("all sessions are over")
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(200))
        .until(
            () ->
                gauges.status().sessions().values().stream().allMatch(count -> count == 0)
                    && gauges.status().counters().getOrDefault("connections-open", 1L) == 0);
    return gauges.read();
  }
}
