package io.theseus.client;

import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What STAT says of a file.
 *
 * @param size empty for a live source
 * @param identity empty for a live source
 * @param modified empty for a live source
 * @param sha256 where it is known, in lower case
 */
public record FileStat(
    OptionalLong size,
    Optional<String> identity,
    Optional<Instant> modified,
    Optional<String> sha256) {}
