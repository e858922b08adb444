package io.theseus.names;

import io.theseus.store.FileStat;
import java.util.Optional;

/**
 * Where a name is.
 *
 * @param at a node that has it; empty where this one does
 * @param stat of what is there; empty where it is here
 */
public record Location(Optional<Place> at, Optional<FileStat> stat) {
  /** Here, or at least nobody knows better. */
  public static final Location HERE = new Location(Optional.empty(), Optional.empty());
}
