package io.theseus.cli;

import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.admin.Operations.BackupList;
import io.theseus.admin.Operations.BackupView;
import io.theseus.admin.Operations.Drained;
import io.theseus.admin.jmx.RunFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code theseus admin backups}: who keeps copies of what others receive. */
@Command(
    name = "backups",
    description = {
      "Shows the backups that the node can reach: the room that they have, how many uploads they copy,"
          + " and how many bytes came to them that are not written yet."
    },
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  theseus admin backups",
      "  theseus admin backups drain node2          its files go elsewhere",
      "  theseus admin backups drain node2 --undo   it gets some again",
      "  theseus admin backups close                only those that there are",
    })
final class AdminBackupsCommand extends AdminCommand {
  private static final List<String> TITLES =
      List.of("NODE", "RACK", "FREE", "UPLOADS", "BEHIND", "STATE");

  private AdminBackupsCommand(Streams streams) {
    super(streams);
  }

  /** With what is done to them. */
  static CommandLine commands(Streams streams) {
    return new CommandLine(new AdminBackupsCommand(streams))
        .addSubcommand(new Drain(streams))
        .addSubcommand(new Close(streams))
        .addSubcommand(new Open(streams));
  }

  @Override
  ExitCode run(RunFile node, Operations operations) throws OperationException {
    BackupList list = operations.backups();
    if (json) {
      streams
          .out()
          .println(
              line()
                  .put("node", list.node())
                  .put("open", list.open())
                  .put("backups", list.backups()));
      return ExitCode.OK;
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(TITLES);
    list.backups().stream().map(AdminBackupsCommand::row).forEach(rows::add);
    Table.lines(rows).forEach(streams.out()::println);
    if (!list.open()) {
      streams
          .out()
          .println("No others may register with " + Display.name(list.node()) + " any more.");
    }
    return ExitCode.OK;
  }

  private static List<String> row(BackupView backup) {
    return List.of(
        Display.name(backup.node()),
        backup.rack().isEmpty() ? "-" : Display.name(backup.rack()),
        Display.size(backup.freeBytes()),
        String.valueOf(backup.sessions()),
        Display.size(backup.behindBytes()),
        state(backup));
  }

  private static String state(BackupView backup) {
    if (!backup.draining()) {
      return backup.registered() ? "in use" : "not registered";
    }
    return switch (Long.signum(backup.filesLeft())) {
      case 0 -> "drained";
      case 1 -> "draining, " + Display.count(backup.filesLeft(), "file") + " left";
      default -> "draining";
    };
  }

  /** {@code theseus admin backups drain}. */
  @Command(
      name = "drain",
      description = {
        "Empties a node: by any node and until --undo it is chosen for no new copy, the copies of"
            + " uploads that run are moved to other backups, and a file goes when it is on as many"
            + " other nodes as theseus.backup.factor wants, and one more. `theseus admin backups`"
            + " shows how many are left."
      },
      sortOptions = false,
      footerHeading = "%nExamples:%n",
      footer = {
        "  theseus admin backups drain node2",
        "  theseus admin backups                      until it is drained",
        "  theseus admin backups drain node2 --undo",
      })
  static final class Drain extends OrderCommand {
    @Parameters(paramLabel = "NODE", description = "The id of the node.")
    private String backup = "";

    @Option(names = "--undo", description = "It is chosen again.")
    private boolean undo;

    Drain(Streams streams) {
      super(streams);
    }

    @Override
    ExitCode run(RunFile node, Operations operations) throws OperationException {
      Drained drained = operations.drain(backup, !undo, order());
      streams
          .out()
          .println(
              json
                  ? line()
                      .put("node", drained.node())
                      .put("draining", drained.draining())
                      .put("running", drained.running())
                  : words(drained));
      return ExitCode.OK;
    }

    private static String words(Drained drained) {
      String name = Display.name(drained.node());
      return drained.draining()
          ? name
              + ": gets no new copies; of "
              + Display.count(drained.running(), "upload")
              + " that it copies now, and of its files, those that can go elsewhere do;"
              + " `theseus admin backups` shows how many are left"
          : name + ": gets new copies again";
    }
  }

  /** Whether backups may register with the nodes. */
  private abstract static class Register extends OrderCommand {
    private final boolean open;

    Register(Streams streams, boolean open) {
      super(streams);
      this.open = open;
    }

    @Override
    ExitCode run(RunFile node, Operations operations) throws OperationException {
      Map<String, String> outcome = operations.register(open, order());
      if (json) {
        streams.out().println(line().put("nodes", outcome));
      } else {
        outcome.forEach(this::print);
      }
      return outcome.values().stream().allMatch(Operations.DONE::equals)
          ? ExitCode.OK
          : ExitCode.SOME_FAILED;
    }

    private void print(String node, String outcome) {
      if (outcome.equals(Operations.DONE)) {
        String state = open ? ": lets backups register" : ": lets no further backups register";
        streams.out().println(Display.name(node) + state);
      } else {
        streams.err().println(spec.qualifiedName() + ": " + Display.name(node + ": " + outcome));
      }
    }
  }

  /** {@code theseus admin backups close}. */
  @Command(
      name = "close",
      description = {
        "Lets no further backups register: one that has not up to now is not chosen. A node that is"
            + " started again takes them, as theseus.backup.registration says.",
        "",
        "Exit codes: 0 done, 10 not on every node."
      },
      sortOptions = false,
      footerHeading = "%nExamples:%n",
      footer = {
        "  theseus admin backups close",
        "  theseus admin backups close --json",
      })
  static final class Close extends Register {
    Close(Streams streams) {
      super(streams, /* open= */ false);
    }
  }

  /** {@code theseus admin backups open}. */
  @Command(
      name = "open",
      description = {
        "Lets backups register again, whatever theseus.backup.registration says.",
        "",
        "Exit codes: 0 done, 10 not on every node."
      },
      sortOptions = false,
      footerHeading = "%nExamples:%n",
      footer = {
        "  theseus admin backups open",
        "  theseus admin backups open --json",
      })
  static final class Open extends Register {
    Open(Streams streams) {
      super(streams, /* open= */ true);
    }
  }
}
