package io.theseus.bench.backup;

import io.theseus.bench.Lab;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * All cases: warm-up, then rounds, each of which begins with a while in which nothing happens, and
 * in which every contender runs once. Who begins changes.
 */
final class BackupRun {
  private final Lab lab;
  private final OurNodes ours;
  private final Hdfs hdfs;
  private final int rounds;
  private final Duration idle;
  private final PrintStream progress;
  private final List<Sample> samples = new ArrayList<>();
  private final List<Idle> idles = new ArrayList<>();
  private final List<String> commands = new ArrayList<>();
  private int runs;

  /** A while in which nothing happened, before a round. */
  record Idle(int round, long fromMillis, long toMillis) {}

  BackupRun(Lab lab, OurNodes ours, Hdfs hdfs, int rounds, Duration idle, PrintStream progress) {
    this.lab = lab;
    this.ours = ours;
    this.hdfs = hdfs;
    this.rounds = rounds;
    this.idle = idle;
    this.progress = progress;
    commands.add("# HDFS, and our nodes");
    commands.addAll(hdfs.started());
    commands.addAll(ours.started());
  }

  /** Runs a case. */
  void run(BackupCase what) throws IOException {
    try (Raw pair = Raw.pair(lab, what);
        Raw chain = Raw.chain(lab, what)) {
      List<Contender> all = List.of(ours.with(1), hdfs, pair, chain, ours.with(0), ours.with(2));
      for (int i = 0; i < what.warmUps(); i++) {
        for (Contender contender : all) {
          // nothing is compiled in C
          if (i == 0 || !(contender instanceof Raw)) {
            once(what, /* round= */ 0, contender);
          }
        }
      }
      for (int round = 1; round <= rounds; round++) {
        rest(round);
        for (int i = 0; i < all.size(); i++) {
          once(what, round, all.get((round + i) % all.size()));
        }
      }
      commands.add("# " + what.name());
      commands.addAll(pair.started());
      commands.addAll(chain.started());
      all.forEach(contender -> commands.add(contender.load(what)));
    }
  }

  private void rest(int round) throws IOException {
    lab.settle();
    long from = System.currentTimeMillis();
    try {
      TimeUnit.MILLISECONDS.sleep(idle.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
    idles.add(new Idle(round, from, System.currentTimeMillis()));
  }

  private void once(BackupCase what, int round, Contender contender) throws IOException {
    String prefix = "run" + runs++ + "-";
    // nobody waits for what another one has left to the disk, or pays for memory of the host
    lab.settle();
    lab.touchMemory(OurNodes.NODES * what.allBytes());
    Sample sample = Sample.take(what, round, contender, prefix);
    progress.println(sample.shown());
    samples.add(sample);
    if (round == rounds) {
      contender.check(what, prefix);
    }
    contender.remove(what, prefix);
  }

  /** All runs, warm-ups too. */
  List<Sample> samples() {
    return List.copyOf(samples);
  }

  /** All command lines, for people. */
  List<String> commands() {
    return List.copyOf(commands);
  }

  List<Idle> idles() {
    return List.copyOf(idles);
  }

  /** The heartbeats of the last runs have come. */
  void awaitHeartbeats() throws IOException {
    rest(/* round= */ 0);
  }

  /** Rounds of a case. */
  int rounds() {
    return rounds;
  }

  /** Runs of a contender that count, in order of their rounds. */
  List<Sample> of(BackupCase what, String contender) {
    return samples.stream()
        .filter(each -> each.round() > 0)
        .filter(each -> each.what().equals(what.name()) && each.contender().equals(contender))
        .toList();
  }
}
