package io.theseus.bench.upgrade;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** How busy the machine is, as the kernel counts it; see proc_stat(5). */
final class Processors {
  /** Of the line's numbers: idle and iowait. */
  private static final int IDLE = 3;

  private static final int WAITING = 4;

  private Processors() {}

  /** Ticks of all processors: those in which they did something, and all. */
  static long[] read() throws IOException {
    String first = Files.readAllLines(Path.of("/proc/stat")).get(0);
    long[] ticks =
        Arrays.stream(first.trim().split(" +", -1)).skip(1).mapToLong(Long::parseLong).toArray();
    // guests' time is in user's time, too
    long all = Arrays.stream(ticks).limit(8).sum();
    return new long[] {all - ticks[IDLE] - ticks[WAITING], all};
  }

  /** How many there are, whichever this process may run on. */
  static int count() throws IOException {
    return (int)
        Files.readAllLines(Path.of("/proc/stat")).stream()
            .filter(line -> line.matches("cpu\\d.*"))
            .count();
  }

  /** The share that did something between two readings. */
  static double busy(long[] before, long[] after) {
    return after[1] == before[1] ? 0 : (after[0] - before[0]) / (double) (after[1] - before[1]);
  }
}
