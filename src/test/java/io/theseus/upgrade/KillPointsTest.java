package io.theseus.upgrade;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class KillPointsTest {
  @Test
  void shouldNameEveryAction() {
    Term term = new Term(1, "n1", 1);
    AgentState fresh = AgentState.fresh(1, Examples.BUILT_IN);
    ClusterState founded = Examples.founded();
    ClusterState staging = Examples.begun(founded, Examples.upgrade("a1", 1));
    List<Action> actions = new ArrayList<>();
    actions.add(new Action.Persist(fresh.promising(term)));
    for (ClusterState state :
        List.of(staging, staging.switchOver(), staging.switchOver().confirm())) {
      actions.add(new Action.Persist(fresh.accepting(term, state)));
      actions.add(new Action.Persist(fresh.accepting(term, state).deciding()));
    }
    Examples.messages().forEach(each -> actions.add(new Action.Send("n2", each)));
    actions.add(new Action.Stage(1, Examples.BUILT_IN));
    actions.add(new Action.Publish(1, founded.course(), null));
    actions.add(new Action.Keep(Set.of()));
    actions.add(new Action.Answer("a1", new ActAnswer.Begun()));

    Set<String> named = new TreeSet<>();
    for (Action action : actions) {
      named.add(KillPoints.before(action));
      named.add(KillPoints.after(action));
    }
    assertThat(named).containsExactlyInAnyOrderElementsOf(KillPoints.all());
    assertThat(Stream.of("upgrade.staged.before", "upgrade.ended-recorded.after"))
        .isSubsetOf(named);
  }
}
