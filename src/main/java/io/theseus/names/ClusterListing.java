package io.theseus.names;

import io.theseus.store.FileStat;
import java.util.List;
import java.util.Set;

/**
 * A part of the names of all nodes, in byte order.
 *
 * @param entries what fits
 * @param more whether names follow behind the last entry
 * @param unreachable nodes whose names may be missing
 */
public record ClusterListing(List<FileStat> entries, boolean more, Set<String> unreachable) {
  public ClusterListing {
    entries = List.copyOf(entries);
    unreachable = Set.copyOf(unreachable);
  }
}
