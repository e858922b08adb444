package io.theseus.backup;

import io.theseus.peer.PeerPort;
import io.theseus.steps.Steps;
import io.theseus.store.FileStore;
import java.time.Duration;
import java.util.concurrent.Executor;

/**
 * What a backup works with.
 *
 * @param nodeId this node's
 * @param rack where it stands; empty where it doesn't matter
 * @param disk runs what may wait for files
 * @param draining whether it is to get no new copies
 * @param keep how long a copy of which nobody knows anything is kept
 */
public record BackupEnvironment(
    String nodeId,
    String rack,
    FileStore store,
    Executor disk,
    Draining draining,
    PeerPort port,
    Duration keep,
    Steps steps) {}
