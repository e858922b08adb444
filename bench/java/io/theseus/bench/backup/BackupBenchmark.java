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
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What copies cost an upload, beside HDFS and plain C; {@code ./theseus bench backup}. */
@Command(
    name = "theseus bench backup",
    description = "PUT with copies on other nodes, beside HDFS and a copy in plain C.",
    mixinStandardHelpOptions = false,
    sortOptions = false)
public final class BackupBenchmark implements Callable<Integer> {
  private static final int LEAST_ROUNDS = 5;
  private static final Path COMMITTED = Path.of("bench/results");
  private static final Path OTHERS = Path.of("target/bench");

  @Option(
      names = "--quick",
      description = "Shows that everything runs, with small files and one round: says nothing.")
  private boolean quick;

  @Option(
      names = "--case",
      paramLabel = "NAME",
      description = "Only this case; may be given again. One of: ${COMPLETION-CANDIDATES}",
      completionCandidates = CaseNames.class)
  private List<String> cases = List.of();

  @Option(
      names = "--rounds",
      paramLabel = "N",
      description = "How often each contender runs, 1 to 100. Default: 5; with --quick 1")
  private int rounds;

  @Option(
      names = "--results",
      paramLabel = "DIR",
      description =
          "Where the results go. Default: bench/results for a whole run, target/bench for any"
              + " other one")
  private @Nullable Path results;

  @Option(names = "--help", usageHelp = true, description = "Shows this.")
  @SuppressWarnings("unused") // picocli looks at it
  private boolean help;

  @Spec private @Nullable CommandSpec spec;

  private final PrintStream progress;

  /** Tells on a stream how it goes. */
  public BackupBenchmark(PrintStream progress) {
    this.progress = progress;
  }

  static final class CaseNames extends ArrayList<String> {
    private static final long serialVersionUID = 1;

    CaseNames() {
      super(BackupCase.all(false).stream().map(BackupCase::name).toList());
    }
  }

  @Override
  public Integer call() throws IOException {
    List<String> known = new CaseNames();
    for (String each : cases) {
      if (!known.contains(each)) {
        throw new ParameterException(
            line(), "--case: " + each + " (expected: " + String.join(", ", known) + ")");
      }
    }
    int times = rounds == 0 ? quick ? 1 : LEAST_ROUNDS : rounds;
    if (times < 1 || times > 100) {
      throw new ParameterException(line(), "--rounds: " + rounds + " (expected: 1 to 100)");
    }
    boolean whole = !quick && cases.isEmpty() && times >= LEAST_ROUNDS;
    Path into = results != null ? results : whole ? COMMITTED : OTHERS;
    List<BackupCase> chosen =
        BackupCase.all(quick).stream()
            .filter(each -> cases.isEmpty() || cases.contains(each.name()))
            .toList();
    try (Lab lab = Lab.openUnpinned(OTHERS, quick)) {
      lab.compile(List.of("load_put", "raw_receive"));
      try (Hdfs hdfs = new Hdfs(lab);
          OurNodes ours = new OurNodes(lab)) {
        measure(lab, ours, hdfs, chosen, times, into);
      }
      progress.println("results: " + into.resolve(BackupReport.NAME + ".md"));
    }
    return 0;
  }

  private void measure(
      Lab lab, OurNodes ours, Hdfs hdfs, List<BackupCase> chosen, int times, Path into)
      throws IOException {
    Duration idle = Duration.ofSeconds(quick ? 2 : 10);
    BackupRun run = new BackupRun(lab, ours, hdfs, times, idle, progress);
    for (BackupCase each : chosen) {
      run.run(each);
    }
    run.awaitHeartbeats();
    List<Beat> beats = ours.heartbeats();
    BackupReport report = new BackupReport(run, quick);
    chosen.forEach(report::add);
    report.add(beats, ours.said("as UNREACHABLE"));
    report.write(into, beats);
  }

  private CommandLine line() {
    if (spec == null) {
      throw new IllegalStateException("not called by picocli");
    }
    return spec.commandLine();
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
