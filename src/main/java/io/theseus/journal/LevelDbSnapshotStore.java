package io.theseus.journal;

import akka.actor.ActorSystem;
import akka.persistence.SelectedSnapshot;
import akka.persistence.SnapshotMetadata;
import akka.persistence.SnapshotSelectionCriteria;
import akka.persistence.snapshot.japi.SnapshotStore;
import akka.serialization.Serialization;
import akka.serialization.SerializationExtension;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import scala.Option;
import scala.concurrent.Future;
import scala.jdk.javaapi.FutureConverters;

/** The snapshot store plugin: snapshots in the same database as the events, as durable as they. */
public final class LevelDbSnapshotStore extends SnapshotStore {
  private final Database database;
  private final Serialization serialization;
  private final Executor reads;

  /** Called by Akka Persistence, in the plugin's actor. */
  public LevelDbSnapshotStore() {
    ActorSystem system = context().system();
    database = JournalDatabase.get(system).database();
    serialization = SerializationExtension.get(system);
    reads = context().dispatcher();
  }

  @Override
  public Future<Optional<SelectedSnapshot>> doLoadAsync(
      String persistenceId, SnapshotSelectionCriteria criteria) {
    return FutureConverters.asScala(
        database.written().thenApplyAsync(nothing -> latest(persistenceId, criteria), reads));
  }

  @Override
  public Future<Void> doSaveAsync(SnapshotMetadata metadata, Object snapshot) {
    try {
      String id = metadata.persistenceId();
      byte[] key = Keys.snapshot(id, metadata.sequenceNr(), metadata.timestamp());
      byte[] value = Records.snapshot(key, snapshot, orNull(metadata.metadata()), serialization);
      return FutureConverters.asScala(
          database.write(new Change.Store(id, List.of(new Change.Operation(key, value)))));
    } catch (RuntimeException e) {
      return FutureConverters.asScala(CompletableFuture.failedFuture(e));
    }
  }

  @Override
  public Future<Void> doDeleteAsync(SnapshotMetadata metadata) {
    long number = metadata.sequenceNr();
    long time = metadata.timestamp();
    // a timestamp of 0 stands for "whichever" in Akka Persistence
    return delete(
        new Change.DeleteSnapshots(
            metadata.persistenceId(), (n, t) -> n == number && (time == 0 || t == time)));
  }

  @Override
  public Future<Void> doDeleteAsync(String persistenceId, SnapshotSelectionCriteria criteria) {
    return delete(
        new Change.DeleteSnapshots(
            persistenceId,
            (number, time) -> criteria.matches(new SnapshotMetadata(persistenceId, number, time))));
  }

  private Future<Void> delete(Change.DeleteSnapshots change) {
    return FutureConverters.asScala(database.write(change));
  }

  private Optional<SelectedSnapshot> latest(String id, SnapshotSelectionCriteria criteria) {
    return database.read(
        reader -> {
          byte[][] latest = new byte[2][];
          reader.forEach(
              Keys.afterEvents(id),
              Keys.afterAll(id),
              (key, value) -> {
                if (criteria.matches(
                    new SnapshotMetadata(id, Keys.sequenceNr(key), Keys.timestamp(key)))) {
                  latest[0] = key;
                  latest[1] = value;
                }
                return Keys.sequenceNr(key) <= criteria.maxSequenceNr();
              });
          return latest[0] == null ? Optional.empty() : Optional.of(selected(latest[0], latest[1]));
        });
  }

  private SelectedSnapshot selected(byte[] key, byte[] value) {
    Records.Snapshot snapshot = Records.snapshot(key, value, serialization);
    SnapshotMetadata metadata =
        new SnapshotMetadata(Keys.id(key), Keys.sequenceNr(key), Keys.timestamp(key));
    Object more = snapshot.metadata();
    return SelectedSnapshot.create(
        more == null ? metadata : metadata.withMetadata(more), snapshot.state());
  }

  private static @Nullable Object orNull(Option<Object> option) {
    return option.isDefined() ? option.get() : null;
  }
}
