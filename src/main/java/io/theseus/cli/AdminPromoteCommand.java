package io.theseus.cli;

import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.admin.Operations.ActView;
import io.theseus.admin.jmx.RunFile;
import picocli.CommandLine.Command;

/** {@code theseus admin promote}: the canary's code for everybody. */
@Command(
    name = "promote",
    description = {
      "Gives all sessions the code that the canary of the last upgrade has.",
      "",
      "Exit codes: 0 confirmed, 18 refused, 19 taken back, 130 Ctrl-C while waiting."
    },
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  theseus admin promote",
      "  theseus admin promote --watch 5m",
    })
final class AdminPromoteCommand extends ActCommand {
  AdminPromoteCommand(Streams streams, Ticker.Source tickers) {
    super(streams, tickers);
  }

  @Override
  ActView begin(RunFile node, Operations operations) throws OperationException {
    return operations.promote(actOrder());
  }
}
