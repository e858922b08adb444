package io.theseus.repair;

import io.theseus.backup.Draining;
import io.theseus.names.Holders;
import io.theseus.store.Checked;
import io.theseus.store.Committed;
import io.theseus.store.Contents;
import io.theseus.store.FileStore;
import io.theseus.store.Named;
import io.theseus.store.Original;
import io.theseus.store.VersionClock;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Goes through the files of a node once: those that are known to have rotten are brought from other
 * nodes; one that is on too few nodes is copied to another, by the first of those that have it; one
 * of a node that is being emptied goes when it is on enough others.
 */
final class Refill {
  private static final Logger LOG = LoggerFactory.getLogger(Refill.class);
  private static final int BATCH = 200;

  /** Files that are copied at once. */
  private static final int COPYING = 8;

  /** Copies a file that has its name; see {@link io.theseus.backup.Replicas#copy}. */
  @FunctionalInterface
  interface Copying {
    CompletionStage<Integer> copy(
        Original original, Committed file, int more, Predicate<String> eligible);
  }

  private final RepairSettings settings;
  private final FileStore store;
  private final Where where;
  private final Copying copying;
  private final Mending mending;
  private final Draining draining;
  private final Stop stop;
  private final Rate rate;
  private final Paced.Timer timer;
  private final Clock clock;
  private final LongSupplier nanoTime;
  private final Semaphore slots = new Semaphore(COPYING);

  private final AtomicLong copiedFiles = new AtomicLong();
  private final AtomicLong copiedBytes = new AtomicLong();

  // of this round
  private final AtomicLong shortFiles = new AtomicLong();
  private final AtomicLong looked = new AtomicLong();
  private final AtomicLong left = new AtomicLong();

  /** Of this round, by the thread that does it. */
  private long waitedNanos;

  /** Whether some are to be looked at again before it can be said how they are. */
  private volatile boolean again;

  /**
   * What has not begun.
   *
   * @param draining says whether files may be let go of
   */
  Refill(
      RepairSettings settings,
      FileStore store,
      Where where,
      Copying copying,
      Mending mending,
      Draining draining,
      Stop stop,
      Rate rate,
      Paced.Timer timer,
      Clock clock,
      LongSupplier nanoTime) {
    this.settings = settings;
    this.store = store;
    this.where = where;
    this.copying = copying;
    this.mending = mending;
    this.draining = draining;
    this.stop = stop;
    this.rate = rate;
    this.timer = timer;
    this.clock = clock;
    this.nanoTime = nanoTime;
  }

  /** It can't go on, with what is known. */
  private static final class OverException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    OverException(String reason) {
      super(reason);
    }
  }

  /** The node stops. */
  private static final class StopException extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  /**
   * What came of it.
   *
   * @param whole whether all files are on as many nodes as are wanted
   * @param left files of a node that is being emptied that are here yet; -1 where not all were
   *     looked at
   */
  record Outcome(boolean whole, long left) {}

  /**
   * Goes through all files.
   *
   * @param missing nodes whose files are taken for lost
   * @param leaving whether this node is being emptied
   * @throws InterruptedException where the node stops
   */
  Outcome round(Set<String> missing, boolean leaving) throws IOException, InterruptedException {
    shortFiles.set(0);
    looked.set(0);
    left.set(0);
    again = false;
    waitedNanos = 0;
    if (!leaving) { // what comes to a node that is being emptied has to go again
      mend();
    }
    final long before = copiedFiles.get();
    List<Named> batch = new ArrayList<>();
    boolean all = true;
    try {
      store.forEachFile(
          (file, size) -> {
            batch.add(file);
            if (batch.size() >= BATCH) {
              look(batch, missing, leaving);
            }
          });
      look(batch, missing, leaving);
    } catch (OverException e) {
      LOG.info("files are not looked through: {}", e.getMessage());
      all = false;
    } catch (StopException e) {
      throw new InterruptedException("the node stops");
    } finally {
      acquire(COPYING); // those that are on their way
      slots.release(COPYING);
    }
    long copied = copiedFiles.get() - before;
    if (copied > 0 || shortFiles.get() > 0) {
      LOG.info(
          "{} files looked through: {} copies made, {} files are on fewer nodes than are wanted",
          looked.get(),
          copied,
          shortFiles.get());
    }
    boolean whole = all && !again && shortFiles.get() == 0 && left.get() == 0;
    return new Outcome(whole, all ? left.get() : -1);
  }

  /**
   * How much of the last round was no looking: copies and readings at their pace, files that other
   * nodes bring, answers that didn't come.
   */
  long waitedNanos() {
    return waitedNanos;
  }

  /**
   * A repair that failed when it was found to be rotten is tried again: others may be there now.
   */
  private void mend() throws InterruptedException {
    for (FileName name : store.contents().rotten()) {
      try {
        Optional<Committed> file = store.contents().committed(name);
        if (file.isPresent()) {
          long begun = nanoTime.getAsLong();
          Finding finding = mending.mend(name, file.get().version());
          waitedNanos += nanoTime.getAsLong() - begun;
          again |= !finding.reason().isEmpty();
        }
      } catch (ProtocolException e) {
        again = true; // it is another one by now, or none
      }
    }
  }

  private void acquire(int permits) throws InterruptedException {
    long begun = nanoTime.getAsLong();
    slots.acquire(permits);
    waitedNanos += nanoTime.getAsLong() - begun;
    if (stop.isStopped()) {
      slots.release(permits);
      throw new InterruptedException("the node stops");
    }
  }

  /** The node stops: copies that are on their way are not waited for. */
  void stopped() {
    slots.release(2 * COPYING);
  }

  private void look(List<Named> batch, Set<String> missing, boolean leaving) {
    List<Named> files = List.copyOf(batch);
    batch.clear();
    if (files.isEmpty()) {
      return;
    }
    try {
      for (Holders.Held each : leaving ? letGo(files, missing) : holders(files, missing)) {
        look(each, leaving);
      }
    } catch (InterruptedException e) {
      throw new StopException();
    }
  }

  private List<Holders.Held> holders(List<Named> files, Set<String> missing)
      throws InterruptedException {
    long begun = nanoTime.getAsLong();
    Holders holders = stop.await(where.holders(files));
    if (!missing.containsAll(holders.silent())) {
      waitedNanos += nanoTime.getAsLong() - begun;
      throw new OverException("no answer of " + new TreeSet<>(holders.silent()));
    }
    looked.addAndGet(files.size());
    return holders.files().stream().filter(each -> !each.old()).toList();
  }

  /** Lets go of those that are on enough other nodes, while that is fresh; gives the others. */
  private List<Holders.Held> letGo(List<Named> files, Set<String> missing)
      throws InterruptedException {
    if (!draining.beginLettingGo()) {
      throw new OverException("the node is not emptied any more");
    }
    try {
      List<Holders.Held> stay = new ArrayList<>();
      for (Holders.Held each : holders(files, missing)) {
        if (each.keeping().size() < wanted()) {
          stay.add(each);
        } else if (!letGo(each.file())) {
          left.incrementAndGet();
        }
      }
      return stay;
    } finally {
      draining.endLettingGo();
    }
  }

  private boolean letGo(Named file) {
    try {
      return store.letGo(file.name(), file.version());
    } catch (ProtocolException e) {
      LOG.warn("{} can't be let go of: {}", Texts.quote(file.name().value()), e.getMessage());
      return false;
    }
  }

  private int wanted() {
    return settings.factor() + 1;
  }

  private void look(Holders.Held held, boolean leaving) throws InterruptedException {
    FileName name = held.file().name();
    boolean rotten = store.contents().isRotten(name);
    int keep = held.keeping().size() + (leaving || rotten ? 0 : 1);
    try {
      if (keep >= wanted()) {
        return;
      }
      if (leaving) {
        left.incrementAndGet();
      }
      if (isYoung(held.file().version()) || !isFirst(held, leaving)) {
        again = true; // the first of those that have it says it where it can't be copied
        return;
      }
      if (rotten) {
        shortFiles.incrementAndGet();
        return;
      }
      Set<String> holders = new HashSet<>(held.keeping());
      holders.addAll(held.leaving());
      copy(held.file(), wanted() - keep, holders);
    } catch (ProtocolException e) {
      failed(name, e);
    }
  }

  private void failed(FileName name, ProtocolException why) {
    if (why.code() == ErrorCode.NOT_FOUND || why.code() == ErrorCode.BUSY) {
      again = true; // it is another one by now, or none
      return;
    }
    shortFiles.incrementAndGet();
    LOG.warn("{} is not copied: {}", Texts.quote(name.value()), why.getMessage());
  }

  /** Perhaps it is only just getting its name on the nodes. */
  private boolean isYoung(String version) {
    return isLately(VersionClock.time(version));
  }

  /** What is to come comes by a clock that was wrong: nobody waits for that. */
  private boolean isLately(Instant time) {
    return Duration.between(time, clock.instant()).abs().compareTo(settings.after()) < 0;
  }

  /**
   * Whether it is this node that sees to a file, of all that have it: the first of those that are
   * being emptied, since they look all the time; otherwise the first of all.
   */
  private boolean isFirst(Holders.Held held, boolean leaving) {
    Set<String> others = leaving ? held.leaving() : held.keeping();
    return (leaving || held.leaving().isEmpty())
        && others.stream().allMatch(other -> settings.nodeId().compareTo(other) < 0);
  }

  private void copy(Named named, int more, Set<String> holders)
      throws ProtocolException, InterruptedException {
    acquire(1);
    boolean begun = false;
    try {
      Optional<Committed> file = committed(named);
      if (file.isEmpty()) {
        return;
      }
      if (isLately(file.get().since())) {
        again = true;
        return;
      }
      Contents contents = store.contents();
      Original original =
          contents.original(file.get(), Optional.empty(), whole -> Paced.of(whole, rate, timer));
      CompletionStage<Integer> copies =
          copying.copy(original, file.get(), more, node -> !holders.contains(node));
      begun = true;
      var unused = copies.whenComplete((made, failure) -> ended(file.get(), more, made));
    } finally {
      if (!begun) {
        slots.release();
      }
    }
  }

  private Optional<Committed> committed(Named named)
      throws ProtocolException, InterruptedException {
    Contents contents = store.contents();
    Optional<Committed> file = contents.committed(named.name());
    if (file.isEmpty()) {
      long begun = nanoTime.getAsLong();
      Checked checked = contents.checkBeforeCopy(named.name(), rate);
      waitedNanos += nanoTime.getAsLong() - begun;
      file = contents.adopt(named.name(), checked);
      if (file.isEmpty()) {
        shortFiles.incrementAndGet(); // it can't be said with the file what it is
        return file;
      }
    }
    file = file.filter(each -> each.version().equals(named.version()));
    again |= file.isEmpty(); // something else by now
    return file;
  }

  private void ended(Committed file, int more, @Nullable Integer made) {
    int copies = made == null ? 0 : made;
    copiedFiles.addAndGet(copies);
    copiedBytes.addAndGet(copies * file.size());
    if (copies < more) {
      shortFiles.incrementAndGet();
    }
    slots.release();
  }

  RefillStatus status(boolean running, String waitsFor) {
    return new RefillStatus(
        running, looked.get(), shortFiles.get(), copiedFiles.get(), copiedBytes.get(), waitsFor);
  }
}
