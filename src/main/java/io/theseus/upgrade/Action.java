package io.theseus.upgrade;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What is to be done, in the order in which it is listed: each is done before the next begins. */
sealed interface Action {
  /** What an agent wants done. */
  sealed interface OfAgent extends Action {}

  /** What a coordinator wants done. */
  sealed interface OfCoordinator extends Action {}

  /** Make it durable. */
  record Persist(AgentState state) implements OfAgent {}

  /** Send it; it may be lost, late, repeated, or overtaken. */
  record Send(String to, Message message) implements OfAgent, OfCoordinator {}

  /**
   * Make a revision ready, and say how it went with the same attempt. An earlier attempt that has
   * not ended is given up.
   *
   * @param attempt a late end of an earlier one means nothing
   */
  record Stage(long attempt, RevisionId revision) implements OfAgent {}

  /**
   * Serve by it from now on, without delay; it is staged.
   *
   * @param stable where sessions go whose code fails; staged, too, or null for what is built in
   */
  record Publish(long switchGeneration, Course course, @Nullable RevisionId stable)
      implements OfAgent {}

  /** Let go of all revisions but these, staged or being staged. */
  record Keep(Set<RevisionId> revisions) implements OfAgent {
    public Keep {
      revisions = Set.copyOf(revisions);
    }
  }

  /** Tell everybody who waits for an answer to an act. */
  record Answer(String actId, ActAnswer answer) implements OfCoordinator {}
}
