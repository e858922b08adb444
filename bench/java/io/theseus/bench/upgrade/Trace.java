package io.theseus.bench.upgrade;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What clients saw in a stretch of time, as {@code load_upgrade} wrote it. */
final class Trace {
  private static final int RECORD = 24;

  /**
   * One arrival; times are nanoseconds of the wall clock.
   *
   * @param due when the wait for it began
   * @param arrived 0 where it has not
   * @param bytes 0 for RESUMED
   */
  record Arrival(long due, long arrived, int connection, int bytes) {
    boolean isResumed() {
      return bytes == 0;
    }
  }

  private final List<Arrival> arrivals;
  private final long written;

  /**
   * A trace.
   *
   * @param written when, for what had not arrived by then
   */
  Trace(List<Arrival> arrivals, long written) {
    this.arrivals = List.copyOf(arrivals);
    this.written = written;
  }

  static Trace read(Path file, long written) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.nativeOrder());
    List<Arrival> arrivals = new ArrayList<>(bytes.remaining() / RECORD);
    while (bytes.remaining() >= RECORD) {
      arrivals.add(new Arrival(bytes.getLong(), bytes.getLong(), bytes.getInt(), bytes.getInt()));
    }
    return new Trace(arrivals, written);
  }

  /** The longest wait of each connection, of those that lie between two times, if only in part. */
  Delays longest(long from, long to) {
    Map<Integer, Long> longest = new HashMap<>();
    for (Arrival each : arrivals) {
      long end = each.arrived() == 0 ? written : each.arrived();
      if (!each.isResumed() && end >= from && each.due() < to) {
        longest.merge(each.connection(), Math.max(0, end - each.due()), Math::max);
      }
    }
    Delays delays = new Delays();
    longest.values().forEach(delays::add);
    return delays;
  }

  /** Bytes that came between two times. */
  long bytes(long from, long to) {
    return arrivals.stream()
        .filter(each -> each.arrived() >= from && each.arrived() < to)
        .mapToLong(Arrival::bytes)
        .sum();
  }

  /** When each connection was told RESUMED for the first time since then. */
  Map<Integer, Long> resumed(long since) {
    Map<Integer, Long> first = new HashMap<>();
    for (Arrival each : arrivals) {
      if (each.isResumed() && each.arrived() >= since) {
        first.merge(each.connection(), each.arrived(), Math::min);
      }
    }
    return first;
  }

  /** Connections that acknowledged something between two times. */
  List<Integer> withTraffic(long from, long to) {
    return arrivals.stream()
        .filter(each -> !each.isResumed() && each.due() >= from && each.due() < to)
        .map(Arrival::connection)
        .distinct()
        .toList();
  }
}
