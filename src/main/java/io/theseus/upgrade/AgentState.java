package io.theseus.upgrade;

import java.util.Objects;

/**
 * What an agent has on disk.
 *
 * @param incarnation random; another one where the disk was lost
 * @param promised nothing of earlier terms is accepted
 * @param accepted the last state that was accepted, under {@code acceptedTerm}; a majority may have
 *     it or not
 * @param decided the last state that a majority is known to have: what this node acts by
 */
record AgentState(
    long incarnation,
    Term promised,
    Term acceptedTerm,
    ClusterState accepted,
    ClusterState decided) {

  AgentState {
    Objects.requireNonNull(promised, "promised");
    Objects.requireNonNull(acceptedTerm, "acceptedTerm");
    Objects.requireNonNull(accepted, "accepted");
    Objects.requireNonNull(decided, "decided");
    if (promised.isBefore(acceptedTerm)) {
      throw new IllegalArgumentException(
          "promised: " + promised + " (expected: >= the accepted term, " + acceptedTerm + ")");
    }
    if (accepted.sequence() < decided.sequence()) {
      throw new IllegalArgumentException(
          "accepted: "
              + accepted.sequence()
              + " (expected: >= the decided sequence, "
              + decided.sequence()
              + ")");
    }
  }

  /** That of a node that has never been there, or has lost its disk. */
  static AgentState fresh(long incarnation, RevisionId builtIn) {
    ClusterState initial = ClusterState.initial(builtIn);
    return new AgentState(incarnation, Term.NONE, Term.NONE, initial, initial);
  }

  AgentState promising(Term term) {
    return new AgentState(incarnation, term, acceptedTerm, accepted, decided);
  }

  AgentState accepting(Term term, ClusterState state) {
    return new AgentState(incarnation, term, term, state, decided);
  }

  AgentState deciding() {
    return new AgentState(incarnation, promised, acceptedTerm, accepted, accepted);
  }
}
