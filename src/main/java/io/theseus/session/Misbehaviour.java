package io.theseus.session;

import io.theseus.module.Revision;
import java.util.Optional;
import java.util.UUID;

/**
 * Code of a module that failed for a session, which went back to the stable revision.
 *
 * @param revision whose code it is
 * @param session empty where it failed for all: a policy of the node
 * @param what the component, the call and what it did
 */
public record Misbehaviour(Revision revision, Optional<UUID> session, String what) {
  /** Hears of them, on any thread. */
  @FunctionalInterface
  public interface Listener {
    /** Code failed. */
    void heard(Misbehaviour misbehaviour);
  }
}
