package io.theseus.journal;

import java.time.Instant;

/**
 * A persistence id that has events or a snapshot.
 *
 * @param persistenceId the id
 * @param lastWrite when the last of them was written, by this node's clock at that time
 * @param lastEvent what its serializer calls the last event; empty where a snapshot is all there is
 */
public record OpenSession(String persistenceId, Instant lastWrite, String lastEvent) {}
