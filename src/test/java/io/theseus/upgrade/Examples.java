package io.theseus.upgrade;

import io.theseus.upgrade.Message.Progress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

/** States and messages of all kinds. */
final class Examples {
  static final RevisionId BUILT_IN = revision(0);
  static final Set<String> NODES = new TreeSet<>(Set.of("n1", "n2", "n3"));

  private Examples() {}

  static RevisionId revision(int number) {
    return Simulation.revision(number);
  }

  static ActRequest request(String id, Act act, String... without) {
    return new ActRequest(id, "ann", 1_700_000_000_000L, act, Set.of(without), 2000);
  }

  /** One that was made from the revision before it. */
  static ActRequest upgrade(String id, int revision, String... without) {
    return request(id, upgrade(revision, Math.max(0, revision - 1)), without);
  }

  static Act.Upgrade upgrade(int revision, int base) {
    return new Act.Upgrade(revision(revision), revision(base), null);
  }

  static Act.Upgrade canary(int revision, int base, int percent) {
    return new Act.Upgrade(revision(revision), revision(base), new Act.Share(null, percent));
  }

  /** Three nodes that have been seen. */
  static ClusterState founded() {
    return ClusterState.initial(BUILT_IN).found(Map.of("n1", 1L, "n2", 2L, "n3", 3L));
  }

  static ClusterState begun(ClusterState state, ActRequest request) {
    try {
      return state.begin(request, NODES);
    } catch (RefusedException e) {
      throw new IllegalArgumentException(e);
    }
  }

  static ClusterState confirmed(ClusterState state, ActRequest request) {
    return begun(state, request).switchOver().confirm();
  }

  /** As long as a state can be. */
  static ClusterState longest() {
    ClusterState state = founded();
    for (int i = 0; i < ClusterState.HISTORY + 10; i++) {
      RevisionId revision = new RevisionId(String.format("%064x", i), "n".repeat(100));
      ActRequest request =
          new ActRequest(
              "i".repeat(60) + i,
              "w".repeat(ActRequest.MOST_WHO),
              Long.MAX_VALUE,
              new Act.Upgrade(revision, state.confirmed().revision(), null),
              Set.of(),
              0);
      state = begun(state, request).switchOver();
      state = i % 2 == 0 ? state.confirm() : state.giveUp("because of " + "r".repeat(300));
    }
    return state;
  }

  static List<AgentState> agentStates() {
    AgentState fresh = AgentState.fresh(-7, BUILT_IN);
    Term term = new Term(3, "n2", Long.MIN_VALUE);
    AgentState accepted = fresh.accepting(term, begun(founded(), upgrade("a1", 1, "n3")));
    return List.of(
        fresh,
        fresh.promising(term),
        accepted,
        accepted.deciding().promising(new Term(4, "n1", 5)),
        fresh.accepting(term, founded().admit("n2", 9)),
        fresh.accepting(term, longest()).deciding());
  }

  static List<Message> messages() {
    Term term = new Term(Long.MAX_VALUE, "n3", -1);
    List<Message> messages =
        new ArrayList<>(
            List.of(
                new Message.Prepare(term),
                new Message.Beat(term, -1, Long.MIN_VALUE),
                new Message.Ask(12),
                new Message.Tell(12, 0),
                new Message.Refusal(Term.NONE, term),
                new Message.Report(term, 1, 2, 3, -1, "", Progress.WORKING, ""),
                new Message.Report(term, 1, 2, 3, 4, "a1", Progress.FAILED, "\"wörse\" \u0000"),
                new Message.Promise(term, 5, Term.NONE, ClusterState.initial(BUILT_IN))));
    for (Act act :
        List.of(
            upgrade(1, 0),
            canary(2, 0, 7),
            new Act.Upgrade(
                revision(2), revision(1), new Act.Share(new UUID(1, 2), /* percent= */ 0)),
            new Act.Promote(),
            new Act.Rollback(revision(0)),
            new Act.Undo("a0"),
            new Act.Pause(),
            new Act.Resume())) {
      RunningAct running =
          new RunningAct(
              request("a1", act, "n2"),
              RunningAct.Phase.SWITCHING,
              new Course(revision(1), new Canary(revision(2), null, 5), /* paused= */ true));
      ClusterState state =
          new ClusterState(8, founded().voters(), Course.of(BUILT_IN), running, List.of());
      messages.add(new Message.Accept(term, state, 77));
    }
    return messages;
  }
}
