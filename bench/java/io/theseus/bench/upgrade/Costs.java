package io.theseus.bench.upgrade;

import io.theseus.bench.Lab;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a switch costs a node for each session: CPU, the event loops' of it, and the journal.
 *
 * <p>The code is made ready beforehand, by the act for nobody, so that what follows is the switch
 * alone. The sessions do nothing, so that all that they cost is the switch. From what the switch of
 * all costs goes what the same time costs without an act, and what the act costs in a node without
 * sessions.
 */
final class Costs {
  /** A period is this long, or as long as all sessions take to follow. */
  private static final long PERIOD_NANOS = 1_000_000_000L;

  /**
   * Clients are given a sign of life every four seconds or five, all of them within one: a period
   * lies between. So long it is looked for the end of that.
   */
  private static final long SIGNS_OF_LIFE_NANOS = 6_000_000_000L;

  private static final long SLICE_NANOS = 200_000_000L;

  /** Of the event loops, for each session in a slice: more than looks cost, less than signs. */
  private static final double SIGNS_MICROS = 0.25;

  /**
   * What was used until a time.
   *
   * @param process CPU seconds
   * @param loops of the event loops
   */
  private record Used(double process, double loops, long nanos) {
    Used since(Used before) {
      return new Used(process - before.process, loops - before.loops, nanos - before.nanos);
    }

    /** Without what an idle node uses in the same time. */
    Used without(Used idle) {
      double share = nanos / (double) idle.nanos;
      return new Used(process - share * idle.process, loops - share * idle.loops, nanos);
    }
  }

  /**
   * What a switch used.
   *
   * @param period all of it, with what goes on behind it
   * @param following until all had followed: what event loops do for it, who have enough other
   *     things to do in the rest of the period
   */
  private record Switched(Used period, Used following) {
    Switched without(Used idle) {
      return new Switched(period.without(idle), following.without(idle));
    }
  }

  /**
   * What was measured.
   *
   * @param cpuMicros CPU for each session, by round; below 0 where what else goes on differs by
   *     more than a switch costs
   * @param loopMicros of it on the event loops
   * @param allFollowed how long the switch of all took, in seconds
   * @param journalWrites of all switches
   */
  record Result(
      int sessions,
      List<Double> cpuMicros,
      List<Double> loopMicros,
      List<Double> allFollowed,
      long journalWrites) {
    Result {
      cpuMicros = List.copyOf(cpuMicros);
      loopMicros = List.copyOf(loopMicros);
      allFollowed = List.copyOf(allFollowed);
    }
  }

  private final Lab lab;
  private final int sessions;
  private final int rounds;
  private final PrintStream progress;

  private final List<Double> cpuMicros = new ArrayList<>();

  private final List<Double> loopMicros = new ArrayList<>();

  private final List<Double> allFollowed = new ArrayList<>();

  private long journalWrites;

  Costs(Lab lab, int sessions, int rounds, PrintStream progress) {
    this.lab = lab;
    this.sessions = sessions;
    this.rounds = rounds;
    this.progress = progress;
  }

  Result run() throws IOException {
    try (UpgradedNode node = new UpgradedNode(lab)) {
      node.awaitEnd(node.upgrade(node.nextModule()));
      // compiled before it is counted, as in a node that has run for a day
      try (LoadCrowd crowd = crowd(node)) {
        for (int i = 0; i < Math.min(rounds, 3); i++) {
          switched(node, crowd);
        }
      }
      allFollowed.clear();
      List<Switched> act = new ArrayList<>();
      for (int i = 0; i < rounds; i++) {
        Used idle = idle(node, /* crowd= */ null);
        act.add(switched(node, /* crowd= */ null).without(idle));
      }
      try (LoadCrowd crowd = crowd(node)) {
        for (int i = 0; i < rounds; i++) {
          Used idle = idle(node, crowd);
          Switched each = switched(node, crowd).without(idle);
          Switched alone = act.get(i);
          cpuMicros.add(micros(each.period().process() - alone.period().process()));
          loopMicros.add(micros(each.following().loops() - alone.following().loops()));
          progress.printf(
              Locale.ROOT,
              "costs %d of %d: %.1f µs of CPU a session, %.1f µs of it on the event loop; all %,d"
                  + " followed within %.3f s%n",
              i + 1,
              rounds,
              cpuMicros.get(i),
              loopMicros.get(i),
              sessions,
              allFollowed.get(allFollowed.size() - 1));
        }
      }
    }
    return new Result(sessions, cpuMicros, loopMicros, allFollowed, journalWrites);
  }

  private double micros(double seconds) {
    return seconds * 1e6 / sessions;
  }

  private LoadCrowd crowd(UpgradedNode node) throws IOException {
    return new LoadCrowd(lab, Cell.idle(sessions), node.port(), CellRun.FILE, /* seed= */ 1);
  }

  private Used idle(UpgradedNode node, @Nullable LoadCrowd crowd) throws IOException {
    node.collect();
    awaitSignsOfLife(node, crowd);
    Used before = used(node);
    sleepUntil(System.nanoTime() + PERIOD_NANOS);
    return used(node).since(before);
  }

  private Switched switched(UpgradedNode node, @Nullable LoadCrowd crowd) throws IOException {
    node.awaitEnd(node.upgradeNobody(node.nextModule()));
    node.collect();
    awaitSignsOfLife(node, crowd);
    long writes = writes(node);
    Used before = used(node);
    long end = System.nanoTime() + PERIOD_NANOS;
    UpgradedNode.Ordered act = node.promote();
    if (crowd == null) {
      node.awaitSwitch(act);
    } else {
      node.awaitFollowed(act);
    }
    Used following = used(node).since(before);
    sleepUntil(end);
    Used period = used(node).since(before);
    journalWrites += writes(node) - writes;
    node.awaitEnd(act);
    if (crowd != null) {
      allFollowed.add((node.awaitFollowed(act) - node.awaitSwitch(act)) / 1e9);
    }
    return new Switched(period, following);
  }

  /** Waits until all clients have just had one, as far as that is seen. */
  private void awaitSignsOfLife(UpgradedNode node, @Nullable LoadCrowd crowd) throws IOException {
    long end = System.nanoTime() + SIGNS_OF_LIFE_NANOS;
    boolean some = false;
    boolean over = crowd == null;
    while (!over && System.nanoTime() - end < 0) {
      double before = node.loopSeconds();
      sleepUntil(System.nanoTime() + SLICE_NANOS);
      boolean busy = (node.loopSeconds() - before) * 1e6 > SIGNS_MICROS * sessions;
      over = some && !busy;
      some |= busy;
    }
  }

  /** What the journal has written: marks, and syncs of anything. */
  private static long writes(UpgradedNode node) throws IOException {
    Map<String, Long> counters = node.status().counters();
    return counters.getOrDefault("marks", 0L) + counters.getOrDefault("journal-syncs", 0L);
  }

  private static Used used(UpgradedNode node) throws IOException {
    return new Used(node.cpuSeconds(), node.loopSeconds(), System.nanoTime());
  }

  private static void sleepUntil(long end) {
    while (System.nanoTime() - end < 0) {
      Lab.pause();
    }
  }
}
