package io.theseus.session;

import io.theseus.channel.Direction;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a session is from its begin to its end; persisted with its first mark.
 *
 * @param size bytes, where known at the begin
 * @param identity GET: of the file that was begun
 * @param stream whether the client's end, producer or consumer, is a stream
 * @param sha256 PUT: expected, where the client said it
 * @param ifIdentity PUT: precondition
 * @param modified PUT: modification time to keep
 */
record Facts(
    Direction direction,
    String name,
    OptionalLong size,
    Optional<String> identity,
    boolean stream,
    Optional<String> sha256,
    Optional<String> ifIdentity,
    Optional<Instant> modified) {}
