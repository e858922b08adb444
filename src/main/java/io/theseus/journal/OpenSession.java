package io.theseus.journal;

import java.time.Instant;

/**
 * A persistence id that has events or a snapshot.
 *
 * @param persistenceId the id
 * @param lastWrite when the last of them was written, by this node's clock at that time
 */
public record OpenSession(String persistenceId, Instant lastWrite) {}
