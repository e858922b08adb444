package io.theseus.upgrade;

import java.time.Duration;
import java.util.Set;

/**
 * How a node takes part in coordination.
 *
 * @param node its id
 * @param nodes ids of all nodes, this one among them
 * @param catchUp for how long a node that starts waits for a majority
 * @param longestPause after which transfers go on by themselves
 */
public record UpgradeSettings(
    String node, Set<String> nodes, Duration catchUp, Duration longestPause) {
  /** Checked. */
  public UpgradeSettings {
    nodes = Set.copyOf(nodes);
    if (!nodes.contains(node)) {
      throw new IllegalArgumentException("nodes: " + nodes + " (expected: " + node + " too)");
    }
  }

  Rules rules() {
    Rules usual = Rules.DEFAULT;
    return new Rules(
        usual.beat(),
        usual.silence(),
        usual.stage(),
        usual.switchOver(),
        catchUp,
        usual.retry(),
        usual.rest(),
        usual.request());
  }
}
