package io.theseus.session;

import io.theseus.backup.Replicas;
import io.theseus.module.Switchboard;
import io.theseus.names.Names;
import io.theseus.steps.Steps;
import io.theseus.store.FileStore;
import java.util.concurrent.Executor;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What every session of a node works with.
 *
 * @param elsewhere where to look for a name that no node has
 * @param switchboard which code is in force
 * @param misbehaviours hears of code of modules that failed
 * @param bandwidth of the node; null where it is not limited
 * @param names of all nodes
 * @param copies makes copies of what is received, on other nodes; null where none are wanted
 * @param running how many sessions there are
 * @param disk runs what blocks on files; never an event loop, never an actor's dispatcher
 */
public record SessionEnvironment(
    String nodeId,
    String elsewhere,
    FileStore store,
    Executor disk,
    Switchboard switchboard,
    Misbehaviour.Listener misbehaviours,
    @Nullable Bandwidth bandwidth,
    Names names,
    @Nullable Replicas copies,
    IntSupplier running,
    SessionSettings settings,
    Counters counters,
    Steps steps) {
  /** The same with another way to the disk. */
  public SessionEnvironment withDisk(Executor other) {
    return new SessionEnvironment(
        nodeId,
        elsewhere,
        store,
        other,
        switchboard,
        misbehaviours,
        bandwidth,
        names,
        copies,
        running,
        settings,
        counters,
        steps);
  }

  /** The same with another code in force. */
  SessionEnvironment withSwitchboard(Switchboard other) {
    return new SessionEnvironment(
        nodeId,
        elsewhere,
        store,
        disk,
        other,
        misbehaviours,
        bandwidth,
        names,
        copies,
        running,
        settings,
        counters,
        steps);
  }
}
