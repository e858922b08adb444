package io.theseus.cli;

import picocli.CommandLine;
import picocli.CommandLine.Model.UsageMessageSpec;

/** The commands that are clients of a node's packet port. */
final class TransferCommands {
  private TransferCommands() {}

  /** Adds them to the root of the command line. */
  static void addTo(CommandLine root, Streams streams) {
    add(root, new GetCommand(streams));
    add(root, new PutCommand(streams));
    add(root, new ListCommand(streams));
    add(root, new StatCommand(streams));
    add(root, new RemoveCommand(streams));
  }

  private static void add(CommandLine root, ClientCommand command) {
    CommandLine line = new CommandLine(command);
    UsageMessageSpec usage = line.getCommandSpec().usageMessage();
    usage.exitCodeListHeading("%nExit codes:%n");
    usage.exitCodeList(ExitCode.help());
    root.addSubcommand(line);
  }
}
