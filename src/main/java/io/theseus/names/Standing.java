package io.theseus.names;

import io.theseus.store.Entry;
import java.util.Optional;
import java.util.Set;

/**
 * What all nodes together know of a name that is to be an upload's.
 *
 * @param newest of all that can be reached, this node too
 * @param session a node that has the session, or has committed the name by it; empty where none
 *     says so, or this one does
 * @param obstacle why a node can't give an upload that name; empty where all can
 * @param silent nodes that can't be reached
 */
public record Standing(
    Entry newest, Optional<Place> session, Optional<String> obstacle, Set<String> silent) {
  public Standing {
    silent = Set.copyOf(silent);
  }
}
