package io.theseus.backup;

import io.theseus.wire.Epoch;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What the journal of a backup says of a copy.
 *
 * @param epoch the highest that it has obeyed
 * @param name empty before the first mark
 * @param size bytes, where known
 * @param modified the time that the file shall have
 * @param durable bytes
 */
record BackupState(
    Epoch epoch, String name, OptionalLong size, Optional<Instant> modified, long durable) {
  static final BackupState NONE =
      new BackupState(Epoch.NONE, "", OptionalLong.empty(), Optional.empty(), 0);

  BackupState on(BackupEvent event) {
    if (event instanceof BackupEvent.Begun begun) {
      return new BackupState(
          begun.epoch(), begun.name(), begun.size(), begun.modified(), begun.durable());
    } else if (event instanceof BackupEvent.Marked marked) {
      return new BackupState(marked.epoch(), name, size, modified, marked.durable());
    } else if (event instanceof BackupEvent.Owned owned) {
      return new BackupState(owned.epoch(), name, size, modified, owned.durable());
    }
    return NONE;
  }

  boolean isMarked() {
    return !name.isEmpty();
  }
}
