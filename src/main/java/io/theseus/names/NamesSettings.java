package io.theseus.names;

import java.time.Duration;
import java.util.Set;

/**
 * What a node's part of the namespace goes by.
 *
 * @param nodes the ids of all nodes, this one's too
 * @param tombstones how long a deletion is remembered
 */
public record NamesSettings(String nodeId, Set<String> nodes, Duration tombstones) {
  public NamesSettings {
    nodes = Set.copyOf(nodes);
  }
}
