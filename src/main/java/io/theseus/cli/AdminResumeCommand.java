package io.theseus.cli;

import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.admin.Operations.ActView;
import io.theseus.admin.jmx.RunFile;
import picocli.CommandLine.Command;

/** {@code theseus admin resume}: transfers go on after a pause. */
@Command(
    name = "resume",
    description = {
      "Lets held transfers go on, under the code that is in force now.",
      "",
      "Exit codes: 0 confirmed, 18 refused, 19 taken back, 130 Ctrl-C while waiting."
    },
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  theseus admin resume",
      "  theseus admin resume --without node3",
    })
final class AdminResumeCommand extends ActCommand {
  AdminResumeCommand(Streams streams, Ticker.Source tickers) {
    super(streams, tickers);
  }

  @Override
  ActView begin(RunFile node, Operations operations) throws OperationException {
    return operations.resume(actOrder());
  }
}
