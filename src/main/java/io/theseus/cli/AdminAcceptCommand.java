package io.theseus.cli;

import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.admin.jmx.RunFile;
import java.util.List;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Whether nodes take new sessions: {@code stop-accepting}, and {@code accept} again. */
abstract class AdminAcceptCommand extends OrderCommand {
  @Option(
      names = "--node",
      paramLabel = "NODE",
      split = ",",
      description = "Only this node; as often as needed. Default: all.")
  private List<String> nodes = List.of();

  private final boolean accept;

  AdminAcceptCommand(Streams streams, boolean accept) {
    super(streams);
    this.accept = accept;
  }

  /** {@code theseus admin stop-accepting}. */
  @Command(
      name = "stop-accepting",
      description = {
        "Takes no new sessions: clients are told `busy`. Those that are there go on, and can be"
            + " resumed. A node that is started again takes new ones.",
        "",
        "Exit codes: 0 done, 10 not on every node."
      },
      sortOptions = false,
      footerHeading = "%nExamples:%n",
      footer = {
        "  theseus admin stop-accepting",
        "  theseus admin stop-accepting --node node2     before it is shut down",
      })
  static final class Stop extends AdminAcceptCommand {
    Stop(Streams streams) {
      super(streams, /* accept= */ false);
    }
  }

  /** {@code theseus admin accept}. */
  @Command(
      name = "accept",
      description = {
        "Takes new sessions again, after stop-accepting.",
        "",
        "Exit codes: 0 done, 10 not on every node."
      },
      sortOptions = false,
      footerHeading = "%nExamples:%n",
      footer = {
        "  theseus admin accept",
        "  theseus admin accept --node node2",
      })
  static final class Again extends AdminAcceptCommand {
    Again(Streams streams) {
      super(streams, /* accept= */ true);
    }
  }

  @Override
  ExitCode run(RunFile node, Operations operations) throws OperationException {
    Map<String, String> outcome = operations.accept(accept, Set.copyOf(nodes), order());
    boolean all = outcome.values().stream().allMatch(Operations.DONE::equals);
    if (json) {
      streams.out().println(line().put("nodes", outcome));
    } else {
      outcome.forEach(this::print);
    }
    return all ? ExitCode.OK : ExitCode.SOME_FAILED;
  }

  private void print(String node, String outcome) {
    if (outcome.equals(Operations.DONE)) {
      String state = accept ? ": takes new sessions" : ": takes no new sessions";
      streams.out().println(Display.name(node) + state);
    } else {
      streams.err().println(spec.qualifiedName() + ": " + Display.name(node + ": " + outcome));
    }
  }
}
