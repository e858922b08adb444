package io.theseus.repair;

import io.theseus.backup.Replicas;
import io.theseus.names.Holders;
import io.theseus.names.Names;
import io.theseus.store.Checked;
import io.theseus.store.Committed;
import io.theseus.store.Contents;
import io.theseus.store.FileStore;
import io.theseus.store.Named;
import io.theseus.store.VersionClock;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Goes through the files of a node once: one that is on too few nodes is copied to another, by the
 * first of those that have it; one of a node that is being emptied goes when it is on enough
 * others.
 */
final class Refill {
  private static final Logger LOG = LoggerFactory.getLogger(Refill.class);
  private static final int BATCH = 200;

  /** Files that are copied at once. */
  private static final int COPYING = 8;

  private final RepairSettings settings;
  private final FileStore store;
  private final Names names;
  private final Replicas replicas;
  private final Rate rate;
  private final ScheduledExecutorService timer;
  private final Clock clock;
  private final Semaphore slots = new Semaphore(COPYING);

  private final AtomicLong copiedFiles = new AtomicLong();
  private final AtomicLong copiedBytes = new AtomicLong();

  // of this round
  private final AtomicLong shortFiles = new AtomicLong();
  private final AtomicLong looked = new AtomicLong();
  private final AtomicLong left = new AtomicLong();
  private volatile boolean young;

  Refill(
      RepairSettings settings,
      FileStore store,
      Names names,
      Replicas replicas,
      Rate rate,
      ScheduledExecutorService timer,
      Clock clock) {
    this.settings = settings;
    this.store = store;
    this.names = names;
    this.replicas = replicas;
    this.rate = rate;
    this.timer = timer;
    this.clock = clock;
  }

  /** It can't go on: who was asked does not answer. */
  private static final class SilentException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    SilentException(Set<String> nodes) {
      super("no answer of " + new TreeSet<>(nodes));
    }
  }

  /** The node stops. */
  private static final class StopException extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  /**
   * Goes through all files.
   *
   * @param missing nodes whose files are taken for lost
   * @param leaving whether this node is being emptied
   * @return whether all are on as many nodes as are wanted, as far as can be done
   * @throws InterruptedException where the node stops
   */
  boolean round(Set<String> missing, boolean leaving) throws IOException, InterruptedException {
    shortFiles.set(0);
    looked.set(0);
    left.set(0);
    young = false;
    final long before = copiedFiles.get();
    List<Named> batch = new ArrayList<>();
    boolean whole = true;
    try {
      store.forEachFile(
          (file, size) -> {
            batch.add(file);
            if (batch.size() >= BATCH) {
              look(batch, missing, leaving);
            }
          });
      look(batch, missing, leaving);
    } catch (SilentException e) {
      LOG.info("files are not looked through: {}", e.getMessage());
      whole = false;
    } catch (StopException e) {
      throw new InterruptedException("the node stops");
    } finally {
      slots.acquire(COPYING); // those that are on their way
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
    return whole && !young && shortFiles.get() == 0 && left.get() == 0;
  }

  private void look(List<Named> batch, Set<String> missing, boolean leaving) {
    List<Named> files = List.copyOf(batch);
    batch.clear();
    if (files.isEmpty()) {
      return;
    }
    Holders holders = names.holders(files).toCompletableFuture().join();
    if (!missing.containsAll(holders.silent())) {
      throw new SilentException(holders.silent());
    }
    for (Holders.Held each : holders.files()) {
      looked.incrementAndGet();
      if (!each.old()) {
        look(each, leaving);
      }
    }
  }

  private void look(Holders.Held held, boolean leaving) {
    FileName name = held.file().name();
    int keep = held.keeping().size() + (leaving ? 0 : 1);
    int wanted = settings.factor() + 1;
    try {
      if (keep >= wanted) {
        if (leaving && !store.letGo(name, held.file().version())) {
          left.incrementAndGet();
        }
        return;
      }
      if (leaving) {
        left.incrementAndGet();
      }
      if (isYoung(held.file().version())) {
        young = true;
        return;
      }
      if (!isFirst(held, leaving)) {
        shortFiles.incrementAndGet();
        return;
      }
      Set<String> holders = new HashSet<>(held.keeping());
      holders.addAll(held.leaving());
      copy(held.file(), wanted - keep, holders);
    } catch (ProtocolException e) {
      failed(name, e);
    } catch (InterruptedException e) {
      throw new StopException();
    }
  }

  private void failed(FileName name, ProtocolException why) {
    shortFiles.incrementAndGet();
    LOG.warn("{} is not copied: {}", Texts.quote(name.value()), why.getMessage());
  }

  /** Perhaps it is only just getting its name on the nodes. */
  private boolean isYoung(String version) {
    return VersionClock.time(version).plus(settings.after()).isAfter(clock.instant());
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
    slots.acquire();
    boolean begun = false;
    try {
      Optional<Committed> file = committed(named);
      if (file.isEmpty()) {
        shortFiles.incrementAndGet(); // something else by now, or it can't be known what it is
        return;
      }
      if (file.get().since().plus(settings.after()).isAfter(clock.instant())) {
        young = true;
        return;
      }
      Contents contents = store.contents();
      Paced original = new Paced(contents.original(file.get(), Optional.empty()), rate, timer);
      CompletionStage<Integer> copies =
          replicas.copy(original, file.get(), more, node -> !holders.contains(node));
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
      Checked checked = contents.check(named.name(), rate);
      file = contents.adopt(named.name(), checked);
    }
    return file.filter(each -> each.version().equals(named.version()));
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
        running,
        looked.get(),
        shortFiles.get(),
        copiedFiles.get(),
        copiedBytes.get(),
        left.get(),
        waitsFor);
  }
}
