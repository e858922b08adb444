package io.theseus.cli;

import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.admin.jmx.RunFile;
import java.util.UUID;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code theseus admin kill}: ends a connection. */
@Command(
    name = "kill",
    description = {
      "Ends the connection of a session, wherever it is. The client is told `denied`; an unfinished"
          + " upload stays resumable."
    },
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  theseus admin sessions                                     which there are",
      "  theseus admin kill 6b7e0f3a-1111-4222-8333-123456789abc",
    })
final class AdminKillCommand extends OrderCommand {
  @Parameters(paramLabel = "SESSION", description = "The id of the session.")
  private UUID session = new UUID(0, 0);

  AdminKillCommand(Streams streams) {
    super(streams);
  }

  @Override
  ExitCode run(RunFile node, Operations operations) throws OperationException {
    String at = operations.kill(session, order());
    streams
        .out()
        .println(
            json
                ? line().put("session", session.toString()).put("node", at)
                : session + ": its connection to " + Display.name(at) + " is ended");
    return ExitCode.OK;
  }
}
