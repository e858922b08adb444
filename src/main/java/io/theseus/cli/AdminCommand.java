package io.theseus.cli;

import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.admin.jmx.RunFile;
import io.theseus.admin.jmx.StatusClient;
import io.theseus.admin.jmx.StatusClient.UnreachableException;
import io.theseus.module.ModuleException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** What the commands of {@code theseus admin} share: which node is asked, and how that fails. */
abstract class AdminCommand extends JsonCommand {
  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "The node that runs with this file; needed where several run.")
  private Optional<Path> config = Optional.empty();

  AdminCommand(Streams streams) {
    super(streams);
  }

  /**
   * Does it.
   *
   * @param node that is asked; what it does concerns all
   */
  abstract ExitCode run(RunFile node, Operations operations)
      throws OperationException, IOException, ModuleException, CommandException;

  @Override
  final ExitCode run() throws IOException, ModuleException, CommandException {
    StatusClient client = StatusCommand.client();
    try {
      RunFile node = client.find(config);
      return run(node, StatusClient.operations(node));
    } catch (UnreachableException e) {
      throw new CommandException(
          e.severalRun() ? ExitCode.USAGE : ExitCode.UNREACHABLE,
          String.valueOf(e.getMessage()),
          "");
    } catch (OperationException e) {
      throw new CommandException(
          e.isUnreachable() ? ExitCode.UNREACHABLE : ExitCode.REFUSED,
          Display.name(String.valueOf(e.getMessage())),
          "");
    }
  }

  /** A line of JSON that says which command it is of. */
  final JsonLine line() {
    return new JsonLine().put("command", spec.name());
  }
}
