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
 * @param modified the time that the file shall have, kept to the nanosecond
 * @param hashing what is computed of the bytes
 */
public record UploadRequest(
    UUID session,
    FileName name,
    OptionalLong size,
    Optional<String> ifIdentity,
    Optional<String> expectedSha256,
    Optional<Instant> modified,
    Hashing hashing) {

  /** What is computed of the bytes. */
  public enum Hashing {
    /** The SHA-256 of all, and the sum of each block. */
    SHA256,

    /** The sum of each block: for who compares these with where the bytes come from. */
    SUMS
  }

  /** One of which the SHA-256 is computed. */
  public UploadRequest(
      UUID session,
      FileName name,
      OptionalLong size,
      Optional<String> ifIdentity,
      Optional<String> expectedSha256,
      Optional<Instant> modified) {
    this(session, name, size, ifIdentity, expectedSha256, modified, Hashing.SHA256);
  }
}
