package io.theseus.upgrade;

import static io.theseus.upgrade.Examples.NODES;
import static io.theseus.upgrade.Examples.begun;
import static io.theseus.upgrade.Examples.confirmed;
import static io.theseus.upgrade.Examples.founded;
import static io.theseus.upgrade.Examples.request;
import static io.theseus.upgrade.Examples.revision;
import static io.theseus.upgrade.Examples.upgrade;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.groups.Tuple.tuple;

import io.theseus.upgrade.ActRecord.Outcome;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The table in the Javadoc, and what is refused beside it. */
final class ClusterStateTest {
  private static final String UPGRADE = "act a1 (upgrade to r1 (000000010000), by ann)";

  private final ClusterState idle = founded();
  private final ClusterState staging = begun(idle, upgrade("a1", 1));
  private final ClusterState switching = staging.switchOver();

  @Test
  void shouldConfirmWhatHasSwitched() {
    ClusterState done = switching.confirm();

    assertThat(staging.course()).isEqualTo(idle.confirmed());
    assertThat(switching.course()).isEqualTo(Course.of(revision(1)));
    assertThat(done.course()).isEqualTo(switching.course());
    assertThat(done.sequence()).isEqualTo(idle.sequence() + 3);
    assertThat(done.ended("a1").orElseThrow().outcome()).isEqualTo(Outcome.CONFIRMED);
  }

  @Test
  void shouldLeaveEverythingAsItWasWhenItGivesUp() {
    assertThat(staging.giveUp("n2: no").ended("a1").orElseThrow())
        .isEqualTo(
            ActRecord.of(
                3,
                upgrade("a1", 1),
                idle.confirmed(),
                Course.of(revision(1)),
                Outcome.REFUSED,
                "n2: no"));
    ClusterState back = switching.giveUp("n2: many errors");
    assertThat(back.ended("a1").orElseThrow().outcome()).isEqualTo(Outcome.ROLLED_BACK);
    assertThat(back.course()).isEqualTo(idle.course());
  }

  @Test
  void shouldRefuseEveryOtherTransitionQuotingTheState() {
    assertThatThrownBy(idle::switchOver)
        .hasMessage("switch: r0 (000000000000) is confirmed (expected: an act is STAGING)");
    assertThatThrownBy(switching::switchOver)
        .hasMessage("switch: " + UPGRADE + " is SWITCHING (expected: an act is STAGING)");
    assertThatThrownBy(staging::confirm)
        .hasMessage("confirm: " + UPGRADE + " is STAGING (expected: an act is SWITCHING)");
    assertThatThrownBy(idle::confirm).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> idle.giveUp(""))
        .hasMessage("give up: r0 (000000000000) is confirmed (expected: an act)");
    assertThatThrownBy(() -> idle.found(Map.of())).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(idle::settle).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> idle.admit("n1", 9).admit("n2", 9))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void shouldRefuseASecondActNamingTheFirst() {
    assertRefused(
        switching,
        upgrade("a2", 2),
        "act a2 (upgrade to r2 (000000020000), by ann): "
            + UPGRADE
            + " is SWITCHING (expected: no act under way)");
  }

  @Test
  void shouldRefuseWhatChangesNothing() {
    assertRefused(
        idle,
        upgrade("a1", 0),
        "act a1 (upgrade to r0 (000000000000), by ann): r0 (000000000000) is confirmed already"
            + " (expected: a change)");
    assertRefused(
        idle,
        request("a1", new Act.Resume()),
        "act a1 (resume, by ann): r0 (000000000000) is confirmed already (expected: a change)");
  }

  @Test
  void shouldRefuseToGoWithoutAMajorityOrStrangers() {
    assertRefused(
        idle,
        upgrade("a1", 1, "n1", "n3"),
        UPGRADE + ": 1 of 3 nodes without n1, n3 (expected: needs 2 of 3 nodes)");
    assertRefused(idle, upgrade("a1", 1, "n9"), UPGRADE + ": without n9 (expected: of n1, n2, n3)");
  }

  @Test
  void shouldRollBackToWhatWasConfirmedOnly() {
    ClusterState two = confirmed(confirmed(idle, upgrade("a1", 1)), upgrade("a2", 2));
    ClusterState one = confirmed(two, request("a3", new Act.Rollback(revision(1))));
    assertThat(one.confirmed().revision()).isEqualTo(revision(1));
    ClusterState refused = begun(two, upgrade("a3", 3)).giveUp("no");
    assertRefused(
        refused,
        request("a4", new Act.Rollback(revision(3))),
        "act a4 (rollback to r3 (000000030000), by ann): it was never confirmed (expected: a"
            + " revision of the history)");
  }

  @Test
  void shouldUndoTheLastActOnceAndNoOther() {
    ClusterState two = confirmed(confirmed(idle, upgrade("a1", 1)), upgrade("a2", 2));
    ClusterState undone = confirmed(two, request("u1", new Act.Undo("a2")));
    assertThat(undone.confirmed().revision()).isEqualTo(revision(1));
    assertRefused(
        undone,
        request("u2", new Act.Undo("a2")),
        "act u2 (undo of act a2, by ann): act a2 is CONFIRMED (expected: act u1, the last that was"
            + " confirmed)");
    ClusterState again = confirmed(undone, request("u3", new Act.Undo("u1")));
    assertThat(again.confirmed().revision()).isEqualTo(revision(2));
    assertRefused(
        idle,
        request("u1", new Act.Undo("a1")),
        "act u1 (undo of act a1, by ann): act a1 is not in the history (expected: a confirmed act;"
            + " there is none)");
  }

  @Test
  void shouldUndoWhatIsUnderWayInOneStep() {
    ClusterState undone = begun(switching, request("u1", new Act.Undo("a1")));

    assertThat(undone.running()).isNull();
    assertThat(undone.course()).isEqualTo(idle.course());
    assertThat(undone.history())
        .extracting(ActRecord::id, ActRecord::outcome, ActRecord::reason)
        .containsExactly(
            tuple("a1", Outcome.ROLLED_BACK, "undone by act u1 of ann"),
            tuple("u1", Outcome.CONFIRMED, ""));
  }

  @Test
  void shouldKeepTheRevisionWhenItPauses() {
    ClusterState paused =
        confirmed(confirmed(idle, upgrade("a1", 1)), request("a2", new Act.Pause()));
    assertThat(paused.confirmed()).isEqualTo(Course.of(revision(1)).withPaused(true));
    assertThat(confirmed(paused, upgrade("a3", 2)).confirmed())
        .isEqualTo(Course.of(revision(2)).withPaused(true));
  }

  @Test
  void shouldKeepTheLastActs() {
    ClusterState longest = Examples.longest();
    assertThat(longest.history()).hasSize(ClusterState.HISTORY);
    assertThat(longest.history().get(0).id()).endsWith("i10");
    assertThat(longest.history()).allMatch(each -> each.reason().length() <= 200);
  }

  /** A reason may be a module's own words. */
  @Test
  void shouldKeepReasonsShortAndClean() {
    for (String reason : List.of("\uD800", "\u0000", "\u202E", "\uD83D\uDE00".repeat(300))) {
      AgentState state =
          AgentState.fresh(1, Examples.BUILT_IN)
              .accepting(new Term(1, "n1", 1), staging.giveUp(reason));
      assertThat(Codec.agentState(Codec.encode(state))).isEqualTo(state);
      assertThat(state.accepted().history().get(0).reason()).hasSizeLessThanOrEqualTo(200);
    }
    assertThat(staging.giveUp("a\nb").history().get(0).reason()).isEqualTo("a\\u000Ab");
  }

  @Test
  void shouldRefuseWhoeverHasNoProperName() {
    for (String who : List.of("", "a\nb", "\uD800", "w".repeat(65))) {
      assertThatThrownBy(() -> new ActRequest("a1", who, 0, new Act.Pause(), Set.of(), 0))
          .hasMessageEndingWith(" (expected: 1 to 64 characters, none of them control characters)");
    }
  }

  private static void assertRefused(ClusterState state, ActRequest request, String message) {
    assertThatThrownBy(() -> state.begin(request, NODES))
        .isInstanceOf(RefusedException.class)
        .hasMessage(message);
  }
}
