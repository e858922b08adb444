package io.theseus.names;

import io.theseus.store.FileStore;
import io.theseus.store.Named;
import io.theseus.store.VersionClock;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Goes through all names of this node with each node that it meets, and lets go of what that one
 * has something newer for. Until it is done a name is asked about before it is served.
 *
 * <p>Both do so, each with its own names. What is committed meanwhile is announced to both, because
 * a node answers only whom it can reach itself.
 */
final class Comparison implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Comparison.class);
  private static final int BATCH_BYTES = 64 << 10; // messages of actors are bounded
  private static final int VERSION_BYTES = 64;
  private static final int DOUBTFUL_BATCH = 200;

  /** For so long behind the begin nodes may be there that nobody has met yet. */
  private static final long YOUNG_NANOS = Duration.ofSeconds(5).toNanos();

  private final Names names;
  private final FileStore store;
  private final Absence absence;
  private final ExecutorService thread;

  /** Nodes that can be reached, by the number of their meeting; 0 once all is compared. */
  private final Map<String, Long> met = new HashMap<>();

  private long meetings;
  private volatile long begun = System.nanoTime();

  /** Nodes that were met and not compared with. */
  private volatile int open;

  /** Nodes that were compared with. */
  private volatile int done;

  /** The comparison is not with that node any more. */
  private static final class OverException extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  Comparison(Names names, FileStore store, Absence absence) {
    this.names = names;
    this.absence = absence;
    this.store = store;
    this.thread =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread made = new Thread(task, names.settings().nodeId() + "-names");
              made.setDaemon(true);
              return made;
            });
  }

  /** Whether nothing has to be asked about that is here. */
  boolean isSettled() {
    return open == 0 && (done == names.others().size() || System.nanoTime() - begun > YOUNG_NANOS);
  }

  synchronized long meetings() {
    return meetings;
  }

  synchronized void met(String node) {
    long meeting = ++meetings;
    met.put(node, meeting);
    count();
    try {
      thread.execute(() -> compare(node, meeting));
    } catch (RejectedExecutionException e) {
      LOG.debug("closed", e);
    }
  }

  synchronized void lost(String node) {
    met.remove(node);
    count();
  }

  /** Nobody is known to be there. */
  synchronized void forgetAll() {
    met.clear();
    begun = System.nanoTime();
    count();
  }

  private void count() {
    open = (int) met.values().stream().filter(meeting -> meeting != 0).count();
    done = met.size() - open;
  }

  private synchronized boolean isOn(String node, long meeting) {
    return Long.valueOf(meeting).equals(met.get(node));
  }

  private synchronized void finished(String node, long meeting) {
    if (isOn(node, meeting)) {
      met.put(node, 0L);
      count();
      lookAtDoubtful();
    }
  }

  /** Once all nodes are compared with, and have said what they have forgotten. */
  synchronized void lookAtDoubtful() {
    if (absence.since().isPresent()
        && done == names.others().size()
        && absence.knows(names.others())) {
      try {
        thread.execute(this::setAsideDoubtful);
      } catch (RejectedExecutionException e) {
        LOG.debug("closed", e);
      }
    }
  }

  /**
   * What was here before this node was away, and nobody has: it may have been deleted meanwhile.
   */
  private void setAsideDoubtful() {
    if (absence.since().isEmpty()) {
      return;
    }
    List<Named> batch = new ArrayList<>();
    try {
      store.forEachFile(
          (file, size) -> {
            if (absence.isDoubtful(VersionClock.time(file.version()), names.others())) {
              batch.add(file);
            }
            if (batch.size() >= DOUBTFUL_BATCH) {
              setAside(batch);
            }
          });
      setAside(batch);
      absence.end();
    } catch (OverException e) {
      LOG.debug("looked at again when all nodes are compared with");
    } catch (IOException | RuntimeException e) {
      LOG.warn("old files can't be looked at: {}", String.valueOf(e));
    }
  }

  private void setAside(List<Named> batch) {
    List<Named> files = List.copyOf(batch);
    batch.clear();
    Holders holders = names.holders(files).toCompletableFuture().join();
    if (!holders.silent().isEmpty()) {
      throw new OverException();
    }
    for (Holders.Held each : holders.files()) {
      if (each.keeping().isEmpty() && each.leaving().isEmpty() && !each.old()) {
        try {
          store.setAside(each.file().name(), each.file().version());
        } catch (ProtocolException e) {
          throw new CompletionException(e);
        }
      }
    }
  }

  private void compare(String node, long meeting) {
    List<Remote.Versioned> batch = new ArrayList<>();
    int[] bytes = new int[1];
    long[] counts = new long[2];
    try {
      store.forEachFile(
          (file, size) -> {
            String name = file.name().value();
            batch.add(new Remote.Versioned(name, file.version()));
            bytes[0] += name.length() * 3 + VERSION_BYTES;
            counts[0]++;
            if (bytes[0] >= BATCH_BYTES) {
              counts[1] += compare(node, meeting, batch);
              batch.clear();
              bytes[0] = 0;
            }
          });
      if (!batch.isEmpty()) {
        counts[1] += compare(node, meeting, batch);
      }
      LOG.info("{} names compared with node {}: {} were old", counts[0], node, counts[1]);
      finished(node, meeting);
    } catch (OverException e) {
      LOG.debug("no longer compared with {}", node);
    } catch (IOException | RuntimeException e) {
      LOG.warn("names can't be compared with node {}: {}", node, String.valueOf(e));
    }
  }

  private int compare(String node, long meeting, List<Remote.Versioned> batch) {
    List<Remote.Versioned> names = List.copyOf(batch);
    Answers answers =
        this.names
            .ask(
                (id, from, replyTo) -> new Remote.Compare(id, from, names, replyTo),
                Set.of(node),
                /* patienceNanos= */ 0)
            .toCompletableFuture()
            .join();
    if (!isOn(node, meeting) || answers.answers().isEmpty()) {
      throw new OverException();
    }
    int old = 0;
    for (Remote.Answer each : answers.answers()) {
      if (each instanceof Remote.Newer newer) {
        for (Remote.NewerOne one : newer.names()) {
          old++;
          letGo(one);
        }
      } else if (each instanceof Remote.Failed failed) {
        throw new CompletionException(new ProtocolException(failed.code(), failed.reason()));
      }
    }
    return old;
  }

  /** Removes what is old here; on a thread that may wait. */
  void letGo(Remote.NewerOne one) {
    try {
      FileName name = FileName.parse(one.name());
      LOG.info(
          "{} is old: {} elsewhere", Texts.quote(one.name()), one.deleted() ? "deleted" : "newer");
      store.giveWay(name, one.version(), one.deleted());
    } catch (ProtocolException e) {
      throw new CompletionException(e);
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
