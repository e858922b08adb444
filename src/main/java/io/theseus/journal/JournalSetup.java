package io.theseus.journal;

import akka.actor.setup.Setup;
import io.theseus.steps.Steps;

/**
 * What an actor system's journal is given besides its configuration.
 *
 * <p>Kill points, in order: {@code journal.before-sync} (a batch is built, nothing of it is
 * written), {@code journal.synced} (it is durable, nobody knows).
 */
public final class JournalSetup extends Setup {
  private final Steps steps;

  public JournalSetup(Steps steps) {
    this.steps = steps;
  }

  Steps steps() {
    return steps;
  }
}
