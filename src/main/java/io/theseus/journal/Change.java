package io.theseus.journal;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/** A write of one persistence id that happens whole or not at all. */
sealed interface Change {
  String persistenceId();

  /** Whether what it does depends on what is stored for its id. */
  default boolean readsFirst() {
    return true;
  }

  /** The puts and deletes that it amounts to; none where there is nothing to do. */
  List<Operation> operations(Database.Reader reader);

  /** A put, or a delete where the value is null. */
  @SuppressWarnings("ArrayRecordComponent") // never compared, never changed
  record Operation(byte[] key, byte @Nullable [] value) {
    long size() {
      return (long) key.length + (value == null ? 0 : value.length);
    }
  }

  /** Stores records. */
  record Store(String persistenceId, List<Operation> operations) implements Change {
    @Override
    public boolean readsFirst() {
      return false;
    }

    @Override
    public List<Operation> operations(Database.Reader reader) {
      return operations;
    }
  }

  /** Deletes all that there is of an id. */
  record End(String persistenceId) implements Change {
    @Override
    public List<Operation> operations(Database.Reader reader) {
      List<Operation> deletes = new ArrayList<>();
      reader.forEach(
          Keys.first(persistenceId),
          Keys.afterAll(persistenceId),
          (key, value) -> deletes.add(new Operation(key, null)));
      return deletes;
    }
  }

  /** Deletes events up to a sequence number; the highest number that there was is kept. */
  record DeleteEvents(String persistenceId, long toSequenceNr) implements Change {
    @Override
    public List<Operation> operations(Database.Reader reader) {
      long highest = reader.highestSequenceNr(persistenceId);
      List<Operation> changes = new ArrayList<>();
      reader.forEach(
          Keys.event(persistenceId, 0),
          Keys.afterEvents(persistenceId),
          (key, value) ->
              Keys.sequenceNr(key) <= toSequenceNr && changes.add(new Operation(key, null)));
      if (!changes.isEmpty()) {
        byte[] head = Keys.head(persistenceId);
        changes.add(new Operation(head, Records.head(head, highest)));
      }
      return changes;
    }
  }

  /** Deletes the snapshots that match by sequence number and timestamp. */
  record DeleteSnapshots(String persistenceId, BiPredicate<Long, Long> matching) implements Change {
    @Override
    public List<Operation> operations(Database.Reader reader) {
      List<Operation> deletes = new ArrayList<>();
      reader.forEach(
          Keys.afterEvents(persistenceId),
          Keys.afterAll(persistenceId),
          (key, value) -> {
            if (matching.test(Keys.sequenceNr(key), Keys.timestamp(key))) {
              deletes.add(new Operation(key, null));
            }
            return true;
          });
      return deletes;
    }
  }
}
