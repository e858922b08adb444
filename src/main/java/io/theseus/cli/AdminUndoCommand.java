package io.theseus.cli;

import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.admin.Operations.ActView;
import io.theseus.admin.jmx.RunFile;
import picocli.CommandLine.Command;

/** {@code theseus admin undo}: as if the last act had not been. */
@Command(
    name = "undo",
    description = {
      "Takes back the last act, whatever it was, or gives up the one that is under way.",
      "",
      "Exit codes: 0 confirmed, 18 refused, 19 taken back, 130 Ctrl-C while waiting."
    },
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  theseus admin history            what was the last act?",
      "  theseus admin undo",
    })
final class AdminUndoCommand extends ActCommand {
  AdminUndoCommand(Streams streams, Ticker.Source tickers) {
    super(streams, tickers);
  }

  @Override
  ActView begin(RunFile node, Operations operations) throws OperationException {
    return operations.undo(actOrder());
  }
}
