package io.theseus.cli;

import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.admin.Operations.ActView;
import io.theseus.admin.jmx.RunFile;
import io.theseus.module.ModuleException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** What the commands share that begin an act of the whole cluster, and wait for its end. */
abstract class ActCommand extends OrderCommand {
  private static final String GOES_ON =
      "The act goes on: `theseus admin history` tells how it ends, `theseus admin undo` takes it"
          + " back.";

  @Option(
      names = "--without",
      paramLabel = "NODE",
      split = ",",
      description = "A node that may be missing; as often as needed.")
  private List<String> without = List.of();

  @Option(
      names = "--watch",
      paramLabel = "TIME",
      converter = Durations.class,
      description = {
        "For so long (30s, 5m) no node may report misbehaving code",
        "afterwards, or all is taken back. Default: as configured."
      })
  private Optional<Duration> watch = Optional.empty();

  @ArgGroup private HowLong howLong = new HowLong();

  private final Ticker.Source tickers;

  /** To the end or not. */
  static final class HowLong {
    @Option(names = "--wait", description = "Wait for the end, showing progress; the default.")
    boolean wait;

    @Option(names = "--detach", description = "Begin it, and don't wait.")
    boolean detach;
  }

  ActCommand(Streams streams, Ticker.Source tickers) {
    super(streams);
    this.tickers = tickers;
  }

  /** Begins the act. */
  abstract ActView begin(RunFile node, Operations operations)
      throws OperationException, IOException, ModuleException, CommandException;

  final Operations.Order actOrder() {
    return order(without, watch);
  }

  /** Nodes that may be missing. */
  final List<String> without() {
    return without;
  }

  @Override
  ExitCode run(RunFile node, Operations operations)
      throws OperationException, IOException, ModuleException, CommandException {
    // from here on Ctrl-C is told what becomes of the act
    try (Ticker ticker = tickers.start()) {
      ActView begun = begin(node, operations);
      if (howLong.detach && !begun.phase().isOver()) {
        return tell(begun);
      }
      boolean live = streams.errIsTerminal();
      ActWait wait = new ActWait(operations, Screen.ofErrors(streams), live, /* quiet= */ json);
      Optional<ActView> ended = wait.await(begun, ticker);
      if (ended.isEmpty()) {
        streams.err().println(GOES_ON);
        if (json) {
          tell(begun);
        }
        return ExitCode.INTERRUPTED;
      }
      return tell(ended.get());
    }
  }

  private ExitCode tell(ActView act) {
    String what = Display.name(act.what());
    String why = act.reason().isEmpty() ? "" : ": " + Display.name(act.reason());
    return switch (act.phase()) {
      case STAGING, SWITCHING -> begun(act);
      case CONFIRMED -> {
        streams.out().println(json ? describe(line(), act) : what + ": confirmed" + why);
        yield ExitCode.OK;
      }
      case REFUSED ->
          failed(act, ExitCode.REFUSED, what + ": refused, and nothing is changed" + why);
      case ROLLED_BACK ->
          failed(act, ExitCode.ROLLED_BACK, what + ": rolled back, and all is as before" + why);
    };
  }

  private ExitCode begun(ActView act) {
    streams
        .out()
        .println(
            json
                ? describe(line(), act)
                : Display.name(act.what()) + ": begun, as act " + Display.name(act.id()));
    return ExitCode.OK;
  }

  private ExitCode failed(ActView act, ExitCode exit, String message) {
    if (json) {
      streams.out().println(describe(line(), act).failure(Failure.of(exit, message, "")));
    }
    streams.err().println(spec.qualifiedName() + ": " + message);
    return exit;
  }

  private static JsonLine describe(JsonLine line, ActView act) {
    return line.put("id", act.id())
        .put("what", act.what())
        .put("who", act.who())
        .put("at", act.at())
        .put("phase", act.phase())
        .put("reason", act.reason())
        .put("nodes", act.nodes());
  }
}
