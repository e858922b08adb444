package io.theseus.backup;

import io.theseus.journal.FinalEvent;
import io.theseus.wire.Epoch;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

/** What the journal of a backup keeps of a copy. */
public sealed interface BackupEvent {
  /** The first mark: what is copied. */
  record Begun(
      Epoch epoch, String name, OptionalLong size, Optional<Instant> modified, long durable)
      implements BackupEvent {}

  /** All before the offset is durable. */
  record Marked(Epoch epoch, long durable) implements BackupEvent {}

  /** The session has another owner, by whom so many bytes are still worth something. */
  record Owned(Epoch epoch, long durable) implements BackupEvent {}

  /** Nothing of the copy is kept here, or it is a file like others. */
  record Ended() implements BackupEvent, FinalEvent {}
}
