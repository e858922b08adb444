package io.theseus.channel;

import java.util.List;

/**
 * Divides the bandwidth of a node ({@code theseus.session.bandwidth}) among the sessions that want
 * to move bytes. A node policy: one object for each node, and one thread calls it at a time, ten
 * times a second at most, and only while somebody wants something.
 *
 * <p>Where there is none, or it fails or has not answered when the next interval begins, it is
 * first come, first served: who has waited longest gets all that it wants, or all that there is,
 * and waits behind the others for more.
 */
public interface FairnessPolicy {
  /**
   * What a session wants of the next interval.
   *
   * @param session which one
   * @param wanted bytes that it could move, at least 1
   */
  record Demand(SessionInfo session, long wanted) {}

  /**
   * The shares of the next interval.
   *
   * @param budget bytes that may be given out
   * @param demands in the order in which the sessions began
   * @return bytes for each demand, in their order: 0 to what it wanted, together at most the budget
   */
  long[] share(long budget, List<Demand> demands);
}
