package io.theseus.bench.upgrade;

import io.theseus.bench.Lab;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What clients see when code is switched under them; {@code ./theseus bench upgrade}. */
@Command(
    name = "theseus bench upgrade",
    description = "What clients see when code is switched under them, and what nginx does instead.",
    mixinStandardHelpOptions = false,
    sortOptions = false)
public final class UpgradeBenchmark implements Callable<Integer> {
  static final String NAME = "upgrade";
  static final String COSTS = "costs";
  static final String NGINX = "nginx-reload";

  private static final int LEAST_WINDOWS = 24;
  private static final Path COMMITTED = Path.of("bench/results");
  private static final Path OTHERS = Path.of("target/bench");
  private static final Path TRACES = Path.of("bench/results/local/upgrade");

  @Option(
      names = "--quick",
      description = "Shows that everything runs, with few clients and windows: says nothing.")
  private boolean quick;

  @Option(
      names = "--only",
      paramLabel = "CELL",
      description = "Only this cell; may be given again. One of: ${COMPLETION-CANDIDATES}",
      completionCandidates = CellNames.class)
  private List<String> only = List.of();

  @Option(
      names = "--windows",
      paramLabel = "N",
      description =
          "How many windows of each kind, of control twice as many, 1 to 1000. Default: "
              + LEAST_WINDOWS
              + "; with --quick 1")
  private int windows;

  @Option(
      names = "--acts",
      paramLabel = "N",
      description =
          "Upgrades of a node before its windows, 0 to 10000: what it has done often is compiled."
              + " Default: "
              + CellRun.WARM_UP_ACTS
              + "; with --quick 0")
  private int acts = CellRun.WARM_UP_ACTS;

  @Option(
      names = "--resume",
      description =
          "Goes on with a run that was interrupted: cells that it had measured to the end, with the"
              + " same options, are taken as they are. Of the same code: that is not looked at.")
  private boolean resume;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Of the order of windows and all else that is drawn. Default: 1")
  private long seed = 1;

  @Option(
      names = "--results",
      paramLabel = "DIR",
      description =
          "Where the results go. Default: bench/results for a whole run, target/bench for any"
              + " other one; raw traces go to bench/results/local/upgrade, with DIR to DIR/local")
  private @Nullable Path results;

  @Option(names = "--help", usageHelp = true, description = "Shows this.")
  @SuppressWarnings("unused") // picocli looks at it
  private boolean help;

  @Spec private @Nullable CommandSpec spec;

  private final PrintStream progress;

  /** Tells on a stream how it goes. */
  public UpgradeBenchmark(PrintStream progress) {
    this.progress = progress;
  }

  static final class CellNames extends ArrayList<String> {
    private static final long serialVersionUID = 1;

    CellNames() {
      super(Cell.all(false).stream().map(Cell::name).toList());
      add(COSTS);
      add(NGINX);
    }
  }

  @Override
  public Integer call() throws IOException {
    List<String> known = new CellNames();
    for (String each : only) {
      if (!known.contains(each)) {
        throw new ParameterException(
            line(), "--only: " + each + " (expected: " + String.join(", ", known) + ")");
      }
    }
    int times = windows == 0 ? quick ? 1 : LEAST_WINDOWS : windows;
    if (times < 1 || times > 1000) {
      throw new ParameterException(line(), "--windows: " + windows + " (expected: 1 to 1000)");
    }
    boolean whole = !quick && only.isEmpty() && times >= LEAST_WINDOWS;
    if (acts < 0 || acts > 10_000) {
      throw new ParameterException(line(), "--acts: " + acts + " (expected: 0 to 10000)");
    }
    Path into = results != null ? results : whole ? COMMITTED : OTHERS;
    Path traces = results != null ? results.resolve("local") : TRACES;
    try (Lab lab = Lab.open(OTHERS, quick, Lab.Placement.CLIENTS_ON_ONE)) {
      int before = quick ? 0 : acts;
      UpgradeReport report = new UpgradeReport(quick, times, before, seed, lab.pinnedApart());
      lab.compile(List.of("load_upgrade"));
      if (!quick) {
        lab.stayWithClients();
      }
      furnish(lab);
      for (Cell cell : Cell.all(quick)) {
        if (isWanted(cell.name())) {
          report.add(measured(lab, cell, times, before, traces.resolve(cell.name())));
        }
      }
      if (isWanted(COSTS)) {
        report.add(new Costs(lab, quick ? 50 : 10_000, Math.min(times, 10), progress).run());
      }
      if (isWanted(NGINX)) {
        NginxReload reload =
            new NginxReload(lab, quick ? 20 : 1_000, Duration.ofSeconds(quick ? 8 : 30), progress);
        reload.run();
        report.add(reload);
      }
      report.write(into);
      progress.println("results: " + into.resolve(NAME + ".md"));
    }
    return 0;
  }

  private CellRun.Result measured(Lab lab, Cell cell, int times, int before, Path traces)
      throws IOException {
    KeptCell.Setup setup = new KeptCell.Setup(times, before, seed, Lab.givenOptions());
    if (resume) {
      Optional<CellRun.Result> kept = KeptCell.read(traces, cell, setup);
      if (kept.isPresent()) {
        progress.println(cell.name() + ": as it was measured before");
        return kept.get();
      }
    }
    CellRun.Result result =
        new CellRun(lab, cell, times, before, quick, seed, traces, progress).run();
    new KeptCell(setup, result).write(traces);
    return result;
  }

  private boolean isWanted(String cell) {
    return only.isEmpty() || only.contains(cell);
  }

  /** A file with holes only: it is in memory once it was read. */
  private static void furnish(Lab lab) throws IOException {
    try (RandomAccessFile file =
        new RandomAccessFile(lab.site().resolve(CellRun.FILE).toFile(), "rw")) {
      file.setLength(CellRun.FILE_BYTES);
    }
  }

  private CommandLine line() {
    if (spec == null) {
      throw new IllegalStateException("not called by picocli");
    }
    return spec.commandLine();
  }

  /** Runs it and gives the exit code: 0, 1 for a fault, 2 for a wrong option. */
  public static int run(PrintStream progress, String... arguments) {
    PrintWriter out = new PrintWriter(progress, true, StandardCharsets.UTF_8);
    return new CommandLine(new UpgradeBenchmark(progress))
        .setOut(out)
        .setErr(out)
        .execute(arguments);
  }

  /** Runs it. */
  public static void main(String[] arguments) {
    System.exit(run(System.out, arguments));
  }
}
