package io.theseus.session;

import io.theseus.module.Revision;
import io.theseus.steps.Steps;
import io.theseus.store.FileStore;
import java.util.concurrent.Executor;

/**
 * What every session of a node works with.
 *
 * @param elsewhere where to look for a name that is not here
 * @param disk runs what blocks on files; never an event loop, never an actor's dispatcher
 */
public record SessionEnvironment(
    String nodeId,
    String elsewhere,
    FileStore store,
    Executor disk,
    Revision revision,
    SessionSettings settings,
    Counters counters,
    Steps steps) {
  /** The same with another way to the disk. */
  public SessionEnvironment withDisk(Executor other) {
    return new SessionEnvironment(
        nodeId, elsewhere, store, other, revision, settings, counters, steps);
  }
}
