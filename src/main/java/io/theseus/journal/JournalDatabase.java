package io.theseus.journal;

import akka.actor.AbstractExtensionId;
import akka.actor.ClassicActorSystemProvider;
import akka.actor.ExtendedActorSystem;
import akka.actor.Extension;
import io.theseus.steps.Steps;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The journal's database of an actor system: opened at first use, closed when the system has
 * terminated.
 *
 * <p>A node gets it before it spawns any actor, so that a damaged journal, or one that another
 * process has open, stops the start with its message. A new actor system in the same process may
 * open the directory once the former one's {@code whenTerminated}, or {@link #whenClosed}, has
 * completed.
 */
public final class JournalDatabase implements Extension {
  private static final Id ID = new Id();

  private final Database database;
  private final CompletableFuture<Void> closed = new CompletableFuture<>();

  private static final class Id extends AbstractExtensionId<JournalDatabase> {
    @Override
    public JournalDatabase createExtension(ExtendedActorSystem system) {
      return new JournalDatabase(system);
    }
  }

  private JournalDatabase(ExtendedActorSystem system) {
    Steps steps =
        system
            .settings()
            .setup()
            .get(JournalSetup.class)
            .map(JournalSetup::steps)
            .orElse(Steps.NONE);
    database = Database.open(JournalSettings.from(system.settings().config()), steps);
    system.registerOnTermination(
        () -> {
          database.close();
          closed.complete(null);
        });
  }

  /**
   * The journal of an actor system, opened if it isn't yet.
   *
   * @throws JournalCorruptException where it is damaged: the message names file, place and remedy
   * @throws JournalException where it can't be opened: the message names the directory and why
   */
  public static JournalDatabase get(ClassicActorSystemProvider system) {
    return ID.get(system);
  }

  /**
   * Why this process can't have the native LevelDB; empty where it can.
   *
   * @param fallback a directory that allows execution where the temporary one doesn't
   */
  public static Optional<String> nativeLibraryFailure(Path fallback) {
    return NativeLibrary.load(fallback);
  }

  /** The persistence ids that have events or a snapshot; reads the whole database once. */
  public List<OpenSession> openSessions() {
    return database.read(JournalDatabase::openSessions);
  }

  private static List<OpenSession> openSessions(Database.Reader reader) {
    List<OpenSession> sessions = new ArrayList<>();
    reader.forEach(
        (key, value) -> {
          if (!Keys.wellFormed(key) || Keys.kind(key) != Keys.HEAD) {
            Instant written = Instant.ofEpochMilli(Records.writtenMillis(key, value));
            String id = Keys.id(key);
            int last = sessions.size() - 1;
            OpenSession known = last < 0 ? null : sessions.get(last);
            // events come in their order, before snapshots
            String event = Keys.kind(key) == Keys.EVENT ? Records.manifest(key, value) : "";
            if (known == null || !known.persistenceId().equals(id)) {
              sessions.add(new OpenSession(id, written, event));
            } else {
              sessions.set(
                  last,
                  new OpenSession(
                      id,
                      written.isAfter(known.lastWrite()) ? written : known.lastWrite(),
                      event.isEmpty() ? known.lastEvent() : event));
            }
          }
          return true;
        });
    return sessions;
  }

  /** What there is to say about it to an operator. */
  public JournalStatus status() {
    return new JournalStatus(
        database.settings().directory(),
        database.engine().name().toLowerCase(Locale.ROOT),
        database.batches(),
        database.waiting(),
        database.failure());
  }

  /** Completes when the actor system has terminated and the directory is free again. */
  public CompletionStage<Void> whenClosed() {
    return closed.minimalCompletionStage();
  }

  Database database() {
    return database;
  }
}
