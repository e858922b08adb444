package io.theseus.repair;

import io.theseus.backup.Backup;
import io.theseus.backup.Draining;
import io.theseus.backup.Replicas;
import io.theseus.names.Names;
import io.theseus.os.Native;
import io.theseus.store.Checked;
import io.theseus.store.Committed;
import io.theseus.store.Contents;
import io.theseus.store.DurableFile;
import io.theseus.store.FileStore;
import io.theseus.store.Original;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The upkeep of a node's files, by threads of its own that never hurry: copies of those that are on
 * too few nodes, readings of all of them by schedule and by an operator's word, and files that are
 * brought to other nodes, where they have rotten.
 */
public final class Repair implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Repair.class);
  private static final String SCRUBBED = "scrubbed";
  private static final int LEAST_PRIORITY = 19; // a nice value
  private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** Also where nothing is known to have changed. */
  private static final long INTERVAL_NANOS = TimeUnit.HOURS.toNanos(1);

  /** Between two rounds there is at least so much, and so many times what the last one looked. */
  private static final long LEAST_REST_NANOS = TimeUnit.SECONDS.toNanos(2);

  private static final int REST_TIMES = 10;

  /** What nobody asks about any more. */
  private static final long FORGET_NANOS = TimeUnit.MINUTES.toNanos(1);

  /** After a start others have more to do. */
  private static final long FIRST_SCRUB_NANOS = TimeUnit.MINUTES.toNanos(1);

  /** Asks other nodes. */
  @FunctionalInterface
  public interface Fellows {
    /** Has a node bring a file to this one; fails where the node can't be reached. */
    CompletionStage<Remote.Brought> bring(String node, String name, String version, String to);
  }

  /** What decides whether files are looked through. */
  private record Situation(
      long meetings,
      Set<String> missing,
      Set<String> backups,
      Set<String> leaving,
      long endedShort) {}

  private record Asked(String name, String version, String node) {}

  /** What comes of it; null before. */
  private static final class Answer {
    @Nullable String reason;
    long endedNanos;
  }

  private final RepairSettings settings;
  private final FileStore store;
  private final Names names;
  private final @Nullable Replicas replicas;
  private final @Nullable Draining draining;
  private final Fellows fellows;
  private final Clock clock;
  private final ScheduledExecutorService timer;

  /**
   * Reads for scrubs, and does nothing else: threads that one makes have its nice value, too, and
   * whoever asks other nodes may make some.
   */
  private final ThreadPoolExecutor idle;

  private final Rate refillRate;
  private final Rate scrubRate;
  private final Rate unlimited = new Rate(0, System::nanoTime);
  private final Mending mending;
  private final @Nullable Refill refill;
  private final Stop stop = new Stop();
  private final List<Thread> threads = new ArrayList<>();

  private volatile boolean refilling;

  /** Of a node that is being emptied; -1 until all files were looked at since. */
  private volatile long left = -1;

  private volatile String waitsFor = "";
  private volatile @Nullable Scrub scrub;

  // guarded by this
  private @Nullable Scrub verification;
  private final Map<Asked, Answer> bringing = new HashMap<>();

  /**
   * That of a node; nothing is done before {@link #start}.
   *
   * @param replicas null for a node that is alone, as draining
   */
  public Repair(
      RepairSettings settings,
      FileStore store,
      Names names,
      @Nullable Replicas replicas,
      @Nullable Draining draining,
      Fellows fellows,
      Clock clock) {
    this.settings = settings;
    this.store = store;
    this.names = names;
    this.replicas = replicas;
    this.draining = draining;
    this.fellows = fellows;
    this.clock = clock;
    this.timer = Executors.newSingleThreadScheduledExecutor(task -> thread("repair-timer", task));
    this.idle =
        new ThreadPoolExecutor(
            1,
            1,
            0,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task ->
                thread(
                    "scrub-reads",
                    () -> {
                      goLast();
                      task.run();
                    }));
    this.refillRate = new Rate(settings.refillBytes(), System::nanoTime);
    this.scrubRate = new Rate(settings.scrubBytes(), System::nanoTime);
    this.mending = new Mending(store, names::holders, this::bringHere, stop);
    this.refill =
        replicas == null || draining == null
            ? null
            : new Refill(
                settings,
                store,
                names::holders,
                (original, file, more, eligible) -> copy(replicas, original, file, more, eligible),
                mending,
                draining,
                stop,
                refillRate,
                this::later,
                clock,
                System::nanoTime);
  }

  private Thread thread(String what, Runnable task) {
    Thread made = new Thread(task, settings.nodeId() + "-" + what);
    made.setDaemon(true);
    return made;
  }

  private void later(Runnable task, long nanos) {
    try {
      var unused = timer.schedule(task, nanos, TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      LOG.debug("the node stops", e);
    }
  }

  /** Begins. */
  public void start() {
    if (refill != null) {
      run("refill", this::keepRefilling);
    }
    if (!settings.scrubEvery().isZero()) {
      idle.prestartCoreThread();
      run("scrub", this::keepScrubbing);
    }
  }

  /** What may end by the node's end. */
  private interface Work {
    void run() throws InterruptedException;
  }

  private synchronized void run(String what, Work work) {
    threads.removeIf(each -> !each.isAlive());
    Thread made =
        thread(
            what,
            () -> {
              try {
                work.run();
              } catch (InterruptedException e) {
                LOG.debug("{} ends", what, e);
              } catch (RuntimeException e) {
                LOG.error("{} ends, until the node is started again", what, e);
              }
            });
    threads.add(made);
    made.start();
  }

  /** Behind all others who want a processor. */
  private static void goLast() {
    try {
      Native.setNice(LEAST_PRIORITY);
    } catch (IOException e) {
      LOG.debug("files are read at the usual priority: {}", e.getMessage());
    }
  }

  // ---- refill

  private void keepRefilling() throws InterruptedException {
    Situation done = null;
    Set<String> missing = Set.of();
    long missingSince = System.nanoTime();
    long ended = 0;
    long rest = 0;
    boolean whole = true;
    while (true) {
      unlimited.pause(LOOK_NANOS);
      Situation now = situation();
      long time = System.nanoTime();
      if (!now.missing().equals(missing)) {
        missing = now.missing();
        missingSince = time;
      }
      boolean changed = !now.equals(done);
      long since = time - ended;
      boolean isDue =
          done == null
              || since > INTERVAL_NANOS
              || ((changed || !whole || isLeaving()) && since > rest)
              || (since > Math.max(rest, settings.after().toNanos()) && !rotten().isEmpty());
      boolean waits = !missing.isEmpty() && time - missingSince < settings.after().toNanos();
      waitsFor =
          waits && isDue && (settings.factor() > 0 || isLeaving())
              ? "for " + String.join(", ", new TreeSet<>(missing)) + ", which may come back"
              : "";
      if (!isDue || waits || !names.isSettled()) {
        continue;
      }
      refilling = true;
      boolean leaving = isLeaving();
      try {
        Refill.Outcome outcome = Objects.requireNonNull(refill).round(missing, leaving);
        whole = outcome.whole();
        done = now;
        left = leaving ? outcome.left() : -1;
      } catch (IOException | RuntimeException e) {
        LOG.warn("files can't be looked through for copies: {}", String.valueOf(e));
        whole = false;
        done = now;
        left = -1;
      } finally {
        refilling = false;
      }
      ended = System.nanoTime();
      long looking = ended - time - Objects.requireNonNull(refill).waitedNanos();
      rest = Math.max(LEAST_REST_NANOS, REST_TIMES * looking);
      if (!whole && !isLeaving()) {
        rest = Math.max(rest, settings.after().toNanos());
      }
    }
  }

  private Situation situation() {
    List<Backup> backups = replicas == null ? List.of() : replicas.seen();
    return new Situation(
        names.meetings(),
        names.missing(),
        backups.stream().map(Backup::node).collect(Collectors.toSet()),
        backups.stream().filter(Backup::draining).map(Backup::node).collect(Collectors.toSet()),
        replicas == null ? 0 : replicas.endedShort());
  }

  private boolean isLeaving() {
    return draining != null && draining.isOn();
  }

  /** Files of this node that are not on enough others while it is being emptied; -1: unknown. */
  public long left() {
    return isLeaving() ? left : -1;
  }

  /** How far files are on as many nodes as are wanted. */
  public RefillStatus refill() {
    Refill known = refill;
    return known == null ? RefillStatus.NONE : known.status(refilling, waitsFor);
  }

  // ---- scrub

  private void keepScrubbing() throws InterruptedException {
    long wait = FIRST_SCRUB_NANOS;
    while (true) {
      Instant due = scrubbed().plus(settings.scrubEvery());
      Duration left = Duration.between(clock.instant(), due);
      if (left.compareTo(settings.scrubEvery()) > 0) {
        left = settings.scrubEvery(); // the clock was wrong then, or is now
      }
      unlimited.pause(Math.max(wait, left.isNegative() ? 0 : left.toNanos()));
      wait = 0;
      Scrub next = new Scrub(store, this::checkIdly, mending, "", scrubRate);
      scrub = next;
      next.run();
      if (next.status().failure().isEmpty()) {
        scrubbedNow();
      } else {
        wait = INTERVAL_NANOS;
      }
    }
  }

  private Checked checkIdly(FileName name, Contents.Pacing pacing)
      throws ProtocolException, InterruptedException {
    try {
      return idle.submit(() -> store.contents().check(name, pacing)).get();
    } catch (RejectedExecutionException e) {
      throw new InterruptedException("the node stops");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof ProtocolException refusal) {
        throw refusal;
      } else if (e.getCause() instanceof InterruptedException) {
        throw new InterruptedException("the node stops");
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  /** When all files had been read last. */
  private Instant scrubbed() {
    try {
      return Instant.parse(Files.readString(settings.directory().resolve(SCRUBBED)).strip());
    } catch (NoSuchFileException e) {
      return Instant.EPOCH;
    } catch (IOException | DateTimeException e) {
      LOG.warn("when files were read last is not known: {}", e.getMessage());
      return Instant.EPOCH;
    }
  }

  private void scrubbedNow() {
    try {
      Files.createDirectories(settings.directory());
      DurableFile.replace(
          settings.directory(),
          SCRUBBED,
          ByteBuffer.wrap((clock.instant() + "\n").getBytes(StandardCharsets.UTF_8)));
    } catch (IOException e) {
      LOG.warn("that files were read can't be remembered: {}", e.getMessage());
    }
  }

  /** How far the reading by schedule is. */
  public ScrubStatus scrub() {
    Scrub known = scrub;
    return known == null ? ScrubStatus.NONE : known.status();
  }

  /** When the last one by schedule ended; empty before the first. */
  public Optional<Instant> lastScrub() {
    return Optional.of(scrubbed()).filter(at -> at.isAfter(Instant.EPOCH));
  }

  /** Begins to read files, as fast as the disk is. */
  synchronized Remote.Reading verify(String prefix) {
    Scrub known = verification;
    if (known != null && known.status().running()) {
      return new Remote.Reading(
          known.status(), "another one runs (expected: one at a time; wait for its end)");
    }
    Scrub begun = new Scrub(store, store.contents()::check, mending, prefix, unlimited);
    verification = begun;
    run("verify", begun::run);
    return new Remote.Reading(begun.status(), "");
  }

  /** How far the last reading by an operator's word is. */
  synchronized Remote.Reading verification() {
    Scrub known = verification;
    return known == null
        ? new Remote.Reading(ScrubStatus.NONE, "no file was to be read since its start")
        : new Remote.Reading(known.status(), "");
  }

  private String bringHere(String node, FileName name, String version) throws InterruptedException {
    while (true) {
      Remote.Brought answer;
      try {
        answer = stop.await(fellows.bring(node, name.value(), version, settings.nodeId()));
      } catch (CompletionException e) {
        Throwable cause = e.getCause() == null ? e : e.getCause();
        return String.valueOf(cause.getMessage());
      }
      if (!answer.running()) {
        return answer.reason();
      }
      unlimited.pause(LOOK_NANOS);
    }
  }

  // ---- what has rotten elsewhere

  /** Brings a file to a node, where it is sound here; begins, or says how far that is. */
  synchronized Remote.Brought bring(String name, String version, String node) {
    Asked asked = new Asked(name, version, node);
    Answer known = bringing.get(asked);
    if (known == null) {
      long now = System.nanoTime();
      bringing
          .values()
          .removeIf(each -> each.reason != null && now - each.endedNanos > FORGET_NANOS);
      Answer begun = new Answer();
      bringing.put(asked, begun);
      run("bring", () -> bring(asked, begun));
      return new Remote.Brought(true, "");
    }
    String reason = known.reason;
    if (reason == null) {
      return new Remote.Brought(true, "");
    }
    bringing.remove(asked);
    return new Remote.Brought(false, reason);
  }

  private void bring(Asked asked, Answer answer) throws InterruptedException {
    String reason = "it stops";
    try {
      reason = brought(asked);
    } catch (RuntimeException e) {
      LOG.error("{} can't be brought to node {}", Texts.quote(asked.name()), asked.node(), e);
      reason = String.valueOf(e);
    } finally {
      ended(answer, reason); // or it is asked about for ever
    }
  }

  /** A file may be replaced while it is copied. */
  private CompletionStage<Integer> copy(
      Replicas between, Original original, Committed file, int more, Predicate<String> eligible) {
    return between
        .copy(original, file, more, eligible)
        .thenCompose(
            copies ->
                copies == 0
                    ? CompletableFuture.completedFuture(0)
                    : names.recall(file.name(), file.version()).handle((any, failure) -> copies));
  }

  private synchronized void ended(Answer answer, String reason) {
    answer.reason = reason;
    answer.endedNanos = System.nanoTime();
  }

  private String brought(Asked asked) throws InterruptedException {
    Replicas between = replicas;
    if (between == null) {
      return "it is alone";
    }
    try {
      FileName name = FileName.parse(asked.name());
      Checked checked = store.contents().checkBeforeCopy(name, unlimited);
      Optional<Committed> file =
          checked.committed().filter(each -> each.version().equals(asked.version()));
      if (file.isEmpty()) {
        return "it has another version by now";
      }
      if (checked.isRotten()) {
        store.contents().condemn(name, checked);
        return "it is rotten there, too";
      }
      int copies =
          stop.await(
              copy(
                  between,
                  store.contents().original(file.get(), Optional.of(checked)),
                  file.get(),
                  1,
                  asked.node()::equals));
      return copies == 1 ? "" : "it can't be brought to node " + asked.node() + " now";
    } catch (ProtocolException e) {
      return e.code().label() + ": " + e.reason();
    }
  }

  /** Files that are known to be rotten. */
  public List<FileName> rotten() {
    return store.contents().rotten();
  }

  /** Ends what runs, and waits for that. */
  @Override
  public void close() {
    stop.stop();
    Refill known = refill;
    if (known != null) {
      known.stopped();
    }
    unlimited.close();
    refillRate.close();
    scrubRate.close();
    timer.shutdownNow();
    List<Thread> ending;
    synchronized (this) {
      ending = List.copyOf(threads);
    }
    idle.shutdown();
    for (Thread each : ending) {
      try {
        each.join(TimeUnit.SECONDS.toMillis(5));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}
