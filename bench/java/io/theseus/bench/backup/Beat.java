package io.theseus.bench.backup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A heartbeat as it came to a node, see {@link Heartbeats}.
 *
 * @param node who got it
 * @param atMillis when, by the wall clock
 * @param gapMillis since the last one of the same other node
 * @param phi of that node, just before
 */
record Beat(String node, long atMillis, double gapMillis, double phi) {
  /** The columns of {@link #csv}. */
  static final String COLUMNS = "node,at ms,gap ms,phi";

  /** All of a node. */
  static List<Beat> read(String node, Path file) throws IOException {
    List<Beat> beats = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      String[] words = line.split(" ", -1);
      beats.add(
          new Beat(
              node,
              Long.parseLong(words[0]),
              Double.parseDouble(words[1]),
              Double.parseDouble(words[2])));
    }
    return beats;
  }

  /** Whether it was waited for at some time in between. */
  boolean isWithin(long fromMillis, long toMillis) {
    return atMillis >= fromMillis && atMillis - gapMillis <= toMillis;
  }

  String csv() {
    return String.format(Locale.ROOT, "%s,%d,%.1f,%.6f", node, atMillis, gapMillis, phi);
  }

  /** What is told of many. */
  static String summary(List<Beat> beats) {
    double[] sorted = beats.stream().mapToDouble(Beat::gapMillis).sorted().toArray();
    return String.format(
        Locale.ROOT,
        "gaps of %.0f ms in the median, %.0f ms at p99, %.0f ms at most; the highest phi was %.3g",
        quantile(sorted, 0.5),
        quantile(sorted, 0.99),
        quantile(sorted, 1),
        beats.stream().mapToDouble(Beat::phi).max().orElse(0));
  }

  private static double quantile(double[] sorted, double share) {
    return sorted.length == 0 ? 0 : sorted[(int) Math.ceil(share * sorted.length) - 1];
  }
}
