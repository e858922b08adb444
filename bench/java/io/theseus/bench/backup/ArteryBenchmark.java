package io.theseus.bench.backup;

import io.theseus.bench.Lab;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** How a backup gets its bytes, beside Akka's own way; {@code ./theseus bench artery}. */
@Command(
    name = "theseus bench artery",
    description = "Copies between two processes, beside messages on Artery's large-message lane.",
    mixinStandardHelpOptions = false,
    sortOptions = false)
public final class ArteryBenchmark implements Callable<Integer> {
  private static final int KIB = 1 << 10;

  @Mixin private final RunOptions options = new RunOptions();

  private final PrintStream progress;

  /** Tells on a stream how it goes. */
  public ArteryBenchmark(PrintStream progress) {
    this.progress = progress;
  }

  @Override
  public Integer call() throws IOException {
    int rounds = options.rounds();
    boolean quick = options.quick();
    Path into = options.results(/* allCases= */ true);
    try (Lab lab = Lab.open(RunOptions.OTHERS, quick, Lab.Placement.ANYWHERE);
        CopyPair ours = new CopyPair(lab, ArteryReport.OURS, "pull", 256 * KIB);
        CopyPair small = new CopyPair(lab, ArteryReport.SMALL, "pieces", 256 * KIB);
        CopyPair large = new CopyPair(lab, ArteryReport.LARGE, "pieces", 1024 * KIB)) {
      Duration idle = Duration.ofSeconds(quick ? 2 : 10);
      measure(
          new BackupRun(lab, rounds, idle, /* places= */ 1, progress),
          List.of(ours, small, large),
          into);
      progress.println("results: " + into.resolve(ArteryReport.NAME + ".md"));
    }
    return 0;
  }

  private void measure(BackupRun run, List<CopyPair> pairs, Path into) throws IOException {
    List<BackupCase> cases = BackupCase.all("copy", options.quick());
    for (CopyPair pair : pairs) {
      run.tell(pair.name(), pair.started());
    }
    for (BackupCase each : cases) {
      for (CopyPair pair : pairs) {
        pair.stage(each);
      }
      run.run(each, List.copyOf(pairs));
      run.tell(each.name(), pairs.stream().map(pair -> pair.load(each)).toList());
    }
    run.awaitHeartbeats();
    ArteryReport report = new ArteryReport(run, options.quick());
    cases.forEach(report::add);
    for (CopyPair pair : pairs) {
      report.add(pair.name(), pair.heartbeats());
    }
    report.write(into);
  }

  /** Runs it and gives the exit code: 0, 1 for wrong bytes or a fault, 2 for a wrong option. */
  public static int run(PrintStream progress, String... arguments) {
    PrintWriter out = new PrintWriter(progress, true, StandardCharsets.UTF_8);
    return new CommandLine(new ArteryBenchmark(progress))
        .setOut(out)
        .setErr(out)
        .execute(arguments);
  }

  /** Runs it. */
  public static void main(String[] arguments) {
    System.exit(run(System.out, arguments));
  }
}
