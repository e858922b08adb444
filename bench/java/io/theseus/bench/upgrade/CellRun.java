package io.theseus.bench.upgrade;

import io.theseus.bench.Lab;
import io.theseus.bench.upgrade.UpgradedNode.Ordered;
import io.theseus.bench.upgrade.Window.Phase;
import io.theseus.bench.upgrade.Window.What;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.zip.GZIPOutputStream;

/**
 * One cell: a node of its own, a crowd, and windows of all kinds in a random order. The crowd never
 * pauses; between two windows it is left alone for a moment.
 */
final class CellRun {
  static final Duration STALL = Duration.ofMillis(5);

  /** The file that all clients get: long, so that a session seldom ends. */
  static final String FILE = "large";

  static final long FILE_BYTES = 1L << 30;

  /**
   * Acts before the first window, unless others are wanted: what a node does for them is compiled
   * by then, as far as compilers get within some minutes.
   */
  static final int WARM_UP_ACTS = 50;

  private static final Duration WARM_UP = Duration.ofSeconds(5);

  /** Less than the 40 % that are asked for: a window has more to do than this. */
  private static final double MOST_BUSY = 0.33;

  private static final int SLOWER = 4;
  private static final Duration REST = Duration.ofMillis(300);

  /** For a segment that is on its way at the end of a window. */
  private static final Duration SETTLE = Duration.ofMillis(200);

  /** Waits that began before a window, and end in it. */
  private static final Duration LONGEST = Duration.ofSeconds(1);

  /** Who has not followed by then never does; the next window begins when all have. */
  static final Duration TO_FOLLOW = Duration.ofMinutes(1);

  /** A session that acknowledges in here has to be switched within the target's 100 ms. */
  private static final Duration TRAFFIC = Duration.ofMillis(50);

  private final Lab lab;
  private Cell cell;
  private final int windows;
  private final int acts;
  private final boolean quick;
  private final Random random;
  private final Path traces;
  private final PrintStream progress;
  private final List<Window> measured = new ArrayList<>();
  private int kept;

  /**
   * What was measured.
   *
   * @param first the first switch of the node, whose code for it is not compiled yet
   */
  record Result(Cell cell, List<Window> windows, Window first) {
    Result {
      windows = List.copyOf(windows);
    }
  }

  /**
   * A run.
   *
   * @param windows of each kind; of control twice as many
   * @param acts before the first of them
   * @param traces gets the raw traces of this cell
   */
  CellRun(
      Lab lab,
      Cell cell,
      int windows,
      int acts,
      boolean quick,
      long seed,
      Path traces,
      PrintStream progress) {
    this.lab = lab;
    this.cell = cell;
    this.windows = windows;
    this.acts = acts;
    this.quick = quick;
    this.random = new Random(seed);
    this.traces = traces;
    this.progress = progress;
  }

  Result run() throws IOException {
    Lab.remove(traces);
    Files.createDirectories(traces);
    List<What> order = new ArrayList<>();
    for (What what : What.values()) {
      order.addAll(Collections.nCopies(what == What.CONTROL ? 2 * windows : windows, what));
    }
    Collections.shuffle(order, random);
    try (UpgradedNode node = new UpgradedNode(lab);
        LoadCrowd crowd = new LoadCrowd(lab, cell, node.port(), FILE, random.nextInt(1 << 30))) {
      sleep(quick ? REST : WARM_UP);
      if (!quick && !cell.kind().saturates()) {
        slowDown(node, crowd);
      }
      Window first = window(node, crowd, What.SWITCH);
      for (int i = 0; i < acts; i++) {
        crowd.begin();
        node.awaitEnd(node.upgrade(node.nextModule()));
        awaitFollowers(crowd, UpgradedNode.now());
        sleep(REST);
      }
      for (What what : order) {
        Window window = window(node, crowd, what);
        measured.add(window);
        tell(window);
      }
      return new Result(cell, measured, first);
    }
  }

  /** The machine is to have most of its time left: a busy one stalls by itself. */
  private void slowDown(UpgradedNode node, LoadCrowd crowd) throws IOException {
    double busy = busy(node, crowd);
    for (int i = 0; i < SLOWER && busy > MOST_BUSY; i++) {
      cell = cell.slower();
      crowd.pace(cell.interval());
      sleep(WARM_UP);
      progress.printf(
          Locale.ROOT, "%-17s %.0f %% busy, now %s%n", cell.name(), 100 * busy, cell.load());
      busy = busy(node, crowd);
    }
  }

  /** What node and clients use of all processors, whatever else runs. */
  private static double busy(UpgradedNode node, LoadCrowd crowd) throws IOException {
    long began = System.nanoTime();
    double before = node.cpuSeconds() + crowd.cpuSeconds();
    sleep(WARM_UP);
    double used = node.cpuSeconds() + crowd.cpuSeconds() - before;
    double wall = (System.nanoTime() - began) / 1e9;
    return used / wall / Processors.count();
  }

  private void tell(Window window) {
    Delays waits = window.waits().get(Phase.SWITCH);
    if (waits == null || waits.size() == 0) {
      progress.println(cell.name() + ": a window in which nobody got anything");
      return;
    }
    progress.printf(
        Locale.ROOT,
        "%-17s %3d of %d  %-28s p50 %.3f  p99 %.3f  max %.3f ms, %.0f %% busy%n",
        cell.name(),
        measured.size(),
        5 * windows,
        window.what().title(),
        Statistic.P50.of(waits),
        Statistic.P99.of(waits),
        Statistic.MAX.of(waits),
        100 * window.busy());
  }

  private Window window(UpgradedNode node, LoadCrowd crowd, What what) throws IOException {
    Path module = node.nextModule();
    sleep(REST);
    crowd.begin();
    if (what == What.STALL) {
      crowd.stall(node.pid(), STALL);
    }
    Ordered act = null;
    long moment;
    long[] before = Processors.read();
    if (what == What.CONTROL) {
      moment = UpgradedNode.now() + Window.BEFORE.toNanos();
    } else {
      act = what == What.ALL_BUT ? node.upgradeNobody(module) : node.upgrade(module);
      moment = node.awaitSwitch(act);
    }
    sleepUntil(moment + Window.SECOND.plus(SETTLE).toNanos());
    double busy = Processors.busy(before, Processors.read());
    long allFollowed = 0;
    if (act != null && what.isSwitch()) {
      allFollowed = node.awaitFollowed(act);
      awaitFollowers(crowd, moment);
    }
    if (what == What.STALL && crowd.count().stalledAt() == 0) {
      throw new IOException("no session was told RESUMED (expected: a stall at the first one)");
    }
    long from = (act == null ? moment - Window.BEFORE.toNanos() : act.ordered());
    Window window = read(crowd, what, moment, from, busy, allFollowed);
    if (act != null) {
      node.awaitEnd(act);
    }
    if (act != null && what == What.ALL_BUT) {
      node.awaitEnd(node.undo());
    }
    return window;
  }

  private void awaitFollowers(LoadCrowd crowd, long moment) throws IOException {
    long end = moment + TO_FOLLOW.toNanos();
    while (crowd.count().resumed() < cell.connections() && UpgradedNode.now() < end) {
      sleep(Duration.ofMillis(50));
    }
  }

  private Window read(
      LoadCrowd crowd, What what, long logged, long from, double busy, long allFollowed)
      throws IOException {
    Path file = lab.directory().resolve("trace");
    long to = logged + Window.SECOND.plus(SETTLE).toNanos();
    crowd.dump(from - LONGEST.toNanos(), to, file);
    Trace trace = Trace.read(file, UpgradedNode.now());
    keep(file, what, logged);

    Map<Integer, Long> resumed = what.isSwitch() ? trace.resumed(from) : Map.of();
    // the log says it to a millisecond, and the node may have said it late
    long moment = resumed.values().stream().reduce(logged, Math::min);
    Map<Phase, Delays> waits = new EnumMap<>(Phase.class);
    long begin = moment - Window.BEFORE.toNanos();
    long around = moment + Window.AROUND.toNanos();
    waits.put(Phase.SWITCH, trace.longest(begin, around));
    waits.put(Phase.AFTER, trace.longest(around, moment + Window.SECOND.toNanos()));
    if (what != What.CONTROL) {
      long length = around - begin;
      long latest = Math.max(from, begin - length);
      long at = from + (long) (random.nextDouble() * (latest - from));
      waits.put(Phase.STAGING, trace.longest(at, Math.min(at + length, begin)));
    }
    Set<Integer> traffic = new HashSet<>();
    if (what.isSwitch()) {
      traffic.addAll(trace.withTraffic(moment, moment + TRAFFIC.toNanos()));
    }
    List<Double> followed = new ArrayList<>();
    // those with traffic first; RESUMED comes with the next packet, which may be long after it
    // followed
    traffic.forEach(
        connection ->
            followed.add(
                seconds(
                    Math.min(resumed.getOrDefault(connection, allFollowed), allFollowed), moment)));
    if (what.isSwitch() && traffic.size() < cell.connections()) {
      followed.add(seconds(allFollowed, moment));
    }
    return new Window(
        what,
        moment,
        waits,
        trace.bytes(moment, moment + Window.SECOND.toNanos()),
        busy,
        followed,
        traffic.size(),
        what.isSwitch() ? cell.connections() - crowd.count().resumed() : 0);
  }

  private static double seconds(long at, long moment) {
    return Math.max(0, at - moment) / 1e9;
  }

  private void keep(Path file, What what, long moment) throws IOException {
    String name = String.format(Locale.ROOT, "%03d-%s-%d.trace.gz", kept++, what.label(), moment);
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(traces.resolve(name)))) {
      Files.copy(file, out);
    }
    Files.delete(file);
  }

  private static void sleepUntil(long wall) {
    sleep(Duration.ofNanos(Math.max(0, wall - UpgradedNode.now())));
  }

  private static void sleep(Duration time) {
    try {
      Thread.sleep(time.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}
