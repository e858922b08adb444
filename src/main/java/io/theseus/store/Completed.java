package io.theseus.store;

import io.theseus.wire.FileName;
import java.util.Optional;
import java.util.UUID;

/**
 * An upload that is committed: content and name are durable.
 *
 * @param sha256 of what was received, 64 lower-case hex digits; empty where that isn't known
 */
public record Completed(
    UUID session, FileName name, long size, String identity, Optional<String> sha256) {}
