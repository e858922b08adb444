package io.theseus.upgrade;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.theseus.upgrade.Agent.Standing;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class AgentTest {
  private static final long SECOND = 1_000_000_000L;
  private static final Term FIRST = new Term(1, "n2", 7);
  private static final Term SECOND_TERM = new Term(2, "n3", 8);

  private final ClusterState founded = Examples.founded();
  private final AgentState old =
      AgentState.fresh(1, Examples.BUILT_IN).accepting(FIRST, founded).deciding();

  @Test
  void shouldPersistBeforeItPromisesAndRefuseEarlierTerms() {
    Agent agent = agent(old);

    assertThat(agent.onMessage("n3", new Message.Prepare(SECOND_TERM), 0))
        .containsExactly(
            new Action.Persist(old.promising(SECOND_TERM)),
            new Action.Send("n3", new Message.Promise(SECOND_TERM, 1, FIRST, founded)));
    List<Message.ToAgent> late =
        List.of(
            new Message.Prepare(FIRST),
            new Message.Accept(FIRST, founded.admit("n2", 9), 0),
            new Message.Beat(FIRST, 1, 0));
    for (Message.ToAgent message : late) {
      assertThat(agent.onMessage("n2", message, 0))
          .containsExactly(new Action.Send("n2", new Message.Refusal(FIRST, SECOND_TERM)));
    }
  }

  @Test
  void shouldNotListenToStrangers() {
    assertThat(agent(old).onMessage("n9", new Message.Prepare(SECOND_TERM), 0)).isEmpty();
  }

  @Test
  void shouldNeverGiveUpWhatIsDecided() {
    Agent agent = agent(old);
    Message.Accept lower =
        new Message.Accept(SECOND_TERM, ClusterState.initial(Examples.BUILT_IN), 0);
    assertThatThrownBy(() -> agent.onMessage("n3", lower, 0))
        .hasMessage("accepted: 0 (expected: >= the decided sequence, 1)");
  }

  @Test
  void shouldServeNothingBeforeAMajorityHasToldHowFarItIs() {
    Agent agent = agent(old);

    assertThat(agent.onTick(0))
        .containsExactly(
            new Action.Send("n2", new Message.Ask(4)), new Action.Send("n3", new Message.Ask(4)));
    assertThat(agent.standing()).isEqualTo(Standing.CATCHING_UP);
    assertThat(agent.onMessage("n3", new Message.Tell(3, 1), SECOND)).as("asked before").isEmpty();
    assertThat(agent.onMessage("n3", new Message.Tell(4, 1), SECOND))
        .containsExactly(new Action.Stage(1, Examples.BUILT_IN));
    assertThat(agent.standing()).isEqualTo(Standing.CURRENT);
    assertThat(agent.course()).isEmpty();

    assertThat(agent.onStaged(1, SECOND))
        .containsExactly(new Action.Publish(1, founded.confirmed(), null));
    assertThat(agent.course()).hasValue(founded.confirmed());
  }

  @Test
  void shouldWaitForWhatOthersHaveAccepted() {
    Agent agent = agent(old);
    agent.onMessage("n3", new Message.Tell(4, 2), 0);
    assertThat(agent.standing()).isEqualTo(Standing.CATCHING_UP);
    agent.onMessage("n2", new Message.Tell(4, 1), 0);
    assertThat(agent.standing()).as("a majority is no further").isEqualTo(Standing.CURRENT);
  }

  @Test
  void shouldNotTrustItselfWhereItMayHaveLostItsDisk() {
    Agent agent = agent(AgentState.fresh(9, Examples.BUILT_IN));
    agent.onMessage("n3", new Message.Tell(4, 0), 0);
    assertThat(agent.standing()).isEqualTo(Standing.CATCHING_UP);
    agent.onMessage("n2", new Message.Tell(4, 0), 0);
    assertThat(agent.standing()).isEqualTo(Standing.CURRENT);
  }

  @Test
  void shouldServeByTheLastConfirmedCourseWhereNoMajorityAnswers() {
    ClusterState switching = Examples.begun(founded, Examples.upgrade("a1", 1)).switchOver();
    Agent agent = agent(old.accepting(FIRST, switching).deciding());

    assertThat(agent.onTick(10 * SECOND)).contains(new Action.Stage(1, Examples.BUILT_IN));
    assertThat(agent.standing()).isEqualTo(Standing.ALONE);
    assertThat(agent.onStaged(1, 11 * SECOND))
        .containsExactly(new Action.Publish(1, founded.confirmed(), null));

    assertThat(agent.onMessage("n2", new Message.Tell(4, 3), 12 * SECOND))
        .containsExactly(new Action.Stage(2, Examples.revision(1)));
    assertThat(agent.onStaged(2, 13 * SECOND))
        .containsExactly(new Action.Publish(2, switching.course(), Simulation.BUILT_IN));
  }

  @Test
  void shouldBlameNewCodeThatItsProcessDidNotSurvive() {
    ClusterState switching = Examples.begun(founded, Examples.upgrade("a1", 1)).switchOver();
    Agent agent = agent(old.accepting(FIRST, switching).deciding());
    agent.processStarted(0);
    agent.onMessage("n2", new Message.Tell(4, 3), 0);
    agent.onStaged(1, 0);
    assertThat(agent.failure())
        .hasValue(
            "r1 (000000010000): the process ended while it was watched (expected: that it lives"
                + " on)");
    assertThat(agent.onMessage("n2", new Message.Beat(FIRST, 3, 0), 0))
        .anySatisfy(
            action ->
                assertThat(((Message.Report) ((Action.Send) action).message()).progress())
                    .isEqualTo(Message.Progress.FAILED));

    ClusterState back = switching.giveUp("n1: it ended");
    agent.onMessage("n2", new Message.Accept(FIRST, back, 0), 0);
    agent.onMessage("n2", new Message.Beat(FIRST, 4, 0), 0);
    assertThat(agent.failure()).isEmpty();
  }

  @Test
  void shouldNotBlameWhatTakesCodeBack() {
    ClusterState upgraded = Examples.confirmed(founded, Examples.upgrade("a1", 1));
    ClusterState back =
        Examples.begun(upgraded, Examples.request("a2", new Act.Undo("a1"))).switchOver();
    ClusterState paused =
        Examples.begun(upgraded, Examples.request("a2", new Act.Pause())).switchOver();
    for (ClusterState each : List.of(back, paused)) {
      Agent agent = agent(old.accepting(FIRST, each).deciding());
      agent.processStarted(0);
      assertThat(agent.failure()).isEmpty();
    }
  }

  @Test
  void shouldTryAgainToStageWhatItShouldServeBy() {
    Agent agent = agent(old);
    agent.onMessage("n3", new Message.Tell(4, 1), 0);

    agent.onStageRefused(1, "no such file", SECOND);
    assertThat(agent.failure()).hasValue("r0 (000000000000): no such file");
    assertThat(agent.onTick(2 * SECOND)).isEmpty();
    assertThat(agent.onTick(6 * SECOND)).containsExactly(new Action.Stage(2, Examples.BUILT_IN));
    assertThat(agent.onStaged(1, 7 * SECOND)).as("an attempt that was given up").isEmpty();
    assertThat(agent.onTick(66 * SECOND)).isEmpty();
    assertThat(agent.failure()).hasValue("r0 (000000000000): not ready (expected: within 60 s)");
    assertThat(agent.onTick(72 * SECOND)).containsExactly(new Action.Stage(3, Examples.BUILT_IN));
  }

  @Test
  void shouldLetTheOldRevisionGoWhenTheActIsConfirmed() {
    ClusterState switching = Examples.begun(founded, Examples.upgrade("a1", 1)).switchOver();
    Agent agent = agent(old.accepting(FIRST, switching).deciding());
    agent.onMessage("n2", new Message.Tell(4, 3), 0);
    agent.onStaged(1, 0);
    ClusterState confirmed = switching.confirm();

    agent.onMessage("n2", new Message.Accept(FIRST, confirmed, 0), 0);
    assertThat(agent.decided()).isEqualTo(switching);
    agent.onStaged(2, 0);
    assertThat(agent.onMessage("n2", new Message.Beat(FIRST, 4, 0), 0))
        .startsWith(new Action.Persist(old.accepting(FIRST, confirmed).deciding()));
    assertThat(agent.decided()).isEqualTo(confirmed);
  }

  private static Agent agent(AgentState state) {
    return new Agent("n1", Set.of("n1", "n2", "n3"), Rules.DEFAULT, state, 4, 0);
  }
}
