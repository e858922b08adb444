package io.theseus.bench.upgrade;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.theseus.bench.upgrade.Trace.Arrival;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is read of a trace: the longest wait of each connection, RESUMED, bytes. */
final class TraceTest {
  private static final long MILLI = 1_000_000;

  @TempDir Path directory;

  @Test
  void shouldTakeTheLongestWaitOfEachConnection() {
    Delays waits =
        trace(data(10, 12, 1), data(20, 29, 1), data(30, 31, 1), data(15, 18, 2))
            .longest(ms(0), ms(50));

    assertThat(waits.size()).isEqualTo(2);
    assertThat(waits.quantile(1)).isEqualTo(9);
    assertThat(waits.quantile(0.5)).isCloseTo(3, within(0.01));
  }

  @Test
  void shouldTakeWaitsThatLieInAWindowInPart() {
    Trace trace = trace(data(10, 30, 1), data(45, 70, 2), data(60, 61, 3), data(1, 2, 4));

    assertThat(trace.longest(ms(20), ms(50)).size()).isEqualTo(2);
    assertThat(trace.longest(ms(20), ms(50)).quantile(1)).isEqualTo(25);
  }

  @Test
  void shouldCountWhatHasNotComeByTheTimeOfWriting() {
    assertThat(trace(new Arrival(ms(40), 0, 1, 64)).longest(ms(20), ms(50)).quantile(1))
        .isEqualTo(960);
  }

  @Test
  void shouldTellWhenSessionsFollowedAndWhatCame() {
    Trace trace =
        trace(resumed(5, 1), resumed(25, 1), resumed(35, 1), resumed(21, 2), data(20, 24, 1));

    assertThat(trace.resumed(ms(20))).containsOnlyKeys(1, 2).containsEntry(1, ms(25));
    assertThat(trace.bytes(ms(20), ms(50))).isEqualTo(64);
    assertThat(trace.bytes(ms(25), ms(50))).isZero();
    assertThat(trace.withTraffic(ms(15), ms(21))).containsExactly(1);
  }

  @Test
  void shouldReadWhatTheClientWrites() throws Exception {
    ByteBuffer record =
        ByteBuffer.allocate(24)
            .order(ByteOrder.nativeOrder())
            .putLong(ms(1))
            .putLong(ms(4))
            .putInt(7)
            .putInt(64);
    Path file = Files.write(directory.resolve("trace"), record.array());

    assertThat(Trace.read(file, ms(1000)).longest(ms(0), ms(10)).quantile(1)).isEqualTo(3);
  }

  @Test
  void shouldFindASwitchInALog() {
    String line = "2026-11-26T16:15:05.206Z INFO  node1 [-] NodeRevisions: in force: ferry@2\n";
    assertThat(
            UpgradedNode.timeOf("in force: ", "another line\n" + line + line.replace("206", "999")))
        .isEqualTo(Optional.of(TimeUnit.SECONDS.toNanos(1795709705) + ms(206)));
    assertThat(UpgradedNode.timeOf("in force: ", line.strip())).as("not whole yet").isEmpty();
  }

  private static Trace trace(Arrival... arrivals) {
    return new Trace(List.of(arrivals), /* written= */ ms(1000));
  }

  private static Arrival data(long due, long arrived, int connection) {
    return new Arrival(ms(due), ms(arrived), connection, 64);
  }

  private static Arrival resumed(long at, int connection) {
    return new Arrival(ms(at), ms(at), connection, 0);
  }

  private static long ms(long millis) {
    return millis * MILLI;
  }
}
