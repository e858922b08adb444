package io.theseus.bench.backup;

import io.theseus.bench.Lab;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What copies cost an upload, beside HDFS and plain C; {@code ./theseus bench backup}. */
@Command(
    name = "theseus bench backup",
    description = "PUT with copies on other nodes, beside HDFS and a copy in plain C.",
    mixinStandardHelpOptions = false,
    sortOptions = false)
public final class BackupBenchmark implements Callable<Integer> {
  @Mixin private final RunOptions options = new RunOptions();

  @Option(
      names = "--case",
      paramLabel = "NAME",
      description = "Only this case; may be given again. One of: ${COMPLETION-CANDIDATES}",
      completionCandidates = CaseNames.class)
  private List<String> cases = List.of();

  private final PrintStream progress;

  /** Tells on a stream how it goes. */
  public BackupBenchmark(PrintStream progress) {
    this.progress = progress;
  }

  static final class CaseNames extends ArrayList<String> {
    private static final long serialVersionUID = 1;

    CaseNames() {
      super(BackupCase.all("put", false).stream().map(BackupCase::name).toList());
    }
  }

  @Override
  public Integer call() throws IOException {
    List<String> known = new CaseNames();
    for (String each : cases) {
      if (!known.contains(each)) {
        throw options.wrong("--case: " + each + " (expected: " + String.join(", ", known) + ")");
      }
    }
    int rounds = options.rounds();
    boolean quick = options.quick();
    Path into = options.results(cases.isEmpty());
    List<BackupCase> chosen =
        BackupCase.all("put", quick).stream()
            .filter(each -> cases.isEmpty() || cases.contains(each.name()))
            .toList();
    try (Lab lab = Lab.open(RunOptions.OTHERS, quick, Lab.Placement.ANYWHERE)) {
      lab.compile(List.of("load_put", "raw_receive"));
      try (Hdfs hdfs = new Hdfs(lab);
          OurNodes ours = new OurNodes(lab)) {
        BackupRun run =
            new BackupRun(
                lab, rounds, Duration.ofSeconds(quick ? 2 : 10), OurNodes.NODES, progress);
        measure(lab, run, ours, hdfs, chosen, into);
      }
      progress.println("results: " + into.resolve(BackupReport.NAME + ".md"));
    }
    return 0;
  }

  private void measure(
      Lab lab, BackupRun run, OurNodes ours, Hdfs hdfs, List<BackupCase> chosen, Path into)
      throws IOException {
    run.tell("HDFS", hdfs.started());
    run.tell("our nodes", ours.started());
    for (BackupCase each : chosen) {
      try (Raw pair = Raw.pair(lab, each);
          Raw chain = Raw.chain(lab, each)) {
        List<Contender> all = List.of(ours.with(1), hdfs, pair, chain, ours.with(0), ours.with(2));
        run.run(each, all);
        List<String> commands = new ArrayList<>(pair.started());
        commands.addAll(chain.started());
        all.forEach(contender -> commands.add(contender.load(each)));
        run.tell(each.name(), commands);
      }
    }
    run.awaitHeartbeats();
    List<Beat> beats = ours.heartbeats();
    BackupReport report = new BackupReport(run, options.quick());
    chosen.forEach(report::add);
    report.add(beats, ours.said("as UNREACHABLE"));
    report.write(into, beats);
  }

  /** Runs it and gives the exit code: 0, 1 for wrong bytes or a fault, 2 for a wrong option. */
  public static int run(PrintStream progress, String... arguments) {
    PrintWriter out = new PrintWriter(progress, true, StandardCharsets.UTF_8);
    return new CommandLine(new BackupBenchmark(progress))
        .setOut(out)
        .setErr(out)
        .execute(arguments);
  }

  /** Runs it. */
  public static void main(String[] arguments) {
    System.exit(run(System.out, arguments));
  }
}
