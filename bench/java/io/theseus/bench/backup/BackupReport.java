package io.theseus.bench.backup;

import io.theseus.bench.BenchResults;
import io.theseus.bench.Measurement;
import io.theseus.bench.Measurement.Better;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/** What is told of a run: figures, how they were come by, every single run. */
final class BackupReport {
  static final String NAME = "backup";

  private static final String COMMAND = "./theseus bench backup";
  private static final String HEARTBEATS = "heartbeats";

  /** Of one copy: at least so much of HDFS's with two replicas, and of the raw double copy's. */
  private static final double OF_HDFS = 2;

  private static final double OF_RAW = 0.8;

  /** What the nodes' configuration has: a node with a higher phi counts as unreachable. */
  private static final double THRESHOLD = 8;

  /** With phi at 1 one suspicion in ten would be wrong. */
  private static final double MOST_PHI = 1;

  private static final String HOW =
      """
      Three nodes of ours, each with a data directory of its own, are one cluster; what the first
      one receives has no copy, what the second one receives has one, the third one two. HDFS is a
      NameNode, two DataNodes and its own client, with two replicas: as many as one copy of ours
      makes. *raw* is a program in C that writes what it gets to two files; *raw-chain* is two of
      it, of which the first sends on from its file what it has written, and the second writes that:
      the way that bytes go between ours, and the least that it costs. All of them run on this
      machine, over loopback, on the same disk, and may use all processors; none encrypts. Their
      clients make up the same bytes: ours and raw's in C, HDFS's in Java, as it has no other. What
      each settles for is not the same: ours, raw and raw-chain hash once with SHA-256, our copies
      and HDFS only sum up (CRC32C), the second of raw-chain does neither. Its rows against HDFS and
      raw say, over 16 connections, what of our goals can be reached here by who gets a copy's bytes
      over a connection; over one it does one thing after the other, and can be overtaken.

      **Durable at the same points:** every 8 MiB, and at the end with the name, in every place.
      Ours answers each such point with an OFFSET, and the client may be 16 MiB ahead of it; HDFS's
      client calls `hsync` and waits, as it can't do otherwise (and has SYNC_BLOCK set, without
      which the end of a block is synced by nobody); raw syncs both files at the same time, its
      client is as far ahead as the socket lets it. Renames are synced by ours and raw, not by HDFS.

      In each round every contender runs once, and who begins changes; before each run the file
      system is synced. What was stored in the last round is read in every place, and its SHA-256
      compared with what it has to be. `server-cpu` is the CPU time of all processes but the
      client's (HDFS's client sums up too, which is not in it).""";

  private static final String PHI =
      """
      `heartbeats`: the cluster's heartbeats (one a second from each node to each) as the failure
      detector of each node sees them: the largest gap between two of one node, and the highest phi
      just before one came, in all of a round's runs of ours, of all three nodes. *idle* is the
      largest gap in the seconds without load before that round; *threshold* is the phi of 8 from
      which on a node counts as unreachable.""";

  private final BenchResults results =
      new BenchResults(NAME, "Uploads with copies on other nodes, beside HDFS and plain C");
  private final BackupRun run;

  BackupReport(BackupRun run, boolean quick) {
    this.run = run;
    if (quick) {
      results.remark("**A quick run, with small files: its figures say nothing.**");
    }
    results.remark(HOW);
    results.remark(PHI);
    results.remark(
        "Every single run is in [backup.csv](backup.csv), every heartbeat and all command lines in"
            + " [backup](backup). "
            + run.load());
  }

  // ---- throughput

  void add(BackupCase what) {
    for (int copies : List.of(0, 1, 2)) {
      for (String peer : peers(copies)) {
        compare(what, OurNodes.name(copies), peer, goal(copies, peer));
      }
    }
    for (String peer : List.of(Hdfs.NAME, Raw.PAIR)) {
      compare(what, Raw.CHAIN, peer, OptionalDouble.empty());
    }
    results.note(
        what.name(),
        "%,d × %,d bytes over %d connection%s; warm-ups of each JVM: %d"
            .formatted(
                what.files(),
                what.bytes(),
                what.connections(),
                what.connections() == 1 ? "" : "s",
                what.warmUps()));
  }

  private void compare(BackupCase what, String contender, String peer, OptionalDouble goal) {
    String name = what.name() + ", " + contender;
    List<Sample> of = run.of(what, contender);
    List<Sample> beside = run.of(what, peer);
    results.add(
        new Measurement(
            name,
            "throughput",
            "GB/s",
            Better.HIGHER,
            of.stream().map(Sample::rate).toList(),
            peer,
            beside.stream().map(Sample::rate).toList(),
            goal,
            COMMAND));
    results.add(
        new Measurement(
            name,
            "server-cpu",
            "s/GiB",
            Better.LOWER,
            of.stream().map(Sample::cpu).toList(),
            peer,
            beside.stream().map(Sample::cpu).toList(),
            OptionalDouble.empty(),
            COMMAND));
  }

  private static List<String> peers(int copies) {
    List<String> peers = new ArrayList<>(List.of(Hdfs.NAME, Raw.PAIR, Raw.CHAIN));
    if (copies > 0) {
      peers.add(OurNodes.name(0));
    }
    return peers;
  }

  private static OptionalDouble goal(int copies, String peer) {
    if (copies != 1) {
      return OptionalDouble.empty();
    }
    return switch (peer) {
      case Hdfs.NAME -> OptionalDouble.of(OF_HDFS);
      case Raw.PAIR -> OptionalDouble.of(OF_RAW);
      default -> OptionalDouble.empty();
    };
  }

  // ---- heartbeats

  void add(List<Beat> beats, long unreachable) {
    List<Double> gaps = new ArrayList<>();
    List<Double> idleGaps = new ArrayList<>();
    List<Double> phis = new ArrayList<>();
    List<Double> thresholds = new ArrayList<>();
    List<Beat> loaded = new ArrayList<>();
    for (int round = 1; round <= run.rounds(); round++) {
      List<Beat> during = run.during(beats, round, OurNodes::isOne);
      loaded.addAll(during);
      gaps.add(during.stream().mapToDouble(Beat::gapMillis).max().orElse(0));
      phis.add(during.stream().mapToDouble(Beat::phi).max().orElse(0));
      idleGaps.add(run.before(beats, round).stream().mapToDouble(Beat::gapMillis).max().orElse(1));
      thresholds.add(THRESHOLD);
    }
    results.add(
        new Measurement(
            HEARTBEATS,
            "largest-gap",
            "ms",
            Better.LOWER,
            gaps,
            "idle",
            idleGaps,
            OptionalDouble.empty(),
            COMMAND));
    results.add(
        new Measurement(
            HEARTBEATS,
            "largest-phi",
            "phi",
            Better.LOWER,
            phis,
            "threshold",
            thresholds,
            OptionalDouble.of(MOST_PHI / THRESHOLD),
            COMMAND));
    results.note(
        HEARTBEATS,
        ("%,d came while uploads with or without copies ran: %s. Nodes that another one took for"
                + " unreachable in the whole run: %d")
            .formatted(loaded.size(), Beat.summary(loaded), unreachable));
  }

  void write(Path directory, List<Beat> beats) throws IOException {
    results.write(directory);
    run.write(directory, NAME, beats);
  }
}
