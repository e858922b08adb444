package io.theseus.bench.upgrade;

import io.theseus.bench.BenchResults;
import io.theseus.bench.Lab;
import io.theseus.bench.Machine;
import io.theseus.bench.Measurement;
import io.theseus.bench.Measurement.Better;
import io.theseus.bench.upgrade.Window.Phase;
import io.theseus.bench.upgrade.Window.What;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/** What the benchmark found, as Markdown, SVG and JSON, and each window's numbers. */
final class UpgradeReport {
  private static final String TITLE = "What clients see when code is switched under them";
  private static final String COMMAND = "./theseus bench upgrade";
  private static final double MOST_LATE = 0.1;
  private static final double MOST_ALL = 2;
  private static final double MOST_LOOP_MICROS = 1;
  private static final double MOST_CPU_MICROS = 20;
  private static final double MOST_BUSY = 0.4;

  private static final String HOW =
      """
      One node, which may use all processors, and its clients on one of them. Its event loops go
      before its other threads (`theseus.threads.event-loop-nice = -10`, see
      [operations](../../docs/operations.md)). The clients are one program,
      `bench/native/load_upgrade.c`. A wait begins when an acknowledgement
      (OFFSET) leaves and ends when the kernel has the last byte of the DATA that it asks for
      (`SO_TIMESTAMPNS`): what the client itself is late with counts for nothing. The pace is an open
      loop: who is due while the last answer is late counts from when it was due. Where clients take
      all they can get, a wait is the time between two arrivals on a connection; a read takes 64 KiB
      at most, so that each has a time.

      A window is a quarter of a second from 20 ms before its moment on, and counts **the longest
      wait of each connection** in it; waits of all windows of a kind are pooled. Windows come in a
      random order: of *nothing* (control, twice as many); of *a switch*, an upgrade of all sessions
      from one version of a channel to the next one; of *all but the switch*, the same
      act for a canary that no session is, which is staged, agreed on, written down and put in force
      all the same; and of *a switch and a stall of 5 ms*, where the client stops the whole node
      (SIGSTOP) when the first session is told RESUMED. The moment of a switch is when the node says
      so in its log, or the first RESUMED, whichever is earlier.

      *Added* is the switch's number less the control's, with a 95 % interval by bootstrap over
      windows. *Control against control* is what the same number differs by between two random halves
      of the control windows, 95 % of the time; a half has as many windows as the switch. The target
      for the median is 50 µs added: met where the whole interval is below. For the others it is to
      be no greater than control against control; where the stall of 5 ms isn't seen outside of that
      either, nothing can be told.""";

  private final boolean quick;
  private final int windows;
  private final int acts;
  private final long seed;
  private final boolean pinnedApart;
  private final String load;
  private final List<CellResult> cells = new ArrayList<>();
  private Costs.@Nullable Result costs;
  private @Nullable NginxReload nginx;
  private final StringBuilder text = new StringBuilder();

  UpgradeReport(boolean quick, int windows, int acts, long seed, boolean pinnedApart)
      throws IOException {
    this.quick = quick;
    this.windows = windows;
    this.acts = acts;
    this.seed = seed;
    this.pinnedApart = pinnedApart;
    load =
        Files.readString(Path.of("/proc/loadavg"))
            .replaceAll("(\\S+) (\\S+) (\\S+) .*\\s*", "$1 $2 $3");
  }

  void add(CellRun.Result measured) {
    cells.add(new CellResult(measured, seed));
  }

  void add(Costs.Result measured) {
    costs = measured;
  }

  void add(NginxReload measured) {
    nginx = measured;
  }

  /** Writes all files. */
  void write(Path directory) throws IOException {
    Files.createDirectories(directory);
    String name = UpgradeBenchmark.NAME;
    BenchResults.replace(directory.resolve(name + ".json"), json());
    BenchResults.replace(directory.resolve(name + ".svg"), svg());
    BenchResults.replace(directory.resolve(name + ".csv"), csv());
    BenchResults.replace(directory.resolve(name + ".md"), markdown());
  }

  // ---- JSON: the schema of all benchmarks, a row for each number and what it stands beside

  private String json() throws IOException {
    BenchResults rows = new BenchResults(UpgradeBenchmark.NAME, TITLE);
    for (CellResult cell : cells) {
      for (Statistic statistic : Statistic.values()) {
        row(rows, cell, Phase.SWITCH, What.SWITCH, statistic);
        row(rows, cell, Phase.SWITCH, What.ALL_BUT, statistic);
        row(rows, cell, Phase.SWITCH, What.STALL, statistic);
        row(rows, cell, Phase.STAGING, What.SWITCH, statistic);
      }
    }
    if (costs != null) {
      String of = "costs-" + costs.sessions();
      row(rows, of, "cpu", "µs/session", costs.cpuMicros(), "target", MOST_CPU_MICROS);
      row(rows, of, "loop-cpu", "µs/session", costs.loopMicros(), "target", MOST_LOOP_MICROS);
      if (nginx != null) {
        row(rows, of, "old-code", "s", costs.allFollowed(), "nginx", nginx.oldWorkers());
      }
    }
    return rows.json();
  }

  private static void row(
      BenchResults rows, CellResult cell, Phase phase, What what, Statistic statistic) {
    List<Delays> ours = cell.waits(what, phase);
    List<Delays> control = cell.waits(What.CONTROL, Phase.SWITCH);
    int pairs = Math.min(ours.size(), control.size());
    if (pairs == 0) {
      return;
    }
    String of = what == What.SWITCH ? phase.label() : what.label();
    rows.add(
        new Measurement(
            cell.cell().name(),
            of + "-" + statistic.label(),
            "ms",
            Better.LOWER,
            ours.subList(0, pairs).stream().map(statistic::of).toList(),
            "control",
            control.subList(0, pairs).stream().map(statistic::of).toList(),
            OptionalDouble.empty(),
            COMMAND + " --only " + cell.cell().name()));
  }

  private static void row(
      BenchResults rows,
      String name,
      String metric,
      String unit,
      List<Double> ours,
      String peerName,
      double peer) {
    rows.add(
        new Measurement(
            name,
            metric,
            unit,
            Better.LOWER,
            ours.stream().map(each -> Math.max(0, each)).toList(), // less is noise
            peerName,
            Collections.nCopies(ours.size(), peer),
            OptionalDouble.of(1),
            COMMAND));
  }

  // ---- SVG

  private String svg() {
    Map<String, Map<What, Delays>> panels = new LinkedHashMap<>();
    for (CellResult cell : cells) {
      Map<What, Delays> waits = new EnumMap<>(What.class);
      for (What what : What.values()) {
        waits.put(what, Delays.pooled(cell.waits(what, Phase.SWITCH)));
      }
      panels.put(cell.cell().name(), waits);
    }
    return DelayPlot.svg(TITLE + ": the longest wait of a client around the moment", panels);
  }

  // ---- CSV: each window

  private String csv() {
    StringBuilder lines =
        new StringBuilder(
            "cell,window,moment,phase,connections,p50_ms,p99_ms,p999_ms,max_ms,bytes,busy\n");
    for (CellResult cell : cells) {
      for (Window window : cell.windows()) {
        for (Phase phase : Phase.values()) {
          Delays waits = window.waits().getOrDefault(phase, new Delays());
          if (waits.size() > 0) {
            lines.append(
                String.format(
                    Locale.ROOT,
                    "%s,%s,%d,%s,%d,%.4f,%.4f,%.4f,%.4f,%d,%.3f%n",
                    cell.cell().name(),
                    window.what().label(),
                    window.moment(),
                    phase.label(),
                    waits.size(),
                    Statistic.P50.of(waits),
                    Statistic.P99.of(waits),
                    Statistic.P999.of(waits),
                    Statistic.MAX.of(waits),
                    window.bytesInSecond(),
                    window.busy()));
          }
        }
      }
    }
    return lines.toString();
  }

  // ---- Markdown

  private String markdown() {
    line("# " + TITLE + "\n");
    line("![The distributions of all cells](upgrade.svg)\n");
    if (quick) {
      line("**A quick run, with few clients and windows: its figures say nothing.**\n");
    }
    line(HOW + "\n");
    line(
        ("Each cell: %d upgrades, then %d windows of each kind, %d of control, seed %d. Each window's numbers are in"
                + " [upgrade.csv](upgrade.csv); the raw traces, some hundred MB, stay in"
                + " bench/results/local/upgrade of who measured. Load average (1, 5, 15 minutes)"
                + " before it began: %s.")
            .formatted(acts, windows, 2 * windows, seed, load));
    if (!pinnedApart) {
      line("\n**There was one processor: node and clients shared it.**");
    }
    if (!cells.isEmpty()) {
      loads();
      waits();
      following();
      throughput();
    }
    costs();
    nginx();
    line("\n## Machine\n");
    Machine.facts().forEach(fact -> line("- " + fact));
    if (!Lab.givenOptions().isEmpty()) {
      line("- `THESEUS_JAVA_OPTS`: `" + String.join(" ", Lab.givenOptions()) + "`");
    }
    line("\n## Again\n\n```sh\n" + COMMAND);
    cells.forEach(cell -> line(COMMAND + " --only " + cell.cell().name()));
    line("```");
    return text.toString();
  }

  private void loads() {
    line("\n## Load\n");
    line("| cell | what | connections | load | processors busy |");
    line("| --- | --- | --- | --- | --- |");
    for (CellResult cell : cells) {
      boolean tooMuch = !cell.cell().kind().saturates() && cell.busy() > MOST_BUSY;
      line(
          "| %s | %s | %,d | %s | %.0f %%%s |",
          cell.cell().name(),
          cell.cell().kind().title(),
          cell.cell().connections(),
          cell.cell().load(),
          100 * cell.busy(),
          tooMuch ? " (**expected: < 40 %**)" : "");
    }
  }

  private void waits() {
    line("\n## At the switch\n\nMilliseconds.\n");
    line(
        "| cell | | control | all but | switch | added | interval | control against control"
            + " | added with the stall | target |");
    line("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for (CellResult cell : cells) {
      for (Statistic statistic : Statistic.values()) {
        Comparison at = cell.atSwitch(What.SWITCH, statistic);
        line(
            "| %s | %s | %s | %s | %s | **%s** | %s | %s | %s | %s |",
            cell.cell().name(),
            statistic.label(),
            millis(at.control()),
            millis(cell.atSwitch(What.ALL_BUT, statistic).value()),
            millis(at.value()),
            added(at.difference()),
            range(at.low(), at.high()),
            range(at.bandLow(), at.bandHigh()),
            added(cell.atSwitch(What.STALL, statistic).difference()),
            cell.verdict(statistic).text());
      }
    }
    first();
    line("\n## While the successor is staged\n\nMilliseconds, before the switch.\n");
    line("| cell | | control | staging | added | interval | control against control | target |");
    line("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for (CellResult cell : cells) {
      for (Statistic statistic : Statistic.values()) {
        compared(cell, statistic, cell.staging(statistic), cell.stagingVerdict(statistic).text());
      }
    }
    line("\n## The rest of the second\n\nMilliseconds; there is no target.\n");
    line("| cell | | control | switch | added | interval | control against control | |");
    line("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for (CellResult cell : cells) {
      for (Statistic statistic : Statistic.values()) {
        compared(
            cell,
            statistic,
            cell.after(statistic),
            cell.after(statistic).isInside() ? "inside" : "outside");
      }
    }
  }

  private void first() {
    line(
        "\n## The first switch of a node\n\nIts code for switches is not compiled yet. Once in each"
            + " cell, so there is no verdict; milliseconds.\n");
    line("| cell | p50 | p99 | max | of connections |");
    line("| --- | --- | --- | --- | --- |");
    for (CellResult cell : cells) {
      Delays first = cell.first();
      if (first.size() > 0) {
        line(
            "| %s | %s | %s | %s | %,d |",
            cell.cell().name(),
            millis(Statistic.P50.of(first)),
            millis(Statistic.P99.of(first)),
            millis(Statistic.MAX.of(first)),
            first.size());
      }
    }
  }

  private void compared(CellResult cell, Statistic statistic, Comparison at, String verdict) {
    line(
        "| %s | %s | %s | %s | **%s** | %s | %s | %s |",
        cell.cell().name(),
        statistic.label(),
        millis(at.control()),
        millis(at.value()),
        added(at.difference()),
        range(at.low(), at.high()),
        range(at.bandLow(), at.bandHigh()),
        verdict);
  }

  private void following() {
    line(
        "\n## How soon sessions follow\n\nFrom the switch until the node says in its log that all"
            + " have followed, or their RESUMED where that is earlier, the latest of all switches. With"
            + " traffic: those that acknowledged within 50 ms behind it. RESUMED comes with the next"
            + " packet, or as a sign of life.\n");
    line("| cell | with traffic | of them | within 100 ms | all | within 2 s | never told |");
    line("| --- | --- | --- | --- | --- | --- | --- |");
    for (CellResult cell : cells) {
      line(
          "| %s | %.1f ms | %,d | %s | %.1f ms | %s | %s |",
          cell.cell().name(),
          1000 * cell.trafficFollowed(),
          cell.withTraffic(),
          followed(cell, cell.trafficFollowed(), MOST_LATE),
          1000 * cell.allFollowed(),
          followed(cell, cell.allFollowed(), MOST_ALL),
          cell.missing() == 0 ? "0" : "**" + cell.missing() + "**");
    }
  }

  private static String followed(CellResult cell, double seconds, double most) {
    return (cell.missing() > 0 ? Verdict.MISSED : Verdict.ofLimit(seconds, most)).text();
  }

  private void throughput() {
    line("\n## Throughput of the second after the switch\n\nMB/s, means of the windows.\n");
    line("| cell | control | switch | difference | interval | control against control | target |");
    line("| --- | --- | --- | --- | --- | --- | --- |");
    for (CellResult cell : cells) {
      Comparison at = cell.throughput();
      line(
          "| %s | %s | %s | **%s** | %s | %s | %s |",
          cell.cell().name(),
          BenchResults.number(at.control()),
          BenchResults.number(at.value()),
          signed(at.difference()),
          signed(at.low()) + " to " + signed(at.high()),
          signed(at.bandLow()) + " to " + signed(at.bandHigh()),
          Verdict.ofThroughput(at).text());
    }
  }

  private void costs() {
    Costs.Result measured = costs;
    if (measured == null) {
      return;
    }
    line("\n## What a switch costs\n");
    line(
        ("%,d sessions that do nothing, their code staged beforehand; medians of %d switches, less"
                + " what the same time costs without one, and what the act costs a node without"
                + " sessions. Sessions live on the event loop, their actors too; the code of modules"
                + " doesn't. CPU is that of a second, the event loops' until all have followed;"
                + " below 0 is noise.\n")
            .formatted(measured.sessions(), measured.cpuMicros().size()));
    line("| | measured | least to greatest | target |");
    line("| --- | --- | --- | --- |");
    cost("CPU for a session, µs", measured.cpuMicros(), MOST_CPU_MICROS);
    cost("of it on the event loop, µs", measured.loopMicros(), MOST_LOOP_MICROS);
    cost("until all have followed, s", measured.allFollowed(), MOST_ALL);
    line(
        "| writes to the journal, of all switches | %d | | ≤ 0: %s |",
        measured.journalWrites(),
        (measured.journalWrites() == 0 ? Verdict.MET : Verdict.MISSED).text());
  }

  private void cost(String what, List<Double> values, double most) {
    double median = values.stream().sorted().toList().get(values.size() / 2);
    line(
        "| %s | %s | %s to %s | ≤ %s: %s |",
        what,
        BenchResults.number(median),
        BenchResults.number(Collections.min(values)),
        BenchResults.number(Collections.max(values)),
        BenchResults.number(most),
        Verdict.ofLimit(median, most).text());
  }

  private void nginx() {
    NginxReload measured = nginx;
    if (measured == null) {
      return;
    }
    line("\n## Beside it: a reload of nginx\n");
    line(
        ("%,d connections, half of them downloading at the pace of a slow client, half kept alive"
                + " after an answer; `nginx -s reload` with another header"
                + " (`bench/peers/nginx-reload.conf`).\n")
            .formatted(measured.connections()));
    line(
        "- %,d of %,d downloads kept the old configuration, and their old worker, until they were"
            + " over: %.1f s after the reload in the median, %.1f s the last. Longer downloads keep"
            + " it longer.",
        measured.downloads().size(),
        (measured.connections() + 1) / 2,
        middle(measured.downloads()),
        greatest(measured.downloads()));
    line(
        "- %,d of %,d idle connections were closed, the last after %.0f ms: their clients connect"
            + " again.",
        measured.keptAlive().size(),
        measured.connections() / 2,
        1000 * greatest(measured.keptAlive()));
    line(
        "- The old worker ended after %.1f s. A new connection got the %s configuration.",
        measured.oldWorkers(), measured.newServesNew() ? "new" : "**old**");
    if (costs != null) {
      line(
          "- A node of ours: all %,d sessions ran the new code within %.2f s, in mid-transfer, on"
              + " the same connections.",
          costs.sessions(), greatest(costs.allFollowed()));
    }
  }

  private static double middle(List<Double> values) {
    return values.isEmpty() ? 0 : values.stream().sorted().toList().get(values.size() / 2);
  }

  private static double greatest(List<Double> values) {
    return values.isEmpty() ? 0 : Collections.max(values);
  }

  private static String millis(double value) {
    return String.format(Locale.ROOT, "%.3f", value);
  }

  private static String added(double value) {
    return String.format(Locale.ROOT, "%+.3f", value);
  }

  private static String signed(double value) {
    return (value < 0 ? "-" : "+") + BenchResults.number(Math.abs(value));
  }

  private static String range(double low, double high) {
    return added(low) + " to " + added(high);
  }

  private void line(String line) {
    text.append(line).append('\n');
  }

  private void line(String format, Object... arguments) {
    text.append(String.format(Locale.ROOT, format, arguments)).append('\n');
  }
}
