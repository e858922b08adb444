package io.theseus.cli;

import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.admin.Operations.SessionList;
import io.theseus.admin.Operations.SessionView;
import io.theseus.admin.jmx.RunFile;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code theseus admin sessions}: who transfers what. */
@Command(
    name = "sessions",
    description = {
      "Shows the sessions of all nodes: live, held while code is changed, or detached, without a"
          + " connection. Uploads that wait for their clients since before a node was started are"
          + " not among them; `theseus status` counts them as kept.",
      "",
      "Exit codes: 0 all nodes answered, 10 some did not."
    },
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  theseus admin sessions",
      "  theseus admin sessions --follow          until Ctrl-C",
      "  theseus admin sessions --json",
    })
final class AdminSessionsCommand extends AdminCommand {
  private static final int USUAL_ROWS = 24;

  @Option(
      names = {"-f", "--follow"},
      description = {
        "Ask again and again: on a terminal a table that is drawn anew,",
        "elsewhere a line for each session that comes, changes or goes."
      })
  private boolean follow;

  private final Ticker.Source tickers;

  AdminSessionsCommand(Streams streams, Ticker.Source tickers) {
    super(streams);
    this.tickers = tickers;
  }

  @Override
  ExitCode run(RunFile node, Operations operations) throws OperationException {
    return follow ? follow(operations) : once(operations.sessions());
  }

  private ExitCode once(SessionList list) {
    if (json) {
      print(list);
    } else {
      SessionTable.lines(list.sessions()).forEach(streams.out()::println);
      list.silent().forEach(this::silent);
    }
    return list.silent().isEmpty() ? ExitCode.OK : ExitCode.SOME_FAILED;
  }

  private void print(SessionList list) {
    streams.out().println(line().put("sessions", list.sessions()).put("silent", list.silent()));
    streams.out().flush();
  }

  private void silent(String node, String why) {
    streams
        .err()
        .println(spec.qualifiedName() + ": " + Display.name(node + " did not answer: " + why));
  }

  private ExitCode follow(Operations operations) throws OperationException {
    boolean live = streams.outIsTerminal() && streams.errIsTerminal() && !json;
    Map<UUID, SessionView> known = new HashMap<>();
    try (Ticker ticker = tickers.start();
        Screen screen = new Screen(streams.out(), streams.columns(), live)) {
      do {
        SessionList list = operations.sessions();
        if (json) {
          print(list);
        } else if (live) {
          screen.show(table(list));
        } else {
          SessionTable.news(known, list).forEach(screen::print);
        }
      } while (ticker.next());
    }
    return ExitCode.INTERRUPTED;
  }

  /** As much of it as the terminal can draw. */
  private List<String> table(SessionList list) {
    List<String> all = new ArrayList<>(SessionTable.lines(list.sessions()));
    list.silent()
        .forEach((node, why) -> all.add(1, Display.name(node + " did not answer: " + why)));
    int most = rows() - 1;
    if (all.size() <= most) {
      return all;
    }
    List<String> shown = new ArrayList<>(all.subList(0, most - 1));
    shown.add("... and " + (all.size() - shown.size()) + " more");
    return shown;
  }

  private int rows() {
    try {
      return Math.max(4, Integer.parseInt(streams.environment().getOrDefault("LINES", "")));
    } catch (NumberFormatException e) {
      return USUAL_ROWS;
    }
  }
}
