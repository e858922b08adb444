package io.theseus.bench.transfer;

import io.theseus.bench.BenchResults;
import io.theseus.bench.Lab;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** What is told of a run: figures, how they were come by, and what the peers were told. */
final class Report {
  /** What was found out about the peers, and tried, a paragraph each. */
  private static final Path NOTES = Configuration.PEERS.resolve("notes.md");

  private static final String HOW =
      """
      Bytes go over loopback, from and to ext4 or whatever `target/` is on; what is sent is in the
      page cache. The server is pinned to one processor, the load client to another one. In each
      round every server runs once, and who begins changes. The load client of GET drops the bytes
      in the kernel (`recv` with `MSG_TRUNC`), that of PUT sends them by sendfile from memory, so
      that the client isn't what is measured. After the rounds of a case what each server sends is
      fetched by a client that keeps the bytes, and what each has stored is read, and its SHA-256
      compared with what it has to be.

      `server-cpu` is the CPU time of all processes of the server, from their clocks;
      `peak-memory` the most that each had resident in a round (VmHWM, begun anew before it), summed
      up. A PUT counts when content and name are durable: our COMPLETE says that, the raw program's
      byte, too; for nginx and rsync the client syncs file and folder within the time (rsync's daemon
      syncs the file itself). nginx and rsync don't hash what comes with SHA-256, ours and the raw
      program do. Before each run of a PUT its memory is taken and given back once, so that nobody
      pays for the host that backs it, and small files of the run before are moved away instead of
      being deleted, which would slow down the making of new ones. The node has the settings that it has by itself, and one processor.""";

  private final Lab lab;
  private final BenchResults results;
  private final Path peers;
  private final List<String> commands = new ArrayList<>();

  /**
   * A report without a case.
   *
   * @param peers the directory for what the peers were told
   */
  Report(Lab lab, BenchResults results, Path peers, boolean quick) throws IOException {
    this.lab = lab;
    this.results = results;
    this.peers = peers;
    if (quick) {
      results.remark("**A quick run, with small files: its figures say nothing.**");
    }
    results.remark(HOW);
    results.remark(
        "The peers' configurations and all command lines are in ["
            + peers.getFileName()
            + "]("
            + peers.getFileName()
            + "). Where our own time goes, what was tried and what is next stands in"
            + " `bench/results/transfer/profile.md`. Load average (1, 5, 15 minutes) before it began: "
            + Files.readString(Path.of("/proc/loadavg"))
                .replaceAll("(\\S+) (\\S+) (\\S+) .*\\s*", "$1 $2 $3")
            + ".");
    if (!lab.pinnedApart()) {
      results.remark("**There was one processor: server and load client shared it.**");
    }
    if (Files.exists(NOTES)) {
      results.remark(Files.readString(NOTES).strip());
    }
  }

  /** Adds a case; its servers still run. */
  void add(TransferCase what, List<Contender> contenders, CaseRun run) throws IOException {
    run.report(results, "./theseus bench transfer --case " + what.name());
    results.note(
        what.name(),
        "%,d × %,d bytes, %d connection%s, all of it %d time%s a round; warm-up rounds of ours: %d"
            .formatted(
                what.files(),
                what.bytes(),
                what.connections(),
                what.connections() == 1 ? "" : "s",
                what.repeat(),
                what.repeat() == 1 ? "" : "s",
                what.warmUps()));
    for (Contender each : contenders) {
      String folder = Contenders.folder(what, each.server().name());
      commands.add("# " + what.name() + ", " + each.name());
      commands.add(lab.shownServer(each.server().started()));
      commands.add(lab.shownLoad(each.server().load().command(each.meets(what), folder)));
      commands.add("");
    }
    keepConfigurations();
  }

  /** Beside the results: the very files that the peers were started with. */
  private void keepConfigurations() throws IOException {
    Files.createDirectories(peers);
    try (Stream<Path> all = Files.walk(lab.directory(), 2)) {
      for (Path file : all.filter(each -> each.toString().endsWith(".conf")).toList()) {
        String text = lab.shown(Files.readString(file));
        Files.writeString(peers.resolve(file.getFileName()), text);
      }
    }
  }

  void write(Path directory) throws IOException {
    Files.write(peers.resolve("commands.txt"), commands);
    results.write(directory);
  }
}
