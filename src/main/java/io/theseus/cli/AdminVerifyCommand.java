package io.theseus.cli;

import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.admin.Operations.RottenFile;
import io.theseus.admin.Operations.Verification;
import io.theseus.admin.jmx.RunFile;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code theseus admin verify}: reads all files, and repairs them. */
@Command(
    name = "verify",
    description = {
      "Has every node read its files from the disk and compare them with what was stored. One that is"
          + " something else is rotten: it is not served any more, and its blocks that differ are"
          + " fetched from a node where the file is sound. The nodes also do this by themselves, as"
          + " theseus.repair.scrub-every says.",
      "",
      "Exit codes: 0 all are as they should be by now, 10 some are not, or a node did not do it."
    },
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  theseus admin verify                 all files",
      "  theseus admin verify photos/2026     those whose names begin so",
      "  theseus admin verify --detach        and don't wait",
    })
final class AdminVerifyCommand extends OrderCommand {
  @Parameters(
      arity = "0..1",
      paramLabel = "PREFIX",
      description = "Only files whose names begin so.")
  private String prefix = "";

  @Option(names = "--detach", description = "Begin, and don't wait for the end.")
  private boolean detach;

  private final Ticker.Source tickers;

  AdminVerifyCommand(Streams streams, Ticker.Source tickers) {
    super(streams);
    this.tickers = tickers;
  }

  @Override
  ExitCode run(RunFile node, Operations operations) throws OperationException {
    List<Verification> nodes = operations.verify(prefix, order());
    if (detach) {
      return begun(nodes);
    }
    Map<String, String> refused = new HashMap<>();
    nodes.stream()
        .filter(each -> !each.failure().isEmpty())
        .forEach(each -> refused.put(each.node(), each.failure()));
    Map<String, BarRenderer> bars = new HashMap<>();
    boolean ended = false;
    try (Ticker ticker = tickers.start();
        Screen screen = Screen.ofErrors(streams)) {
      while (!ended) {
        if (!ticker.next()) {
          return ExitCode.INTERRUPTED;
        }
        nodes = operations.verification().stream().map(each -> refused(each, refused)).toList();
        screen.show(nodes.stream().map(each -> bar(each, bars)).toList());
        ended = nodes.stream().noneMatch(Verification::running);
      }
      screen.show(List.of());
    }
    return ended(nodes);
  }

  /** What does not begin says nothing of what it did before. */
  private static Verification refused(Verification node, Map<String, String> refused) {
    String why = refused.get(node.node());
    return why == null
        ? node
        : new Verification(node.node(), false, 0, 0, 0, 0, 0, 0, 0, List.of(), why);
  }

  private String bar(Verification node, Map<String, BarRenderer> bars) {
    return bars.computeIfAbsent(
            node.node(), any -> new BarRenderer(streams.unicode(), System::nanoTime))
        .render(
            Display.name(node.node()),
            node.bytes(),
            node.totalBytes(),
            node.rotten() == 0 ? "" : node.rotten() + " rotten",
            streams.columns().getAsInt());
  }

  private ExitCode begun(List<Verification> nodes) {
    boolean all = nodes.stream().allMatch(each -> each.failure().isEmpty());
    if (json) {
      streams.out().println(line().put("nodes", nodes));
    } else {
      for (Verification each : nodes) {
        if (each.failure().isEmpty()) {
          streams.out().println(Display.name(each.node()) + ": begun");
        } else {
          complain(each.node() + ": " + each.failure());
        }
      }
    }
    return all ? ExitCode.OK : ExitCode.SOME_FAILED;
  }

  private ExitCode ended(List<Verification> nodes) {
    boolean sound =
        nodes.stream()
            .allMatch(each -> each.failure().isEmpty() && each.rotten() == each.repaired());
    if (json) {
      streams.out().println(line().put("nodes", nodes));
    } else {
      nodes.forEach(this::print);
    }
    return sound ? ExitCode.OK : ExitCode.SOME_FAILED;
  }

  private void print(Verification node) {
    if (!node.failure().isEmpty()) {
      complain(node.node() + ": " + node.failure());
      return;
    }
    String sound =
        node.rotten() == 0
            ? "all as they were stored"
            : node.rotten() + " rotten, " + node.repaired() + " of them repaired";
    streams
        .out()
        .println(
            Display.name(node.node())
                + ": "
                + Display.count(node.files(), "file")
                + ", "
                + Display.size(node.bytes())
                + ": "
                + sound
                + (node.adopted() == 0
                    ? ""
                    : "; of "
                        + Display.count(node.adopted(), "file")
                        + " nothing was known before"));
    for (RottenFile each : node.findings()) {
      if (each.reason().isEmpty()) {
        streams
            .out()
            .println(
                "  "
                    + Display.name(each.name())
                    + ": repaired from "
                    + Display.name(each.repairedFrom()));
      } else {
        complain(node.node() + ": " + each.name() + ": " + each.reason());
      }
    }
  }

  private void complain(String what) {
    streams.err().println(spec.qualifiedName() + ": " + Display.name(what));
  }
}
