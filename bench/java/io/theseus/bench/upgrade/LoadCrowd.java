package io.theseus.bench.upgrade;

import io.theseus.bench.Lab;
import io.theseus.bench.Usage;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** The clients of a cell: the program {@code load_upgrade}, and what it can be told. */
final class LoadCrowd implements AutoCloseable {
  /**
   * How far a switch is, as clients see it.
   *
   * @param resumed sessions that were told RESUMED since {@link #begin}, or ended or began
   * @param stalledAt when the node was stopped, nanoseconds of the wall clock; 0 where it was not
   */
  record Count(int resumed, long stalledAt) {}

  private final Lab lab;
  private final Process process;
  private final BufferedReader out;
  private final BufferedWriter in;

  /** Connects all of them, and waits until each has got something. */
  LoadCrowd(Lab lab, Cell cell, int port, String name, long seed) throws IOException {
    this.lab = lab;
    process = lab.startLoad(command(lab, cell, port, name, seed));
    out = process.inputReader(StandardCharsets.US_ASCII);
    in = process.outputWriter(StandardCharsets.US_ASCII);
    expect("ready");
  }

  private static List<String> command(Lab lab, Cell cell, int port, String name, long seed) {
    return List.of(
        lab.tool("load_upgrade"),
        "--port",
        Integer.toString(port),
        "--connections",
        Integer.toString(cell.connections()),
        "--kind",
        cell.kind().label(),
        "--window",
        Integer.toString(cell.window()),
        "--interval",
        Long.toString(cell.interval().toNanos() / 1000),
        "--name",
        name,
        "--seed",
        Long.toString(seed));
  }

  /** Forgets which sessions were told RESUMED. */
  void begin() throws IOException {
    tell("begin");
    expect("begun"); // what comes behind is counted
  }

  /** Another interval between acknowledgements, from now on. */
  void pace(Duration interval) throws IOException {
    tell("pace " + interval.toNanos() / 1000);
  }

  /** CPU time of the program. */
  double cpuSeconds() throws IOException {
    return Usage.cpuSeconds(process.toHandle());
  }

  /** At the next RESUMED a process is stopped for so long. */
  void stall(long pid, Duration time) throws IOException {
    tell("stall " + pid + " " + time.toNanos() / 1000);
    expect("armed");
  }

  /** How far the switch is. */
  Count count() throws IOException {
    tell("count");
    String[] words = expect("count").split(" ", -1);
    return new Count(Integer.parseInt(words[1]), Long.parseLong(words[2]));
  }

  /** Writes what was due between two times of the wall clock, and all RESUMED since the first. */
  void dump(long from, long to, Path file) throws IOException {
    tell("dump " + from + " " + to + " " + file);
    expect("dumped");
  }

  private void tell(String command) throws IOException {
    in.write(command + "\n");
    in.flush();
  }

  private String expect(String word) throws IOException {
    String line = out.readLine();
    if (line == null || !line.startsWith(word)) {
      throw new IOException("load_upgrade said " + line + " (expected: " + word + ")");
    }
    return line;
  }

  @Override
  public void close() {
    lab.end(process);
  }
}
