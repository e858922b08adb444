package io.theseus.client;

import io.theseus.wire.FileName;
import java.time.Instant;
import java.util.Optional;

/**
 * What to get.
 *
 * @param resume go on from the part that an earlier get left beside the target, where there is one
 * @param modified the modification time that the target gets before it becomes visible
 */
public record GetRequest(FileName name, boolean resume, Optional<Instant> modified) {
  /** The whole file, from its beginning. */
  public static GetRequest of(FileName name) {
    return new GetRequest(name, false, Optional.empty());
  }

  /** The same, going on from an earlier part or not. */
  public GetRequest withResume(boolean value) {
    return new GetRequest(name, value, modified);
  }

  /** The same with a modification time for the target. */
  public GetRequest withModified(Instant value) {
    return new GetRequest(name, resume, Optional.of(value));
  }
}
