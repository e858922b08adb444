package io.theseus.bench.upgrade;

import io.theseus.admin.NodeStatus;
import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.admin.Operations.ActView;
import io.theseus.admin.Operations.Canary;
import io.theseus.admin.Operations.Order;
import io.theseus.admin.Operations.Phase;
import io.theseus.admin.jmx.RunFile;
import io.theseus.admin.jmx.StatusClient;
import io.theseus.bench.Lab;
import io.theseus.bench.Usage;
import io.theseus.client.NodeAddress;
import io.theseus.module.LabModules;
import io.theseus.testing.NodeGauges;
import io.theseus.testing.Program;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A node of the benchmark's, and its operator: pinned to the servers' processor, upgraded to one
 * version of a module after another.
 */
final class UpgradedNode implements AutoCloseable {
  private static final String NAME = "node1";

  /** What the node says right behind each switch. */
  private static final String IN_FORCE = "in force: ";

  /** What it says when the last session has followed, of all that it has on its one loop. */
  private static final String FOLLOWED = " sessions followed the switch within ";

  /** Nobody waits for faults to show: an act is over when all have switched. */
  private static final Order ORDER = new Order("bench", Set.of(), Optional.of(Duration.ZERO));

  private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(2);

  private static final String CHANNEL =
      """
      import io.theseus.channel.*;

      public final class Ferry implements DataChannel {
        @Override
        public Range next(Progress progress) {
          long left = progress.end() - progress.position();
          return new Range(progress.position(), (int) Math.min(left, %d));
        }
      }
      """;

  private final Lab lab;
  private final Path data;
  private final Process process;
  private final NodeAddress address;
  private final NodeGauges gauges;
  private final Operations operations;
  private int version;

  /** Starts one that serves the lab's site. */
  UpgradedNode(Lab lab) throws IOException {
    this.lab = lab;
    data = lab.directory().resolve("data");
    Lab.remove(data);
    Path runFile = RunFile.in(data);
    process = lab.serve(NAME, command());
    try {
      lab.await(NAME, process, () -> RunFile.read(runFile).isPresent());
      RunFile run = RunFile.read(runFile).orElseThrow();
      address = NodeAddress.parse(run.packets());
      gauges = NodeGauges.of(data);
      operations = StatusClient.operations(run);
      lab.await(NAME, process, this::takesOrders);
    } catch (IOException | RuntimeException e) {
      lab.end(process);
      throw e;
    }
  }

  private ProcessBuilder command() throws IOException {
    return Program.command(
        lab.directory(),
        Lab.nodeOptions(),
        List.of(
            "node",
            "--root",
            lab.site().toString(),
            "--set",
            "data-dir=" + data,
            "--set",
            "packets.port=0",
            "--set",
            "packets.idle=1h",
            "--set",
            "threads.event-loop-nice=-10",
            "--set",
            "cluster.port=0"));
  }

  private boolean takesOrders() {
    try {
      return status().code().standing().equals("current");
    } catch (IOException e) {
      return false;
    }
  }

  /** Compiles and signs the next version; takes a processor for a moment, not the node's. */
  Path nextModule() throws IOException {
    version++;
    // other code, not just another number
    int most = version % 2 == 0 ? 4 << 20 : 8 << 20;
    try {
      return Files.write(
          lab.directory().resolve("ferry.jar"),
          LabModules.signed(
              "Ferry",
              Integer.toString(version),
              CHANNEL.formatted(most),
              data.resolve("modules").resolve("lab.key")));
    } catch (IOException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException(e);
    }
  }

  int port() {
    return address.port();
  }

  long pid() {
    return process.pid();
  }

  /** What status shows. */
  NodeStatus status() throws IOException {
    return gauges.status();
  }

  // ---- acts

  /**
   * An act that was ordered.
   *
   * @param id of it
   * @param ordered when, in nanoseconds of the wall clock
   * @param logged where the log was at that time
   */
  record Ordered(String id, long ordered, long logged) {}

  /** Begins to upgrade all sessions. */
  Ordered upgrade(Path module) throws IOException {
    byte[] jar = Files.readAllBytes(module);
    return order(() -> operations.upgrade(jar, Optional.empty(), ORDER));
  }

  /**
   * The same act for a session that does not exist: all is done and put in force, and no session
   * changes its code.
   */
  Ordered upgradeNobody(Path module) throws IOException {
    byte[] jar = Files.readAllBytes(module);
    Canary nobody = new Canary(Optional.of(UUID.randomUUID()), /* percent= */ 0);
    return order(() -> operations.upgrade(jar, Optional.of(nobody), ORDER));
  }

  /** Begins to give all sessions what {@link #upgradeNobody} has put in force for none. */
  Ordered promote() throws IOException {
    return order(() -> operations.promote(ORDER));
  }

  /** Begins to take back the last act. */
  Ordered undo() throws IOException {
    return order(() -> operations.undo(ORDER));
  }

  @FunctionalInterface
  private interface Asked<T> {
    T answer() throws OperationException;
  }

  private Ordered order(Asked<ActView> act) throws IOException {
    long logged = Files.size(lab.log(NAME));
    long ordered = now();
    return new Ordered(ask(act).id(), ordered, logged);
  }

  private static <T> T ask(Asked<T> question) throws IOException {
    try {
      return question.answer();
    } catch (OperationException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  /** Whether an act is over; it has to be confirmed then. */
  private boolean isOver(Ordered act) throws IOException {
    ActView view = ask(() -> operations.act(act.id())).orElseThrow();
    if (view.phase().isOver() && view.phase() != Phase.CONFIRMED) {
      throw new IOException(
          view.what()
              + ": "
              + view.phase().label()
              + ": "
              + view.reason()
              + " (expected: confirmed)");
    }
    return view.phase().isOver();
  }

  /** Waits until an act has switched: when, in nanoseconds of the wall clock, to a millisecond. */
  long awaitSwitch(Ordered act) throws IOException {
    return await(act, IN_FORCE);
  }

  /** Waits until all sessions have followed: when, in nanoseconds of the wall clock. */
  long awaitFollowed(Ordered act) throws IOException {
    return await(act, FOLLOWED);
  }

  private long await(Ordered act, String told) throws IOException {
    long end = System.nanoTime() + PATIENCE_NANOS;
    while (System.nanoTime() < end) {
      Optional<Long> at = timeOf(told, logSince(act.logged()));
      if (at.isPresent()) {
        return at.get();
      }
      Lab.pause();
    }
    boolean over = isOver(act); // says so where it failed
    throw new IOException(act.id() + ": " + told + ": not told, over: " + over);
  }

  private String logSince(long position) throws IOException {
    try (RandomAccessFile log = new RandomAccessFile(lab.log(NAME).toFile(), "r")) {
      byte[] bytes = new byte[(int) Math.max(0, log.length() - position)];
      log.seek(position);
      log.readFully(bytes);
      return new String(bytes, StandardCharsets.UTF_8);
    }
  }

  /** The first whole line of a log that tells something: its time. */
  static Optional<Long> timeOf(String told, String log) {
    return log.substring(0, log.lastIndexOf('\n') + 1)
        .lines()
        .dropWhile(line -> !line.contains(IN_FORCE)) // an earlier act is being followed yet
        .filter(line -> line.contains(told))
        .map(line -> nanos(OffsetDateTime.parse(line.split(" ", 2)[0]).toInstant()))
        .findFirst();
  }

  /** Waits until an act is over. */
  void awaitEnd(Ordered act) throws IOException {
    long end = System.nanoTime() + PATIENCE_NANOS;
    while (!isOver(act)) {
      if (System.nanoTime() > end) {
        throw new IOException(act.id() + ": is not over");
      }
      Lab.pause();
    }
  }

  /** The wall clock. */
  static long now() {
    return nanos(Instant.now());
  }

  private static long nanos(Instant at) {
    return TimeUnit.SECONDS.toNanos(at.getEpochSecond()) + at.getNano();
  }

  // ---- what it uses

  /** CPU time of the process. */
  double cpuSeconds() throws IOException {
    return Usage.cpuSeconds(process.toHandle());
  }

  /** CPU time of its event loops, on which the actors of sessions live, too. */
  double loopSeconds() throws IOException {
    double sum = 0;
    try (Stream<Path> threads = Files.list(Path.of("/proc", Long.toString(pid()), "task"))) {
      for (Path thread : threads.toList()) {
        try {
          if (Files.readString(thread.resolve("comm")).startsWith(NAME + "-loop")) {
            String nanos = Files.readString(thread.resolve("schedstat")).split(" ", 2)[0];
            sum += Long.parseLong(nanos) / 1e9;
          }
        } catch (NoSuchFileException e) {
          // it has ended
        }
      }
    }
    return sum;
  }

  /** Collects garbage now, so that what an act left isn't collected later. */
  void collect() throws IOException {
    var unused = gauges.read();
  }

  @Override
  public void close() throws IOException {
    try {
      gauges.close();
    } finally {
      lab.end(process);
    }
  }
}
