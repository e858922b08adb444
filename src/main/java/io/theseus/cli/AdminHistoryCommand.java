package io.theseus.cli;

import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.admin.Operations.ActView;
import io.theseus.admin.jmx.RunFile;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;

/** {@code theseus admin history}: what was done, by whom, and how it ended. */
@Command(
    name = "history",
    description = "Shows all acts, the latest first, the one that is under way included.",
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  theseus admin history",
      "  theseus admin history --json",
    })
final class AdminHistoryCommand extends AdminCommand {
  AdminHistoryCommand(Streams streams) {
    super(streams);
  }

  @Override
  ExitCode run(RunFile node, Operations operations) throws OperationException {
    List<ActView> acts = operations.history();
    if (json) {
      streams.out().println(line().put("acts", acts));
    } else if (acts.isEmpty()) {
      streams.out().println("no act yet");
    } else {
      acts.forEach(this::print);
    }
    return ExitCode.OK;
  }

  private void print(ActView act) {
    streams
        .out()
        .println(
            Display.name(
                String.format(
                    Locale.ROOT,
                    "%s  %-11s  %s, by %s, act %s",
                    act.at(),
                    act.phase().label(),
                    act.what(),
                    act.who(),
                    act.id())));
    if (!act.reason().isEmpty()) {
      streams.out().println("  " + Display.name(act.reason()));
    }
    if (!act.phase().isOver() && !act.nodes().isEmpty()) {
      streams
          .out()
          .println(
              "  "
                  + Display.name(
                      act.nodes().entrySet().stream()
                          .map(each -> each.getKey() + " " + each.getValue())
                          .collect(Collectors.joining(", "))));
    }
  }
}
