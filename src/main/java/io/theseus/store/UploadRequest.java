package io.theseus.store;

import io.theseus.wire.FileName;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;

/**
 * What a PUT asks for.
 *
 * @param size bytes, empty until END
 * @param ifIdentity of the file to replace, or {@code none}
 * @param expectedSha256 64 hex digits, either case
 * @param modified the time that the file shall have, kept to the microsecond
 */
public record UploadRequest(
    UUID session,
    FileName name,
    OptionalLong size,
    Optional<String> ifIdentity,
    Optional<String> expectedSha256,
    Optional<Instant> modified) {}
