package io.theseus.cli;

import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.admin.Operations.ActView;
import io.theseus.admin.Operations.Phase;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Waits for the end of an act, and shows how far each node is: on a terminal lines that are drawn
 * anew, elsewhere a line for each change, or nothing.
 */
final class ActWait {
  /** So often in a row a node may not answer: it may be starting again, or its host be busy. */
  private static final int MOST_SILENT = 100;

  private final Operations operations;
  private final Screen screen;
  private final boolean live;
  private final boolean quiet;
  private final Map<String, String> nodes = new TreeMap<>();
  private @Nullable Phase phase;

  /**
   * Waits by asking.
   *
   * @param live whether the screen can draw
   * @param quiet whether nothing is shown
   */
  ActWait(Operations operations, Screen screen, boolean live, boolean quiet) {
    this.operations = operations;
    this.screen = screen;
    this.live = live;
    this.quiet = quiet;
  }

  /**
   * Waits.
   *
   * @return the act when it was over; empty where Ctrl-C came first
   * @throws OperationException where nobody answers any more
   */
  Optional<ActView> await(ActView begun, Ticker ticker) throws OperationException {
    ActView latest = begun;
    int silent = 0;
    show(latest);
    try {
      while (!latest.phase().isOver()) {
        if (!ticker.next()) {
          return Optional.empty();
        }
        try {
          latest = operations.act(begun.id()).orElse(latest);
          silent = 0;
          show(latest);
        } catch (OperationException e) {
          if (!e.isUnreachable() || ++silent == MOST_SILENT) {
            throw new OperationException(
                e.getMessage() + "; the act may go on: `theseus admin history` tells",
                e.isUnreachable());
          }
          if (silent == 1) {
            say(e.getMessage() + "; asking again");
          }
        }
      }
      return Optional.of(latest);
    } finally {
      screen.close();
    }
  }

  private void say(String text) {
    if (!quiet) {
      screen.print(Display.name(text));
    }
  }

  private void show(ActView act) {
    if (quiet) {
      return;
    }
    if (live) {
      List<String> lines = new ArrayList<>();
      lines.add(Display.name(act.what()) + ": " + act.phase().label());
      act.nodes().forEach((node, state) -> lines.add("  " + Display.name(node + "  " + state)));
      screen.show(act.phase().isOver() ? List.of() : lines);
      return;
    }
    if (act.phase() != phase && !act.phase().isOver()) {
      say(act.what() + ": " + act.phase().label());
    }
    phase = act.phase();
    act.nodes()
        .forEach(
            (node, state) -> {
              if (!state.equals(nodes.put(node, state))) {
                say(node + ": " + state);
              }
            });
  }
}
