package io.theseus.cli;

import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.admin.Operations.RevisionView;
import io.theseus.admin.jmx.RunFile;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;

/** {@code theseus admin revisions}: what can be in force, and how each differs from what is. */
@Command(
    name = "revisions",
    description = {
      "Shows the revisions that can be gone back to, the one in force first, and what each would"
          + " change of it."
    },
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  theseus admin revisions",
      "  theseus admin revisions --json",
    })
final class AdminRevisionsCommand extends AdminCommand {
  /** Enough of an id to tell it from others. */
  private static final int SHOWN = 12;

  AdminRevisionsCommand(Streams streams) {
    super(streams);
  }

  @Override
  ExitCode run(RunFile node, Operations operations) throws OperationException {
    List<RevisionView> revisions = operations.revisions();
    if (json) {
      streams.out().println(line().put("revisions", revisions));
      return ExitCode.OK;
    }
    for (RevisionView each : revisions) {
      streams
          .out()
          .println(String.format(Locale.ROOT, "%-8s  %s", Display.name(each.state()), title(each)));
      changes(each).forEach(streams.out()::println);
    }
    return ExitCode.OK;
  }

  /** Its name, and the first digits of its id. */
  static String title(RevisionView revision) {
    String id = revision.id();
    return Display.name(
        revision.name() + " (" + id.substring(0, Math.min(SHOWN, id.length())) + ")");
  }

  /** What it changes, a line each. */
  static List<String> changes(RevisionView revision) {
    return revision.changes().stream().map(each -> "  " + Display.name(each)).toList();
  }
}
