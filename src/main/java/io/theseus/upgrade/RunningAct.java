package io.theseus.upgrade;

import java.util.Objects;

/**
 * The act that is under way.
 *
 * @param target the course that it is to bring
 */
record RunningAct(ActRequest request, Phase phase, Course target) {
  /** How far it is. */
  enum Phase {
    /** Every node makes the new revision ready; nothing has changed for any transfer. */
    STAGING,
    /** All were ready: every node serves by it, and keeps the old one. */
    SWITCHING
  }

  RunningAct {
    Objects.requireNonNull(request, "request");
    Objects.requireNonNull(phase, "phase");
    Objects.requireNonNull(target, "target");
  }

  String id() {
    return request.id();
  }
}
