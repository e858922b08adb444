package io.theseus.bench.backup;

import io.theseus.bench.BenchResults;
import io.theseus.bench.Lab;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * All cases: warm-up, then rounds, each of which begins with a while in which nothing happens, and
 * in which every contender runs once. Who begins changes.
 */
final class BackupRun {
  private final Lab lab;
  private final int rounds;
  private final Duration idle;
  private final int places;
  private final PrintStream progress;
  private final List<Sample> samples = new ArrayList<>();
  private final List<Idle> idles = new ArrayList<>();
  private final List<String> commands = new ArrayList<>();
  private int runs;

  /** A while in which nothing happened, before a round. */
  private record Idle(int round, long fromMillis, long toMillis) {}

  /**
   * A run of nothing yet.
   *
   * @param idle how long nothing happens before a round
   * @param places that a contender may write all bytes to
   */
  BackupRun(Lab lab, int rounds, Duration idle, int places, PrintStream progress) {
    this.lab = lab;
    this.rounds = rounds;
    this.idle = idle;
    this.places = places;
    this.progress = progress;
  }

  /** Runs a case. */
  void run(BackupCase what, List<Contender> all) throws IOException {
    for (int i = 0; i < what.warmUps(); i++) {
      for (Contender contender : all) {
        if (i == 0 || contender.warmsUp()) {
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
    lab.touchMemory(places * what.allBytes());
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

  /** Adds command lines, for people. */
  void tell(String heading, List<String> lines) {
    commands.add("# " + heading);
    commands.addAll(lines);
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

  /** Heartbeats that were waited for in a round while some contenders ran, in any case. */
  List<Beat> during(List<Beat> beats, int round, Predicate<String> contender) {
    List<Sample> ran =
        samples.stream()
            .filter(each -> each.round() == round && contender.test(each.contender()))
            .toList();
    return beats.stream()
        .filter(
            beat ->
                ran.stream().anyMatch(each -> beat.isWithin(each.fromMillis(), each.toMillis())))
        .toList();
  }

  /** Heartbeats that were waited for before a round, in any case. */
  List<Beat> before(List<Beat> beats, int round) {
    List<Idle> resting = idles.stream().filter(each -> each.round() == round).toList();
    return beats.stream()
        .filter(
            beat ->
                resting.stream()
                    .anyMatch(each -> beat.isWithin(each.fromMillis(), each.toMillis())))
        .toList();
  }

  /** What the machine did beside, for people. */
  String load() {
    return ("Load average of the last minute, before each run: %s to %s, most of it this"
            + " benchmark's own.")
        .formatted(
            BenchResults.number(samples.stream().mapToDouble(Sample::load).min().orElse(0)),
            BenchResults.number(samples.stream().mapToDouble(Sample::load).max().orElse(0)));
  }

  /** Writes every run, every heartbeat and all command lines. */
  void write(Path directory, String name, List<Beat> beats) throws IOException {
    List<String> lines = new ArrayList<>(List.of(Sample.COLUMNS));
    samples.forEach(sample -> lines.add(sample.csv()));
    BenchResults.replace(directory.resolve(name + ".csv"), String.join("\n", lines) + "\n");
    Path own = Files.createDirectories(directory.resolve(name));
    Files.write(own.resolve("commands.txt"), commands);
    List<String> rows = new ArrayList<>(List.of(Beat.COLUMNS));
    beats.forEach(beat -> rows.add(beat.csv()));
    Files.write(own.resolve("heartbeats.csv"), rows);
  }
}
