package io.theseus.client;

import io.theseus.wire.FileName;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * What to put.
 *
 * @param ifIdentity the identity of the file to replace, or {@link #NONE}: only where none is there
 * @param modified the modification time that the file keeps (field {@code Modified}, an extension
 *     of this project that other servers ignore)
 * @param session the session to go on with; without it one is chosen
 * @param sha256 what the content is expected to be, 64 hex digits; the server refuses any other
 */
public record PutRequest(
    FileName name,
    Optional<String> ifIdentity,
    Optional<Instant> modified,
    Optional<UUID> session,
    Optional<String> sha256) {
  /** The value of {@link #ifIdentity} that asks for a name that is free. */
  public static final String NONE = "none";

  /** Under this name, whatever is there. */
  public static PutRequest of(FileName name) {
    return new PutRequest(
        name, Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
  }

  /** The same, only in place of this identity, or {@link #NONE}. */
  public PutRequest withIfIdentity(String value) {
    return new PutRequest(name, Optional.of(value), modified, session, sha256);
  }

  /** The same with a modification time. */
  public PutRequest withModified(Instant value) {
    return new PutRequest(name, ifIdentity, Optional.of(value), session, sha256);
  }

  /** The same, going on with a session that an earlier call began. */
  public PutRequest withSession(UUID value) {
    return new PutRequest(name, ifIdentity, modified, Optional.of(value), sha256);
  }

  /** The same with the expected hash. */
  public PutRequest withSha256(String value) {
    return new PutRequest(name, ifIdentity, modified, session, Optional.of(value));
  }
}
