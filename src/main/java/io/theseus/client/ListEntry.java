package io.theseus.client;

import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * One line of LIST.
 *
 * @param size empty for a live source
 * @param modified empty for a live source
 * @param identity empty for a live source
 */
public record ListEntry(
    OptionalLong size, Optional<Instant> modified, Optional<String> identity, String name) {}
