package io.theseus.upgrade;

import io.theseus.upgrade.ActRecord.Outcome;
import io.theseus.upgrade.RunningAct.Phase;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * All that the nodes agree on: the value of the replicated register. Immutable; each transition
 * makes the state with the next sequence.
 *
 * <pre>
 * no act     begin, by an operator                               STAGING
 * STAGING    all that take part have staged                      SWITCHING
 * STAGING    one refused, is missing, is late; undone            no act, REFUSED
 * SWITCHING  all that live have switched and were well           no act, CONFIRMED
 * SWITCHING  one failed, misbehaves, is late; undone             no act, ROLLED_BACK
 * any        a node with a new disk is let in, or the change is  unchanged but for the voters
 *            decided
 * </pre>
 *
 * <p>Any other transition is refused with the state quoted: as {@link RefusedException} where an
 * operator asked for it, as {@link IllegalStateException} where a coordinator did, for that is a
 * bug.
 *
 * @param sequence one more with each decided state
 * @param confirmed the course that the last confirmed act brought
 * @param running the act that is under way; null for none
 * @param history acts that are over, oldest first, the last {@value #HISTORY}
 */
record ClusterState(
    long sequence,
    Voters voters,
    Course confirmed,
    @Nullable RunningAct running,
    List<ActRecord> history) {
  static final int HISTORY = 256;

  ClusterState {
    if (sequence < 0) {
      throw new IllegalArgumentException("sequence: " + sequence + " (expected: >= 0)");
    }
    Objects.requireNonNull(voters, "voters");
    Objects.requireNonNull(confirmed, "confirmed");
    history = List.copyOf(history);
    if (history.size() > HISTORY) {
      throw new IllegalArgumentException(
          "history: " + history.size() + " acts (expected: <= " + HISTORY + ")");
    }
  }

  /** What every node begins with, equal everywhere. */
  static ClusterState initial(RevisionId builtIn) {
    return new ClusterState(0, Voters.NONE, Course.of(builtIn), null, List.of());
  }

  /** What every node is to do by this state. */
  Course course() {
    return running != null && running.phase() == Phase.SWITCHING ? running.target() : confirmed;
  }

  /** How an act ended, where it is still remembered. */
  Optional<ActRecord> ended(String actId) {
    return history.stream().filter(each -> each.id().equals(actId)).findFirst();
  }

  /** The first voters. */
  ClusterState found(Map<String, Long> incarnations) {
    if (voters.isFounded()) {
      throw new IllegalStateException("found: " + describe() + " (expected: no voters)");
    }
    return withVoters(new Voters(incarnations, Map.of()));
  }

  /** Lets a node with a new disk in. */
  ClusterState admit(String node, long incarnation) {
    if (!voters.isFounded() || !voters.former().isEmpty()) {
      throw new IllegalStateException(
          "admit " + node + ": " + describe() + " (expected: settled voters)");
    }
    return withVoters(voters.admitting(node, incarnation));
  }

  /** Ends a change of voters. */
  ClusterState settle() {
    if (voters.former().isEmpty()) {
      throw new IllegalStateException("settle: " + describe() + " (expected: changed voters)");
    }
    return withVoters(voters.settled());
  }

  private ClusterState withVoters(Voters others) {
    return new ClusterState(sequence + 1, others, confirmed, running, history);
  }

  /**
   * Begins an act. An undo of the act that is under way ends both at once.
   *
   * @param nodes all of the cluster
   */
  ClusterState begin(ActRequest request, Set<String> nodes) throws RefusedException {
    if (running != null) {
      if (request.act() instanceof Act.Undo undo && undo.actId().equals(running.id())) {
        return undoRunning(request, running);
      }
      throw new RefusedException(request + ": " + describe() + " (expected: no act under way)");
    }
    checkWithout(request, nodes);
    Course target = target(request);
    return new ClusterState(
        sequence + 1, voters, confirmed, new RunningAct(request, Phase.STAGING, target), history);
  }

  private ClusterState undoRunning(ActRequest request, RunningAct undone) {
    String reason = "undone by act " + request.id() + " of " + request.who();
    return ended(
        confirmed,
        record(undone.request(), undone.target(), givenUp(undone), reason),
        record(request, confirmed, Outcome.CONFIRMED, ""));
  }

  private static void checkWithout(ActRequest request, Set<String> nodes) throws RefusedException {
    if (!nodes.containsAll(request.without())) {
      throw new RefusedException(
          request
              + ": without "
              + sorted(request.without())
              + " (expected: of "
              + sorted(nodes)
              + ")");
    }
    int left = nodes.size() - request.without().size();
    if (left < Voters.majority(nodes.size())) {
      throw new RefusedException(
          request
              + ": "
              + left
              + " of "
              + nodes.size()
              + " nodes without "
              + sorted(request.without())
              + " (expected: needs "
              + Voters.majority(nodes.size())
              + " of "
              + nodes.size()
              + " nodes)");
    }
  }

  private Course target(ActRequest request) throws RefusedException {
    Act act = request.act();
    if (act instanceof Act.Upgrade upgrade) {
      return upgraded(request, upgrade);
    } else if (act instanceof Act.Promote) {
      Canary canary = confirmed.canary();
      if (canary == null) {
        throw new RefusedException(
            request + ": " + confirmed + " is confirmed (expected: a canary)");
      }
      return confirmed.with(canary.revision());
    } else if (act instanceof Act.Rollback rollback) {
      if (!wasConfirmed(rollback.revision())) {
        throw new RefusedException(
            request + ": it was never confirmed (expected: a revision of the history)");
      }
      return changed(request, confirmed.with(rollback.revision()));
    } else if (act instanceof Act.Undo undo) {
      return undone(request, undo.actId());
    }
    return changed(request, confirmed.withPaused(act instanceof Act.Pause));
  }

  private Course upgraded(ActRequest request, Act.Upgrade upgrade) throws RefusedException {
    if (confirmed.canary() != null) {
      throw new RefusedException(
          request + ": " + confirmed + " is confirmed (expected: no canary; promote or undo it)");
    }
    if (!upgrade.base().equals(confirmed.revision())) {
      throw new RefusedException(
          request
              + ": made from "
              + upgrade.base()
              + " (expected: from "
              + confirmed.revision()
              + ", which is in force now; order it again)");
    }
    if (upgrade.revision().equals(confirmed.revision()) || upgrade.canary() == null) {
      return changed(request, confirmed.with(upgrade.revision()));
    }
    return confirmed.with(upgrade.canary().of(upgrade.revision()));
  }

  private Course changed(ActRequest request, Course target) throws RefusedException {
    if (target.equals(confirmed)) {
      throw new RefusedException(
          request + ": " + confirmed + " is confirmed already (expected: a change)");
    }
    return target;
  }

  private Course undone(ActRequest request, String actId) throws RefusedException {
    Optional<ActRecord> last =
        history.stream()
            .filter(each -> each.outcome() == Outcome.CONFIRMED)
            .filter(each -> !each.before().equals(each.target()))
            .reduce((earlier, later) -> later);
    if (last.isEmpty() || !last.get().id().equals(actId)) {
      String known =
          ended(actId).map(each -> each.outcome().toString()).orElse("not in the history");
      throw new RefusedException(
          request
              + ": act "
              + actId
              + " is "
              + known
              + " (expected: "
              + last.map(each -> "act " + each.id() + ", the last that was confirmed")
                  .orElse("a confirmed act; there is none")
              + ")");
    }
    return last.get().before();
  }

  private boolean wasConfirmed(RevisionId revision) {
    return history.stream()
        .anyMatch(
            each ->
                each.before().revision().equals(revision)
                    || (each.outcome() == Outcome.CONFIRMED
                        && each.target().revision().equals(revision)));
  }

  /**
   * The last confirmed act, where it brought code that was never in force before: what a node may
   * take back by itself when that code fails. Going back is never taken back by a node.
   */
  Optional<ActRecord> novelty() {
    for (int i = history.size() - 1; i >= 0; i--) {
      ActRecord last = history.get(i);
      if (last.outcome() == Outcome.CONFIRMED && !last.target().runsAs(last.before())) {
        boolean isNew = isNew(last.target(), history.subList(0, i));
        return isNew && last.target().runsAs(confirmed) ? Optional.of(last) : Optional.empty();
      }
    }
    return Optional.empty();
  }

  /** Whether an act brings code that was never in force before. */
  boolean isNovel(RunningAct act) {
    return !act.target().runsAs(confirmed) && isNew(act.target(), history);
  }

  private static boolean isNew(Course target, List<ActRecord> before) {
    return before.stream()
        .noneMatch(
            each ->
                each.before().runsAs(target)
                    || (each.outcome() == Outcome.CONFIRMED && each.target().runsAs(target)));
  }

  /**
   * Where sessions go whose code fails: what the code that serves has to prove itself against.
   * While nodes switch that is what was confirmed before; otherwise what the confirmed revision
   * first replaced; empty where it replaced none that is remembered.
   */
  Optional<RevisionId> stable() {
    RevisionId serving = course().revision();
    return serving.equals(confirmed.revision()) ? replaced() : Optional.of(confirmed.revision());
  }

  /** What the confirmed revision first replaced; empty where that is not remembered. */
  Optional<RevisionId> replaced() {
    RevisionId serving = confirmed.revision();
    return history.stream()
        .filter(each -> each.outcome() == Outcome.CONFIRMED)
        .filter(each -> each.target().revision().equals(serving))
        .map(each -> each.before().revision())
        .filter(before -> !before.equals(serving))
        .findFirst();
  }

  /** All that take part have staged: from here on nodes switch. */
  ClusterState switchOver() {
    RunningAct act = running;
    if (act == null || act.phase() != Phase.STAGING) {
      throw new IllegalStateException("switch: " + describe() + " (expected: an act is STAGING)");
    }
    return new ClusterState(
        sequence + 1,
        voters,
        confirmed,
        new RunningAct(act.request(), Phase.SWITCHING, act.target()),
        history);
  }

  /** The act is done. */
  ClusterState confirm() {
    RunningAct act = running;
    if (act == null || act.phase() != Phase.SWITCHING) {
      throw new IllegalStateException(
          "confirm: " + describe() + " (expected: an act is SWITCHING)");
    }
    return ended(act.target(), record(act.request(), act.target(), Outcome.CONFIRMED, ""));
  }

  /** The act ends with everything as it was. */
  ClusterState giveUp(String reason) {
    RunningAct act = running;
    if (act == null) {
      throw new IllegalStateException("give up: " + describe() + " (expected: an act)");
    }
    return ended(confirmed, record(act.request(), act.target(), givenUp(act), reason));
  }

  private static Outcome givenUp(RunningAct act) {
    return act.phase() == Phase.STAGING ? Outcome.REFUSED : Outcome.ROLLED_BACK;
  }

  private ActRecord record(ActRequest request, Course target, Outcome outcome, String reason) {
    return ActRecord.of(sequence + 1, request, confirmed, target, outcome, reason);
  }

  private ClusterState ended(Course course, ActRecord... records) {
    List<ActRecord> longer = new ArrayList<>(history);
    longer.addAll(List.of(records));
    List<ActRecord> kept = longer.subList(Math.max(0, longer.size() - HISTORY), longer.size());
    return new ClusterState(sequence + 1, voters, course, null, kept);
  }

  /** In words, for refusals and logs. */
  String describe() {
    return running == null
        ? confirmed + " is confirmed"
        : running.request() + " is " + running.phase();
  }

  static String sorted(Set<String> names) {
    return String.join(", ", new TreeSet<>(names));
  }
}
