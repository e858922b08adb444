package io.theseus.bench.backup;

import io.theseus.bench.BenchResults;
import io.theseus.bench.Measurement;
import io.theseus.bench.Measurement.Better;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;

/** What is told of a run: figures, how they were come by, every single run. */
final class ArteryReport {
  static final String NAME = "artery";

  static final String OURS = "ours";
  static final String SMALL = "artery-256KiB";
  static final String LARGE = "artery-1MiB";

  private static final String COMMAND = "./theseus bench artery";
  private static final String HEARTBEATS = "heartbeats";

  private static final String HOW =
      """
      Each contender is two processes on this machine that are one Akka cluster, configured as nodes
      are, over loopback and with one disk; nothing is encrypted. One of them has the files staged,
      as uploads that were received whole, and in the page cache; the other one copies them into
      uploads of its own. *ours* is what a backup does: it pulls ranges over the data plane between
      nodes, which sends them from the file without copying. *artery* sends the same bytes as
      messages to an actor, over Artery's TCP transport and its lane for large messages
      (`large-message-destinations`), 256 KiB or 1 MiB each, with a `maximum-large-frame-size` that
      is as large and 4 KiB more. Its serializer reads the file into the buffer that Artery sends,
      and copies once what Artery has received.

      All else is the same code: up to 16 MiB of each file are asked for and not yet written, 4 MiB
      at a time; the store writes them in its own threads, sums up each block of 1 MiB (CRC32C), and
      makes them durable (fdatasync) for each 8 MiB, which is acknowledged by a message to an actor.
      Ours also compares all sums with the other end's. A run ends when the last byte is durable and
      acknowledged. What neither way has a part in is left out: the client, the marks in the
      journal, the name.

      In each round every contender runs once, and who begins changes; before each run the file
      system is synced. What was copied in the last round is read, and its SHA-256 compared with
      what it has to be. `cpu` is the CPU time of both processes.

      `heartbeats`: the cluster's heartbeats between the two processes, as the failure detectors of
      both see them: the largest gap between two, in all of a round's runs of a contender. Here
      there are ten a second, not one as between nodes, as a run takes hardly longer than that.""";

  private final BenchResults results =
      new BenchResults(NAME, "Copies between nodes, beside Artery's lane for large messages");
  private final BackupRun run;
  private final Map<String, List<Beat>> beats = new LinkedHashMap<>();

  ArteryReport(BackupRun run, boolean quick) {
    this.run = run;
    if (quick) {
      results.remark("**A quick run, with small files: its figures say nothing.**");
    }
    results.remark(HOW);
    results.remark(
        "Every single run is in [artery.csv](artery.csv), every heartbeat and all command lines in"
            + " [artery](artery). "
            + run.load());
  }

  void add(BackupCase what) {
    for (String peer : List.of(SMALL, LARGE)) {
      add(what, peer, "throughput", "GB/s", Better.HIGHER, Sample::rate);
      add(what, peer, "cpu", "s/GiB", Better.LOWER, Sample::cpu);
    }
    results.note(
        what.name(),
        "%,d × %,d bytes at once; warm-ups of each process: %d"
            .formatted(what.files(), what.bytes(), what.warmUps()));
  }

  private void add(
      BackupCase what,
      String peer,
      String metric,
      String unit,
      Better better,
      ToDoubleFunction<Sample> value) {
    add(
        what.name(),
        metric,
        unit,
        better,
        values(what, OURS, value),
        peer,
        values(what, peer, value));
  }

  private List<Double> values(BackupCase what, String of, ToDoubleFunction<Sample> value) {
    return run.of(what, of).stream().mapToDouble(value).boxed().toList();
  }

  private void add(
      String name,
      String metric,
      String unit,
      Better better,
      List<Double> ours,
      String peer,
      List<Double> theirs) {
    results.add(
        new Measurement(
            name, metric, unit, better, ours, peer, theirs, OptionalDouble.empty(), COMMAND));
  }

  /** Adds the heartbeats of a contender; those of ours first. */
  void add(String contender, List<Beat> all) {
    beats.put(contender, all);
    List<Beat> loaded = new ArrayList<>();
    List<Beat> idle = new ArrayList<>();
    for (int round = 1; round <= run.rounds(); round++) {
      loaded.addAll(during(contender, round));
      idle.addAll(run.before(all, round));
    }
    if (!contender.equals(OURS)) {
      add(HEARTBEATS, "largest-gap", "ms", Better.LOWER, gaps(OURS), contender, gaps(contender));
    }
    results.note(
        HEARTBEATS,
        "%s: %,d came while it copied: %s. While nothing happened: %s"
            .formatted(contender, loaded.size(), Beat.summary(loaded), Beat.summary(idle)));
  }

  private List<Beat> during(String contender, int round) {
    return run.during(beats.getOrDefault(contender, List.of()), round, contender::equals);
  }

  private List<Double> gaps(String contender) {
    List<Double> gaps = new ArrayList<>();
    for (int round = 1; round <= run.rounds(); round++) {
      gaps.add(during(contender, round).stream().mapToDouble(Beat::gapMillis).max().orElse(1));
    }
    return gaps;
  }

  void write(Path directory) throws IOException {
    results.write(directory);
    run.write(directory, NAME, beats.values().stream().flatMap(List::stream).toList());
  }
}
