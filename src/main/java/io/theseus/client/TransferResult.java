package io.theseus.client;

import java.time.Duration;
import java.util.Optional;
import java.util.UUID;

/**
 * A transfer that is complete.
 *
 * @param sizeBytes of the whole file
 * @param identity of the file, as COMPLETE says; empty where it doesn't
 * @param sha256 of the whole content, computed here, in lower case
 * @param verified whether the server said the same hash
 * @param resumedFrom the offset that the first connection began with
 * @param reconnects how many further connections were needed
 * @param node the node that completed it
 */
public record TransferResult(
    UUID session,
    long sizeBytes,
    Optional<String> identity,
    String sha256,
    boolean verified,
    long resumedFrom,
    int reconnects,
    Duration took,
    NodeAddress node) {}
