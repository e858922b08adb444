package io.theseus.store;

import io.theseus.wire.FileName;
import java.util.UUID;

/**
 * An upload that is committed: content and name are durable.
 *
 * @param sha256 64 lower-case hex digits
 */
public record Completed(UUID session, FileName name, long size, String identity, String sha256) {}
