package io.theseus.cli;

import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.admin.Operations.ActView;
import io.theseus.admin.jmx.RunFile;
import picocli.CommandLine.Command;

/** {@code theseus admin pause}: transfers stand still. */
@Command(
    name = "pause",
    description = {
      "Holds all transfers at a packet boundary; clients are told, and keep their connections. New"
          + " ones are accepted and wait.",
      "",
      "Exit codes: 0 confirmed, 18 refused, 19 taken back, 130 Ctrl-C while waiting."
    },
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  theseus admin pause",
      "  theseus admin pause --without node3",
    })
final class AdminPauseCommand extends ActCommand {
  AdminPauseCommand(Streams streams, Ticker.Source tickers) {
    super(streams, tickers);
  }

  @Override
  ActView begin(RunFile node, Operations operations) throws OperationException {
    return operations.pause(actOrder());
  }
}
