package io.theseus.upgrade;

import java.time.Duration;

/**
 * Times of coordination.
 *
 * @param beat between two signs of a coordinator, and between two attempts of anything
 * @param silence after which a node counts as out of reach
 * @param stage within which a revision is to be ready on all nodes
 * @param switchOver within which nodes are to have switched, and to be well for the act's watch
 * @param catchUp for how long a node that starts waits for a majority
 * @param retry before a node tries again to stage what it should serve by
 * @param rest the least time that a coordinator leaves to one with a higher term
 * @param request for how long an operator waits for an answer
 */
record Rules(
    Duration beat,
    Duration silence,
    Duration stage,
    Duration switchOver,
    Duration catchUp,
    Duration retry,
    Duration rest,
    Duration request) {

  static final Rules DEFAULT =
      new Rules(
          Duration.ofMillis(500),
          Duration.ofSeconds(5),
          Duration.ofSeconds(60),
          Duration.ofSeconds(30),
          Duration.ofSeconds(10),
          Duration.ofSeconds(5),
          Duration.ofSeconds(3),
          Duration.ofSeconds(10));
}
