package io.theseus.cli;

import io.theseus.admin.Operations.SessionList;
import io.theseus.admin.Operations.SessionView;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Sessions as lines: a table of all, or what is new since the last time. */
final class SessionTable {
  private static final Comparator<SessionView> ORDER =
      Comparator.comparing(SessionView::name)
          .thenComparing(SessionView::node)
          .thenComparing(SessionView::session);
  private static final List<String> TITLES =
      List.of("SESSION", "NODE", "WHAT", "STATE", "OFFSET", "MODULE", "CLIENT", "NAME");
  private static final String BETWEEN = "  ";

  private SessionTable() {}

  /** A title and a line for each, in columns; the name, which may be long, is the last. */
  static List<String> lines(List<SessionView> sessions) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(TITLES);
    sessions.stream().sorted(ORDER).map(SessionTable::row).forEach(rows::add);
    return Table.lines(rows);
  }

  /**
   * A line for each session that has come, is in another state, or is gone.
   *
   * @param known of before; then those of now
   */
  static List<String> news(Map<UUID, SessionView> known, SessionList list) {
    List<String> lines = new ArrayList<>();
    Map<UUID, SessionView> gone = new HashMap<>(known);
    for (SessionView each : list.sessions().stream().sorted(ORDER).toList()) {
      SessionView before = known.put(each.session(), each);
      gone.remove(each.session());
      if (before == null || !sameButForOffset(before, each)) {
        lines.add(String.join(BETWEEN, row(each)));
      }
    }
    gone.values().stream()
        .filter(each -> !list.silent().containsKey(each.node()))
        .sorted(ORDER)
        .forEach(
            each -> {
              known.remove(each.session());
              lines.add(String.join(BETWEEN, each.session().toString(), each.node(), "gone"));
            });
    return lines;
  }

  private static boolean sameButForOffset(SessionView one, SessionView other) {
    return one.node().equals(other.node())
        && one.state().equals(other.state())
        && one.module().equals(other.module())
        && one.remote().equals(other.remote());
  }

  private static List<String> row(SessionView session) {
    return List.of(
        session.session().toString(),
        Display.name(session.node()),
        session.direction(),
        session.state(),
        session.size() < 0
            ? Display.size(session.offset())
            : Display.size(session.offset()) + " of " + Display.size(session.size()),
        dash(session.module()),
        dash(session.remote()),
        Display.name(session.name()));
  }

  private static String dash(String text) {
    return text.isEmpty() ? "-" : Display.name(text);
  }
}
