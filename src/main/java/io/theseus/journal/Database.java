package io.theseus.journal;

import io.theseus.journal.Change.Operation;
import io.theseus.journal.JournalSettings.Engine;
import io.theseus.steps.Steps;
import io.theseus.store.Fsync;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.BiPredicate;
import java.util.function.Function;
import org.iq80.leveldb.DB;
import org.iq80.leveldb.DBException;
import org.iq80.leveldb.DBIterator;
import org.iq80.leveldb.ReadOptions;
import org.iq80.leveldb.WriteBatch;
import org.iq80.leveldb.WriteOptions;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One open LevelDB database: a writer thread that commits what waits as one synced batch, and
 * readers.
 *
 * <p>Nothing is kept for a persistence id: the queue holds what is on its way to the disk, the
 * database the rest.
 */
final class Database implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Database.class);

  /*
   * The order of things.
   *
   * Writes take effect in the order in which they were submitted. A change that reads first (end of
   * an id, deletion) sees all before it: where the batch at hand already has a write of the same id
   * it is committed on its own first. Others go on into the same batch, so that the ends of a
   * thousand sessions are one sync.
   *
   * A future is completed only after the sync. A reader that must see what was submitted before it
   * (recovery of an actor whose former self had writes under way) waits for `written()`, an empty
   * change that goes through the queue.
   *
   * After a failed write nobody knows what is on the disk: pages that the kernel failed to write
   * are marked clean, so a second sync would succeed and prove nothing. Hence a database that
   * failed stays failed: it answers every write with the reason until it is opened again, and
   * opening reads from the disk. Reads go on. Only what is refused before anything was written
   * (no space, a full queue) fails by itself and may succeed the next time.
   *
   * LevelDB syncs the files that it writes and not the directory that they are in, so a log could
   * be gone after a power cut with all its synced records. The directory is synced by us after
   * opening, and whenever a batch went to a log that wasn't there at the last time, before anyone
   * hears of that batch.
   *
   * A native iterator must not outlive its database (that would crash the process): reads hold the
   * read lock, closing takes the write lock.
   */

  private static final ReadOptions READ = new ReadOptions().verifyChecksums(true).fillCache(true);
  private static final WriteOptions SYNCED = new WriteOptions().sync(true);

  private static final long WAKE_MILLIS = 100;

  /** Before any key; an iterator's plain "first" doesn't check for errors in leveldbjni. */
  private static final byte[] LEAST_KEY = {0};

  private final JournalSettings settings;
  private final Steps steps;
  private final DirectoryLock lock;
  private final DB db;
  private final Engine engine;
  private final BlockingQueue<Pending> queue;
  private final Thread writer;
  private final ReentrantReadWriteLock openness = new ReentrantReadWriteLock();
  private final Reader reader = new Reader();
  private volatile boolean closing;
  private boolean closed;
  private volatile @Nullable JournalException failure;
  private volatile long batches;
  private String newestSyncedLog = "";

  private record Pending(@Nullable Change change, CompletableFuture<Void> written) {}

  private Database(JournalSettings settings, Steps steps, DirectoryLock lock, LevelDb.Opened opened)
      throws IOException {
    this.settings = settings;
    this.steps = steps;
    this.lock = lock;
    this.db = opened.db();
    this.engine = opened.engine();
    this.queue = new ArrayBlockingQueue<>(settings.queueCapacity());
    this.writer = new Thread(this::writeAll, "theseus-journal-writer");
    writer.setDaemon(true);
  }

  /**
   * Opens a database, making its directory where there is none.
   *
   * @throws JournalCorruptException where it is damaged
   * @throws JournalException where it can't be opened, in use by another process for one
   */
  static Database open(JournalSettings settings, Steps steps) {
    Path directory = settings.directory();
    DirectoryLock lock = null;
    DB db = null;
    try {
      Files.createDirectories(directory);
      lock = DirectoryLock.take(directory);
      long rewritten = DirectoryCheck.pass(directory);
      checkSpaceToOpen(settings, rewritten);
      LevelDb.Opened opened = LevelDb.open(settings);
      db = opened.db();
      Database database = new Database(settings, steps, lock, opened);
      database.syncDirectory();
      database.writer.start();
      log.info("journal {}: open, LevelDB {}", directory, opened.engine());
      return database;
    } catch (IOException | RuntimeException | Error e) {
      close(db, lock);
      if (e instanceof JournalException || e instanceof Error) {
        throw sneaky(e);
      }
      String message = String.valueOf(e.getMessage());
      if (message.contains("Corruption")) {
        throw new JournalCorruptException(directory, directory + ": " + message, e);
      }
      throw new JournalException("journal " + directory + " can't be opened: " + e, e);
    }
  }

  /** Submits a change; the future completes when it is durable, or with a JournalException. */
  CompletableFuture<Void> write(Change change) {
    return submit(new Pending(change, new CompletableFuture<>()));
  }

  /** Completes when all that was submitted before is durable or has failed. */
  CompletableFuture<Void> written() {
    return submit(new Pending(null, new CompletableFuture<>()));
  }

  private CompletableFuture<Void> submit(Pending pending) {
    if (closing) {
      pending.written.completeExceptionally(closedException());
    } else if (!queue.offer(pending)) {
      pending.written.completeExceptionally(
          new JournalException(
              "journal "
                  + settings.directory()
                  + ": writes waiting: "
                  + queue.size()
                  + " (expected: < "
                  + settings.queueCapacity()
                  + ")"));
    } else if (closing && !writer.isAlive()) {
      // the writer may have ended between the two; completing twice does no harm
      pending.written.completeExceptionally(closedException());
    }
    return pending.written;
  }

  /**
   * Reads on the calling thread.
   *
   * @throws JournalCorruptException where a record or a block isn't what was written
   */
  <T> T read(Function<Reader, T> reading) {
    openness.readLock().lock();
    try {
      if (closed) {
        throw closedException();
      }
      return reading.apply(reader);
    } catch (Records.DamagedRecordException e) {
      throw new JournalCorruptException(
          settings.directory(), settings.directory() + ": " + e.getMessage(), e);
    } catch (DBException e) {
      throw new JournalCorruptException(
          settings.directory(), settings.directory() + " can't be read: " + e.getMessage(), e);
    } finally {
      openness.readLock().unlock();
    }
  }

  /** Synced batches since it was opened. */
  long batches() {
    return batches;
  }

  int waiting() {
    return queue.size();
  }

  Engine engine() {
    return engine;
  }

  JournalSettings settings() {
    return settings;
  }

  /** Why it takes no writes any more, or nothing. */
  Optional<String> failure() {
    JournalException reason = failure;
    return reason == null ? Optional.empty() : Optional.of(String.valueOf(reason.getMessage()));
  }

  /** Commits what waits, then closes; another process may open the directory when it returns. */
  @Override
  public void close() {
    closing = true;
    awaitWriter();
    openness.writeLock().lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      close(db, lock);
      log.info("journal {}: closed", settings.directory());
    } finally {
      openness.writeLock().unlock();
    }
  }

  /** What may be done with the database inside of {@link #read}. */
  final class Reader {
    private Reader() {}

    /** Visits keys from one on, before another, until the visitor says false. */
    void forEach(byte[] from, byte[] before, BiPredicate<byte[], byte[]> visitor) {
      try (DBIterator iterator = db.iterator(READ)) {
        iterator.seek(from);
        while (iterator.hasNext()) {
          Map.Entry<byte[], byte[]> entry = iterator.next();
          if (Arrays.compareUnsigned(entry.getKey(), before) >= 0
              || !visitor.test(entry.getKey(), entry.getValue())) {
            return;
          }
        }
      } catch (IOException e) {
        throw new DBException(e);
      }
    }

    /** Visits all keys. */
    void forEach(BiPredicate<byte[], byte[]> visitor) {
      byte[] last = new byte[0x10004];
      Arrays.fill(last, (byte) 0xff);
      forEach(LEAST_KEY, last, visitor);
    }

    /** The highest sequence number that an id ever had, its deleted events included, or 0. */
    long highestSequenceNr(String persistenceId) {
      long[] highest = {0};
      forEach(
          Keys.first(persistenceId),
          Keys.afterEvents(persistenceId),
          (key, value) -> {
            long number =
                Keys.kind(key) == Keys.HEAD
                    ? Records.highestSequenceNr(key, value)
                    : Keys.sequenceNr(key);
            highest[0] = Math.max(highest[0], number);
            return true;
          });
      return highest[0];
    }
  }

  // ---- the writer thread

  private void writeAll() {
    Batch batch = new Batch();
    while (true) {
      Pending next = closing ? queue.poll() : take();
      if (next == null) {
        return;
      }
      while (next != null) {
        batch.add(next);
        next = batch.isFull() ? null : queue.poll();
      }
      batch.commit();
    }
  }

  private Pending take() {
    while (true) {
      try {
        return queue.take();
      } catch (InterruptedException e) {
        // not ours: what ends the writer comes through the queue, and an interrupt that is passed
        // on closes the channel by which the directory is synced
        log.debug("journal {}: writer interrupted", settings.directory());
      }
    }
  }

  /** Wakes the writer by an empty change, as an interrupt would close files under its hands. */
  private void awaitWriter() {
    boolean interrupted = false;
    while (writer.isAlive()) {
      try {
        queue.offer(
            new Pending(null, new CompletableFuture<>()), WAKE_MILLIS, TimeUnit.MILLISECONDS);
        writer.join(WAKE_MILLIS);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** The writes that go to the disk together; empty again after each commit. */
  private final class Batch {
    private final List<Operation> operations = new ArrayList<>();
    private final List<CompletableFuture<Void>> waiting = new ArrayList<>();
    private final Set<String> ids = new HashSet<>();
    private long size;

    boolean isFull() {
      return size >= settings.batchBytes();
    }

    void add(Pending pending) {
      Change change = pending.change();
      if (change == null) {
        waiting.add(pending.written());
        return;
      }
      if (failure != null) {
        pending.written().completeExceptionally(failure);
        return;
      }
      if (change.readsFirst() && ids.contains(change.persistenceId())) {
        commit();
        add(pending);
        return;
      }
      try {
        for (Operation operation : read(change::operations)) {
          operations.add(operation);
          size += operation.size();
          ids.add(change.persistenceId());
        }
        waiting.add(pending.written());
      } catch (RuntimeException e) {
        pending.written().completeExceptionally(e);
      }
    }

    void commit() {
      JournalException refusal = operations.isEmpty() ? null : write();
      for (CompletableFuture<Void> written : waiting) {
        if (refusal == null) {
          written.complete(null);
        } else {
          written.completeExceptionally(refusal);
        }
      }
      operations.clear();
      waiting.clear();
      ids.clear();
      size = 0;
    }

    /** Writes and syncs; returns why it was refused or failed. */
    private @Nullable JournalException write() {
      try {
        JournalException refusal = refusalForSpace(size);
        if (refusal != null) {
          return refusal;
        }
        steps.at("journal.before-sync");
        try (WriteBatch batch = db.createWriteBatch()) {
          for (Operation operation : operations) {
            if (operation.value() == null) {
              batch.delete(operation.key());
            } else {
              batch.put(operation.key(), operation.value());
            }
          }
          db.write(batch, SYNCED);
        }
        syncDirectory();
        Fsync.requireStanding(settings.directory());
        countBatch();
        steps.at("journal.synced");
        return null;
      } catch (IOException | RuntimeException | Error e) {
        JournalException failed =
            new JournalException(
                "journal "
                    + settings.directory()
                    + ": failed, takes no writes until the node is started again: "
                    + e,
                e);
        failure = failed;
        log.error("{}", failed.getMessage(), e);
        return failed;
      }
    }
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // the writer thread alone counts
  private void countBatch() {
    batches++;
  }

  private @Nullable JournalException refusalForSpace(long batchBytes) throws IOException {
    long free = usableBytes(settings);
    long needed = settings.minFreeBytes() + 2 * batchBytes;
    if (free >= needed) {
      return null;
    }
    JournalException refusal =
        new JournalException(
            "journal "
                + settings.directory()
                + ": free space: "
                + free
                + " bytes (expected: >= "
                + needed
                + ")");
    log.error("{}", refusal.getMessage());
    return refusal;
  }

  /** Asked of the directory, not of its mount point, which a chroot can't see. */
  private static long usableBytes(JournalSettings settings) {
    return settings.directory().toFile().getUsableSpace();
  }

  /** Opening rewrites the live logs as tables, through mapped memory too. */
  private static void checkSpaceToOpen(JournalSettings settings, long rewritten)
      throws IOException {
    long free = usableBytes(settings);
    long needed = settings.minFreeBytes() / 4 + 2 * rewritten;
    if (free < needed) {
      throw new JournalException(
          "journal "
              + settings.directory()
              + ": free space to open it: "
              + free
              + " bytes (expected: >= "
              + needed
              + ")");
    }
  }

  private void syncDirectory() throws IOException {
    String newest = newestLog();
    if (newest.equals(newestSyncedLog)) {
      return;
    }
    try (FileChannel channel = FileChannel.open(settings.directory(), StandardOpenOption.READ)) {
      channel.force(true);
    }
    newestSyncedLog = newest;
  }

  private String newestLog() {
    String[] names = settings.directory().toFile().list((parent, name) -> name.endsWith(".log"));
    return names == null ? "" : Arrays.stream(names).max(String::compareTo).orElse("");
  }

  private JournalException closedException() {
    return new JournalException("journal " + settings.directory() + ": closed");
  }

  private static void close(@Nullable DB db, @Nullable DirectoryLock lock) {
    try {
      if (db != null) {
        db.close();
      }
    } catch (IOException | RuntimeException e) {
      log.error("journal: closing failed: {}", e.toString(), e);
    } finally {
      try {
        if (lock != null) {
          lock.close();
        }
      } catch (IOException e) {
        log.error("journal: closing its lock failed: {}", e.toString(), e);
      }
    }
  }

  private static RuntimeException sneaky(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return (RuntimeException) e;
  }
}
