package io.theseus.cli;

import java.time.Duration;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code theseus admin}: what an operator can do to a cluster, at any of its nodes. */
@Command(
    name = "admin",
    description = {
      "Upgrades, pauses and inspects a running cluster, through a node of this host that runs as"
          + " this user. What is done concerns all nodes."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  theseus admin upgrade MyChannel.java --dry-run      what would it change?",
      "  theseus admin upgrade MyChannel.java                compile, sign, switch",
      "  theseus admin history                               what was done, by whom",
      "  theseus admin undo                                  take back the last act",
      "  theseus admin sessions --follow                     who transfers what, now",
    })
final class AdminGroup implements Runnable {
  private static final Duration ACTS = Duration.ofMillis(250);
  private static final Duration SESSIONS = Duration.ofSeconds(1);

  @Spec
  @SuppressWarnings("NullAway.Init") // set by picocli
  private CommandSpec spec;

  /** With what it does. */
  static void addTo(CommandLine line, Streams streams) {
    line.addSubcommand(commands(streams, () -> Ticker.every(ACTS), () -> Ticker.every(SESSIONS)));
  }

  /** With what it does, at another pace. */
  static CommandLine commands(Streams streams, Ticker.Source acts, Ticker.Source sessions) {
    return new CommandLine(new AdminGroup())
        .addSubcommand(new AdminUpgradeCommand(streams, acts))
        .addSubcommand(new AdminPromoteCommand(streams, acts))
        .addSubcommand(new AdminRollbackCommand(streams, acts))
        .addSubcommand(new AdminUndoCommand(streams, acts))
        .addSubcommand(new AdminPauseCommand(streams, acts))
        .addSubcommand(new AdminResumeCommand(streams, acts))
        .addSubcommand(new AdminHistoryCommand(streams))
        .addSubcommand(new AdminRevisionsCommand(streams))
        .addSubcommand(new StatusCommand())
        .addSubcommand(new AdminSessionsCommand(streams, sessions))
        .addSubcommand(new AdminKillCommand(streams))
        .addSubcommand(new AdminAcceptCommand.Stop(streams))
        .addSubcommand(new AdminAcceptCommand.Again(streams))
        .addSubcommand(AdminBackupsCommand.commands(streams))
        .addSubcommand(new AdminVerifyCommand(streams, acts));
  }

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(),
        "what to do: missing (expected: upgrade, promote, rollback, undo, pause, resume, history,"
            + " revisions, status, sessions, kill, stop-accepting, accept, backups, verify)");
  }
}
