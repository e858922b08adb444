package io.theseus.upgrade;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** What operators are told, with agents that do as they are told. */
final class CoordinatorTest {
  private static final long SECOND = 1_000_000_000L;

  private final Map<String, Agent> agents = new HashMap<>();
  private final Set<String> dead = new TreeSet<>();
  private final List<String> answers = new ArrayList<>();
  private final Set<String> brokenOn = new TreeSet<>();
  private Coordinator coordinator = coordinator(0);
  private long nowNanos;

  private void cluster(int size) {
    Set<String> nodes = new TreeSet<>();
    for (int i = 1; i <= size; i++) {
      nodes.add("n" + i);
    }
    int incarnation = 0;
    for (String node : nodes) {
      AgentState state = AgentState.fresh(++incarnation, Examples.BUILT_IN);
      agents.put(node, new Agent(node, nodes, Rules.DEFAULT, state, incarnation, nowNanos));
    }
    coordinator = coordinator(1);
    pass(2);
  }

  @Test
  void shouldCarryAnUpgradeOut() {
    cluster(3);
    ask(Examples.upgrade("a1", 1));
    assertThat(answers).containsExactly("a1 Begun[]");
    pass(4);
    ask(Examples.upgrade("a1", 1));
    assertThat(answers.get(1)).startsWith("a1 Ended[").contains("outcome=CONFIRMED, reason=]");
    assertThat(agents.values())
        .allSatisfy(
            agent ->
                assertThat(agent.course().orElseThrow().revision())
                    .isEqualTo(Examples.revision(1)));
  }

  @Test
  void shouldRefuseNamingWhatIsUnderWayAndTheIdThatIsTaken() {
    cluster(3);
    ask(Examples.upgrade("a1", 1));
    ask(Examples.upgrade("a2", 2));
    ask(Examples.upgrade("a1", 3));
    assertThat(answers)
        .containsExactly(
            "a1 Begun[]",
            "a2 Refused[reason=act a2 (upgrade to r2 (000000020000), by ann): act a1 (upgrade to r1"
                + " (000000010000), by ann) is STAGING (expected: no act under way)]",
            "a1 Refused[reason=act a1 (upgrade to r3 (000000030000), by ann): the id belongs to"
                + " another act (expected: a new one)]");
  }

  @Test
  void shouldRefuseNamingWhoIsMissingUnlessItGoesWithout() {
    cluster(3);
    dead.add("n3");
    pass(6);
    ask(Examples.upgrade("a1", 1));
    ask(Examples.upgrade("a2", 1, "n3"));
    assertThat(answers)
        .containsExactly(
            "a1 Refused[reason=act a1 (upgrade to r1 (000000010000), by ann): n3: can't be reached"
                + " (expected: all nodes, or without them)]",
            "a2 Begun[]");
    pass(4);
    assertThat(coordinator.decided().orElseThrow().confirmed().revision())
        .isEqualTo(Examples.revision(1));

    dead.clear();
    pass(2);
    assertThat(Objects.requireNonNull(agents.get("n3")).course().orElseThrow().revision())
        .isEqualTo(Examples.revision(1));
  }

  @Test
  void shouldRefuseWhereOneOfTwoIsDead() {
    cluster(2);
    dead.add("n2");
    pass(6);
    ask(Examples.upgrade("a1", 1));
    ask(Examples.upgrade("a2", 1, "n2"));
    pass(1);
    assertThat(answers.get(0)).contains("n2: can't be reached");
    assertThat(answers.get(1)).contains("(expected: needs 2 of 2 nodes)");

    coordinator = coordinator(2);
    ask(Examples.upgrade("a3", 1));
    pass(11);
    assertThat(answers.get(2))
        .isEqualTo(
            "a3 Refused[reason=act a3 (upgrade to r1 (000000010000), by ann): needs 2 of 2 nodes;"
                + " reached: n1]");
  }

  @Test
  void shouldSayThatAllMustHaveBeenThereOnce() {
    dead.add("n3");
    cluster(3);
    ask(Examples.upgrade("a1", 1));
    pass(11);
    assertThat(answers)
        .containsExactly(
            "a1 Refused[reason=act a1 (upgrade to r1 (000000010000), by ann): needs 3 of 3 nodes,"
                + " all of them before the first act; reached: n1, n2]");
  }

  @Test
  void shouldChangeNothingWhereOneCanNotStage() {
    cluster(3);
    brokenOn.add("n2");
    ask(Examples.upgrade("a1", 1));
    pass(1);
    ask(Examples.upgrade("a1", 1));
    assertThat(answers.get(answers.size() - 1))
        .contains("outcome=REFUSED, reason=n2: no such jar]");
  }

  @Test
  void shouldRollBackWhereOneMisbehaves() {
    cluster(3);
    ask(Examples.upgrade("a1", 1));
    pass(1);
    carryOut("n2", agent("n2").onMisbehaviour(2, "many errors", nowNanos));
    pass(1);
    ask(Examples.upgrade("a1", 1));
    assertThat(answers.get(1)).contains("outcome=ROLLED_BACK, reason=n2: many errors]");
    assertThat(agents.values())
        .allSatisfy(
            agent ->
                assertThat(agent.course().orElseThrow().revision()).isEqualTo(Examples.BUILT_IN));
  }

  @Test
  void shouldConfirmWithoutWhoDiedBehindTheSwitch() {
    cluster(3);
    ask(Examples.upgrade("a1", 1));
    pass(1);
    dead.add("n2");
    pass(8);
    assertThat(coordinator.decided().orElseThrow().ended("a1").orElseThrow().outcome())
        .isEqualTo(ActRecord.Outcome.CONFIRMED);
  }

  private Coordinator coordinator(long life) {
    return new Coordinator(
        "n1",
        agents.keySet(),
        Rules.DEFAULT,
        Examples.BUILT_IN,
        life,
        new SplittableRandom(life),
        nowNanos);
  }

  private Agent agent(String node) {
    return Objects.requireNonNull(agents.get(node));
  }

  private void ask(ActRequest request) {
    carryOut(coordinator.onRequest(request, nowNanos));
  }

  /** Lets so many seconds pass. */
  private void pass(int seconds) {
    for (int i = 0; i < 2 * seconds; i++) {
      nowNanos += SECOND / 2;
      for (String node : new TreeSet<>(agents.keySet())) {
        if (!dead.contains(node)) {
          carryOut(node, agent(node).onTick(nowNanos));
        }
      }
      carryOut(coordinator.onTick(nowNanos));
    }
  }

  private void carryOut(List<Action.OfCoordinator> actions) {
    for (Action.OfCoordinator action : actions) {
      if (action instanceof Action.Send send && !dead.contains(send.to())) {
        nowNanos++;
        carryOut(
            send.to(),
            agent(send.to()).onMessage("n1", (Message.ToAgent) send.message(), nowNanos));
      } else if (action instanceof Action.Answer answer) {
        answers.add(answer.actId() + " " + answer.answer());
      }
    }
  }

  private void carryOut(String node, List<Action.OfAgent> actions) {
    for (Action.OfAgent action : actions) {
      if (action instanceof Action.Send send) {
        if (send.message() instanceof Message.ToCoordinator message) {
          carryOut(coordinator.onMessage(node, message, nowNanos));
        } else if (!dead.contains(send.to())) {
          carryOut(
              send.to(),
              agent(send.to()).onMessage(node, (Message.ToAgent) send.message(), nowNanos));
        }
      } else if (action instanceof Action.Stage stage) {
        boolean broken = brokenOn.contains(node) && !stage.revision().equals(Examples.BUILT_IN);
        carryOut(
            node,
            broken
                ? agent(node).onStageRefused(stage.attempt(), "no such jar", nowNanos)
                : agent(node).onStaged(stage.attempt(), nowNanos));
      }
    }
  }
}
