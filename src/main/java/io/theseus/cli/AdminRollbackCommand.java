package io.theseus.cli;

import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.admin.Operations.ActView;
import io.theseus.admin.jmx.RunFile;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code theseus admin rollback}: back to a revision that was in force. */
@Command(
    name = "rollback",
    description = {
      "Puts a revision in force again that was confirmed before. Transfers go on meanwhile.",
      "",
      "Exit codes: 0 confirmed, 18 refused, 19 taken back, 130 Ctrl-C while waiting."
    },
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  theseus admin revisions                     which there are",
      "  theseus admin rollback 3f2a9c11             the first digits of its id do",
      "  theseus admin rollback my-channel@1.0.0     or its name",
    })
final class AdminRollbackCommand extends ActCommand {
  @Parameters(
      paramLabel = "REVISION",
      description = "Its id, the first digits of it that no other has, or its name.")
  private String revision = "";

  AdminRollbackCommand(Streams streams, Ticker.Source tickers) {
    super(streams, tickers);
  }

  @Override
  ActView begin(RunFile node, Operations operations) throws OperationException {
    return operations.rollback(revision, actOrder());
  }
}
