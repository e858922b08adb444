package io.theseus.bench.transfer;

import io.theseus.bench.BenchResults;
import io.theseus.bench.Lab;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** GET and PUT of a node beside nginx, rsync and plain C; {@code ./theseus bench transfer}. */
@Command(
    name = "theseus bench transfer",
    description = "GET and PUT beside nginx, rsync and plain C, interleaved in one run.",
    mixinStandardHelpOptions = false,
    sortOptions = false)
public final class TransferBenchmark implements Callable<Integer> {
  private static final int LEAST_ROUNDS = 5;
  private static final String NAME = "transfer";
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
      names = "--peer",
      paramLabel = "NAME",
      description = "Only this peer; may be given again. One of: ${COMPLETION-CANDIDATES}",
      completionCandidates = PeerNames.class)
  private List<String> peers = List.of();

  @Option(
      names = "--rounds",
      paramLabel = "N",
      description = "How often each server runs, 1 to 100. Default: 5; with --quick 1")
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
  public TransferBenchmark(PrintStream progress) {
    this.progress = progress;
  }

  static final class CaseNames extends ArrayList<String> {
    private static final long serialVersionUID = 1;

    CaseNames() {
      super(TransferCase.all(false).stream().map(TransferCase::name).toList());
    }
  }

  static final class PeerNames extends ArrayList<String> {
    private static final long serialVersionUID = 1;

    PeerNames() {
      super(Contenders.PEERS);
    }
  }

  @Override
  public Integer call() throws IOException {
    List<TransferCase> chosen =
        TransferCase.all(quick).stream()
            .filter(each -> cases.isEmpty() || cases.contains(each.name()))
            .toList();
    known("--case", cases, new CaseNames());
    known("--peer", peers, new PeerNames());
    int times = rounds == 0 ? quick ? 1 : LEAST_ROUNDS : rounds;
    if (times < 1 || times > 100) {
      throw new ParameterException(line(), "--rounds: " + rounds + " (expected: 1 to 100)");
    }
    Path into = results != null ? results : isWhole(times) ? COMMITTED : OTHERS;
    try (Lab lab = Lab.open(OTHERS, quick, Lab.Placement.APART)) {
      BenchResults measured = new BenchResults(NAME, "Transfers beside nginx, rsync and plain C");
      Report report = new Report(lab, measured, into.resolve(NAME), quick);
      lab.compile(List.of("load_get", "load_put", "raw_send", "raw_receive"));
      lab.certify();
      if (!lab.pinnedApart()) {
        progress.println("one processor: server and load client share it");
      }
      measure(lab, chosen, times, report);
      report.write(into);
      progress.println("results: " + into.resolve(NAME + ".md"));
    } catch (Verification.WrongBytesException e) {
      progress.println("WRONG BYTES: " + e.getMessage());
      return 1;
    }
    return 0;
  }

  private boolean isWhole(int times) {
    return !quick && cases.isEmpty() && peers.isEmpty() && times >= LEAST_ROUNDS;
  }

  private void measure(Lab lab, List<TransferCase> chosen, int times, Report report)
      throws IOException {
    Set<String> wanted = new LinkedHashSet<>(peers.isEmpty() ? Contenders.PEERS : peers);
    Contenders contenders = new Contenders(lab, wanted);
    try {
      for (TransferCase what : chosen) {
        contenders.furnish(what);
        List<Contender> of = contenders.of(what);
        CaseRun run = new CaseRun(lab, what, of, progress);
        run.run(times);
        report.add(what, of, run);
        contenders.clear(what);
        if (!quick) {
          // each case begins with fresh servers: what it shows doesn't hang on those before it
          contenders.close();
        }
      }
    } finally {
      contenders.close();
    }
  }

  private void known(String option, List<String> given, List<String> expected) {
    for (String each : given) {
      if (!expected.contains(each)) {
        throw new ParameterException(
            line(), option + ": " + each + " (expected: " + String.join(", ", expected) + ")");
      }
    }
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
    return new CommandLine(new TransferBenchmark(progress))
        .setOut(out)
        .setErr(out)
        .execute(arguments);
  }

  /** Runs it. */
  public static void main(String[] arguments) {
    System.exit(run(System.out, arguments));
  }
}
