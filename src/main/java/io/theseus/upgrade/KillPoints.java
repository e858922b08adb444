package io.theseus.upgrade;

import io.theseus.upgrade.RunningAct.Phase;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Names of the points at which a test kills a node: before and behind each action of an agent or a
 * coordinator, named by what the action is about.
 *
 * <p>{@code upgrade.WHAT.before}, {@code upgrade.WHAT.after}, where WHAT is {@code
 * promise-recorded}, {@code staging-recorded}, {@code switching-recorded}, {@code ended-recorded}
 * (accepted, of a state with an act in that phase, or without one), {@code decided-recorded},
 * {@code staged}, {@code switched}, {@code confirmed}, or the kind of message that is sent, such as
 * {@code accept-sent}.
 */
final class KillPoints {
  private static final List<String> RECORDED =
      List.of(
          "promise-recorded",
          "staging-recorded",
          "switching-recorded",
          "ended-recorded",
          "decided-recorded");
  private static final List<String> DONE = List.of("staged", "switched", "confirmed");
  private static final List<String> SENT =
      List.of(
          "prepare-sent",
          "promise-sent",
          "accept-sent",
          "report-sent",
          "beat-sent",
          "refusal-sent",
          "ask-sent",
          "tell-sent");

  private KillPoints() {}

  /** Before an action. */
  static String before(Action action) {
    return point(what(action), "before");
  }

  /** Behind an action. */
  static String after(Action action) {
    return point(what(action), "after");
  }

  /** All of them, for tests that pass each. */
  static List<String> all() {
    return Stream.of(RECORDED, DONE, SENT, List.of("answered"))
        .flatMap(List::stream)
        .flatMap(what -> Stream.of("before", "after").map(at -> point(what, at)))
        .toList();
  }

  private static String point(String what, String at) {
    return "upgrade." + what + "." + at;
  }

  private static String what(Action action) {
    if (action instanceof Action.Persist persist) {
      return recorded(persist.state());
    } else if (action instanceof Action.Send send) {
      return send.message().getClass().getSimpleName().toLowerCase(Locale.ROOT) + "-sent";
    } else if (action instanceof Action.Stage) {
      return "staged";
    } else if (action instanceof Action.Publish) {
      return "switched";
    } else if (action instanceof Action.Keep) {
      return "confirmed";
    }
    return "answered";
  }

  private static String recorded(AgentState state) {
    if (!state.promised().equals(state.acceptedTerm())) {
      return "promise-recorded";
    }
    if (state.decided().sequence() == state.accepted().sequence()) {
      return "decided-recorded";
    }
    RunningAct act = state.accepted().running();
    if (act == null) {
      return "ended-recorded";
    }
    return act.phase() == Phase.STAGING ? "staging-recorded" : "switching-recorded";
  }
}
