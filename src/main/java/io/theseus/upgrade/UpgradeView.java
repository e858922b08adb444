package io.theseus.upgrade;

import java.util.List;
import java.util.Optional;

/**
 * What a node knows of the cluster's course, as its agent saw it last.
 *
 * @param confirmed the course that the last confirmed act brought
 * @param serving the course by which the node serves; empty before it serves
 * @param running the act that is under way
 * @param switching whether nodes switch for it already, or make ready still
 * @param stable where sessions go whose code fails; empty for what is built in
 * @param history acts that are over, oldest first
 * @param failure why the node does not serve by the course that it should, or an act fails
 * @param standing how much the node knows of the cluster, in words
 * @param coordinates whether the coordinator was put on this node
 */
public record UpgradeView(
    Course confirmed,
    Optional<Course> serving,
    Optional<ActRequest> running,
    boolean switching,
    Optional<RevisionId> stable,
    List<ActRecord> history,
    Optional<String> failure,
    String standing,
    boolean coordinates) {
  public UpgradeView {
    history = List.copyOf(history);
  }

  static UpgradeView of(Agent agent, boolean coordinates) {
    ClusterState state = agent.decided();
    RunningAct running = state.running();
    return new UpgradeView(
        state.confirmed(),
        agent.course(),
        Optional.ofNullable(running).map(RunningAct::request),
        running != null && running.phase() == RunningAct.Phase.SWITCHING,
        state.stable(),
        state.history(),
        agent.failure(),
        switch (agent.standing()) {
          case CATCHING_UP -> "asks a majority of the nodes how far they are";
          case ALONE ->
              "no majority of the nodes has answered; serves by its last confirmed course";
          case CURRENT -> "current";
        },
        coordinates);
  }

  /** How an act ended, where it is still remembered. */
  public Optional<ActRecord> ended(String actId) {
    return history.stream().filter(each -> each.id().equals(actId)).findFirst();
  }

  /** The last act that changed something, which an undo takes back; empty where there is none. */
  public Optional<ActRecord> last() {
    return history.stream()
        .filter(each -> each.outcome() == ActRecord.Outcome.CONFIRMED)
        .filter(each -> !each.before().equals(each.target()))
        .reduce((earlier, later) -> later);
  }
}
