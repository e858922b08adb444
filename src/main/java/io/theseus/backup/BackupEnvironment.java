package io.theseus.backup;

import io.theseus.peer.PeerPort;
import io.theseus.steps.Steps;
import io.theseus.store.FileStore;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;

/**
 * What a backup works with.
 *
 * @param nodeId this node's
 * @param rack where it stands; empty where it doesn't matter
 * @param disk runs what may wait for files
 * @param draining whether it is to get no new copies
 * @param filesLeft files that it has yet to bring elsewhere where it drains; -1: not known
 * @param keep how long a copy of which nobody knows anything is kept
 */
public record BackupEnvironment(
    String nodeId,
    String rack,
    FileStore store,
    Executor disk,
    Draining draining,
    LongSupplier filesLeft,
    PeerPort port,
    Duration keep,
    Steps steps) {}
