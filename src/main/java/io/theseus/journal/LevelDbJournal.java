package io.theseus.journal;

import akka.actor.ActorSystem;
import akka.persistence.AtomicWrite;
import akka.persistence.PersistentRepr;
import akka.persistence.journal.Tagged;
import akka.persistence.journal.japi.AsyncWriteJournal;
import akka.serialization.Serialization;
import akka.serialization.SerializationExtension;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import scala.concurrent.Future;
import scala.jdk.javaapi.CollectionConverters;
import scala.jdk.javaapi.FutureConverters;

/**
 * The journal plugin: Akka Persistence's events in the {@link JournalDatabase} of its actor system.
 *
 * <p>What can't be serialized is rejected, and its actor goes on; what the disk refuses fails, and
 * its actor stops, as nobody knows then what is stored.
 */
public final class LevelDbJournal extends AsyncWriteJournal {
  private final Database database;
  private final Serialization serialization;
  private final Executor reads;

  /** Called by Akka Persistence, in the plugin's actor. */
  public LevelDbJournal() {
    ActorSystem system = context().system();
    database = JournalDatabase.get(system).database();
    serialization = SerializationExtension.get(system);
    reads = context().dispatcher();
  }

  @Override
  public Future<Iterable<Optional<Exception>>> doAsyncWriteMessages(
      Iterable<AtomicWrite> messages) {
    List<Optional<Exception>> rejections = new ArrayList<>();
    List<CompletableFuture<Void>> writes = new ArrayList<>();
    for (AtomicWrite message : messages) {
      try {
        Change change = change(message);
        writes.add(database.write(change));
        rejections.add(Optional.empty());
      } catch (Exception e) {
        rejections.add(Optional.of(e));
      }
    }
    return FutureConverters.asScala(
        CompletableFuture.allOf(writes.toArray(CompletableFuture[]::new))
            .thenApply(nothing -> rejections));
  }

  @Override
  public Future<Void> doAsyncDeleteMessagesTo(String persistenceId, long toSequenceNr) {
    return FutureConverters.asScala(
        database.write(new Change.DeleteEvents(persistenceId, toSequenceNr)));
  }

  @Override
  public Future<Long> doAsyncReadHighestSequenceNr(String persistenceId, long fromSequenceNr) {
    return FutureConverters.asScala(
        database
            .written()
            .thenApplyAsync(
                nothing -> database.read(reader -> reader.highestSequenceNr(persistenceId)),
                reads));
  }

  @Override
  public Future<Void> doAsyncReplayMessages(
      String persistenceId,
      long fromSequenceNr,
      long toSequenceNr,
      long max,
      Consumer<PersistentRepr> replayCallback) {
    return FutureConverters.asScala(
        CompletableFuture.runAsync(
            () -> replay(persistenceId, fromSequenceNr, toSequenceNr, max, replayCallback), reads));
  }

  private void replay(
      String id, long from, long to, long max, Consumer<PersistentRepr> replayCallback) {
    if (max <= 0 || from > to) {
      return;
    }
    database.read(
        reader -> {
          long[] left = {max};
          reader.forEach(
              Keys.event(id, Math.max(0, from)),
              Keys.afterEvents(id),
              (key, value) -> {
                if (Keys.sequenceNr(key) > to) {
                  return false;
                }
                replayCallback.accept(Records.event(key, value, serialization));
                left[0]--;
                return left[0] > 0;
              });
          return left[0];
        });
  }

  private Change change(AtomicWrite message) {
    List<PersistentRepr> events = CollectionConverters.asJava(message.payload());
    String id = message.persistenceId();
    List<Change.Operation> puts = new ArrayList<>(events.size());
    for (PersistentRepr event : events) {
      if (isFinal(event)) {
        if (event != events.get(events.size() - 1)) {
          throw new IllegalArgumentException(
              "final event of "
                  + id
                  + ": sequence number "
                  + event.sequenceNr()
                  + " (expected: the last of its write, "
                  + message.highestSequenceNr()
                  + ")");
        }
        return new Change.End(id);
      }
      byte[] key = Keys.event(id, event.sequenceNr());
      puts.add(new Change.Operation(key, Records.event(key, event, serialization)));
    }
    return new Change.Store(id, puts);
  }

  private static boolean isFinal(PersistentRepr event) {
    Object payload = event.payload();
    return payload instanceof FinalEvent
        || (payload instanceof Tagged tagged && tagged.payload() instanceof FinalEvent);
  }
}
