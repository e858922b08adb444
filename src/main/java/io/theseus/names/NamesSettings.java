package io.theseus.names;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;

/**
 * What a node's part of the namespace goes by.
 *
 * @param nodes the ids of all nodes, this one's too
 * @param tombstones how long a deletion is remembered
 * @param directory where it is remembered when other nodes were met last
 */
public record NamesSettings(String nodeId, Set<String> nodes, Duration tombstones, Path directory) {
  public NamesSettings {
    nodes = Set.copyOf(nodes);
  }
}
