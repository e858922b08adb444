package io.theseus.store;

import io.theseus.wire.FileName;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * A file that has its name, and what was said of it when it got it.
 *
 * @param version of the name
 * @param session of the upload that it came by
 * @param size bytes
 * @param sha256 of what is stored
 * @param received SHA-256 of what the client sent, where known
 * @param since when it got its name here
 */
public record Committed(
    FileName name,
    String version,
    UUID session,
    long size,
    Instant modified,
    String sha256,
    Optional<String> received,
    Instant since) {}
