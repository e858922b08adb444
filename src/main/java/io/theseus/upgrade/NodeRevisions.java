package io.theseus.upgrade;

import io.theseus.module.ModuleArchive;
import io.theseus.module.ModuleException;
import io.theseus.module.ModuleKeys;
import io.theseus.module.ModuleStore;
import io.theseus.module.Revision;
import io.theseus.module.RevisionDescription;
import io.theseus.module.RevisionStore;
import io.theseus.module.Revisions;
import io.theseus.module.Switchboard;
import io.theseus.session.Misbehaviour;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The revisions of one node: known (descriptions and jars on disk), staged, in force. Outlives
 * actor systems, as the sessions do that run them.
 */
public final class NodeRevisions implements RevisionHost, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(NodeRevisions.class);

  /** What was put here so recently may belong to an act that has not begun yet. */
  private static final Duration YOUNG = Duration.ofHours(1);

  /** For the coordinator to come first. */
  private static final Duration PAUSE_GRACE = Duration.ofSeconds(10);

  /** The sessions of the node, to be told of what changes for all of them. */
  public interface Sessions {
    /** Another revision is in force: those that nobody uses follow, too. */
    void follow();

    /** All of them are to stand still, or to go on. */
    void hold(boolean held);

    /**
     * A revision is tried and warm, and in force next: what sessions do then is practised.
     *
     * @throws ModuleException where its code can't
     */
    void practise(Revision next) throws ModuleException, InterruptedException;
  }

  /** Hears that too many sessions had to leave the code that a switch brought. */
  @FunctionalInterface
  public interface Alarm {
    /**
     * Called once for each switch.
     *
     * @param switchGeneration of it
     */
    void raised(long switchGeneration, String reason);
  }

  /** A revision that is being made ready. */
  private record Attempt(RevisionId id, Future<?> task) {}

  private final ModuleKeys keys;
  private final ModuleStore jars;
  private final RevisionStore descriptions;
  private final Revisions revisions;
  private final Switchboard switchboard;
  private final Sessions sessions;
  private final int mostMisbehavingPercent;
  private final Duration longestPause;
  private final Clock clock;
  private final ExecutorService staging;
  private final CountDownLatch published = new CountDownLatch(1);

  private volatile ModuleSource source = ModuleSource.NONE;
  private volatile Alarm alarm = (switchGeneration, reason) -> {};

  // Guarded by this.
  private final Map<RevisionId, Revision> staged = new HashMap<>();
  private @Nullable Attempt attempt;
  private @Nullable Course course;
  private long switchGeneration;
  private final Set<UUID> fallen = new HashSet<>();
  private boolean raised;
  private @Nullable Instant heldSince;

  /**
   * The revisions of a node.
   *
   * @param mostMisbehavingPercent of the sessions that run a revision: where the code fails for
   *     more, the alarm is raised
   * @param longestPause after which a node goes on where no other one is left to say so
   */
  public NodeRevisions(
      String node,
      ModuleKeys keys,
      ModuleStore jars,
      RevisionStore descriptions,
      Revisions.Limits limits,
      Switchboard switchboard,
      Sessions sessions,
      int mostMisbehavingPercent,
      Duration longestPause,
      Clock clock) {
    this.keys = keys;
    this.jars = jars;
    this.descriptions = descriptions;
    this.revisions = new Revisions(jars, limits);
    this.switchboard = switchboard;
    this.sessions = sessions;
    this.mostMisbehavingPercent = mostMisbehavingPercent;
    this.longestPause = longestPause;
    this.clock = clock;
    this.staging =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread thread = new Thread(task, node + "-staging");
              thread.setDaemon(true);
              return thread;
            });
  }

  /** What every node boots with. */
  public static RevisionId builtIn() {
    return id(RevisionDescription.standard());
  }

  /** What a description is known by. */
  public static RevisionId id(RevisionDescription description) {
    return new RevisionId(description.id(), description.name());
  }

  /** Where to get what is not here, from now on. */
  public void source(ModuleSource other) {
    source = other;
  }

  /** Who hears of code that fails too often, from now on. */
  public void alarm(Alarm other) {
    alarm = other;
  }

  /** Whether nothing was in force in this process yet. */
  boolean isFresh() {
    return published.getCount() > 0;
  }

  /** Waits until the node serves by a course; false where that takes longer. */
  public boolean awaitPublished(Duration patience) throws InterruptedException {
    return published.await(patience.toMillis(), TimeUnit.MILLISECONDS);
  }

  // ---- known

  /**
   * Takes a module in, if a pinned key signed it.
   *
   * @throws ModuleException why it is not taken
   */
  public ModuleArchive put(byte[] jar) throws IOException, ModuleException {
    ModuleArchive archive = ModuleArchive.read(jar);
    jars.put(keys.verify(archive, clock.instant()));
    return archive;
  }

  /** Keeps a description. */
  public RevisionId put(RevisionDescription description) throws IOException {
    descriptions.put(description);
    return id(description);
  }

  /** A description; empty where it isn't here. */
  public Optional<RevisionDescription> describe(RevisionId id) throws IOException {
    return descriptions.get(id.hash());
  }

  /** All descriptions that are here. */
  public List<RevisionDescription> known() throws IOException {
    List<RevisionDescription> all = new ArrayList<>(descriptions.list());
    all.add(RevisionDescription.standard());
    return all;
  }

  /** A jar or a description, for another node; empty where it isn't here. */
  public Optional<byte[]> bytes(String sha256) throws IOException {
    Optional<RevisionDescription> description = descriptions.get(sha256);
    if (description.isPresent()) {
      return description.map(each -> each.toJson().getBytes(StandardCharsets.UTF_8));
    }
    try {
      return jars.get(sha256).map(module -> module.archive().bytes());
    } catch (ModuleException e) {
      log.warn("{}", e.getMessage());
      return Optional.empty();
    }
  }

  /** Removes from the disk what none of these needs; what is young stays. */
  void retain(Collection<RevisionId> ids) {
    try {
      descriptions.retain(
          ids.stream().map(RevisionId::hash).toList(), clock.instant().minus(YOUNG));
      Set<String> needed = new HashSet<>();
      descriptions.list().forEach(each -> needed.addAll(each.jars()));
      jars.retain(needed, clock.instant().minus(YOUNG));
    } catch (IOException e) {
      log.warn("modules that nobody needs can't be removed: {}", e.getMessage());
    }
  }

  // ---- staged

  @Override
  public CompletionStage<Optional<String>> stage(RevisionId id) {
    CompletableFuture<Optional<String>> result = new CompletableFuture<>();
    synchronized (this) {
      if (staged.containsKey(id)) {
        return CompletableFuture.completedFuture(Optional.empty());
      }
      giveUpAttempt();
      attempt = new Attempt(id, staging.submit(() -> stage(id, result)));
    }
    return result;
  }

  private void stage(RevisionId id, CompletableFuture<Optional<String>> result) {
    try {
      result.complete(tryToStage(id));
    } finally {
      result.complete(Optional.of("staging broke off")); // an Error; nothing where it is answered
    }
  }

  private void giveUpAttempt() {
    if (attempt != null) {
      attempt.task().cancel(/* mayInterruptIfRunning= */ true);
      attempt = null;
    }
  }

  private Optional<String> tryToStage(RevisionId id) {
    try {
      Revision revision = make(id);
      synchronized (this) {
        if (Thread.interrupted()) { // given up when it was ready
          revision.giveUp();
          return Optional.of("given up");
        }
        staged.put(id, revision);
      }
      log.info("revision {} is ready", id);
      return Optional.empty();
    } catch (InterruptedException e) {
      return Optional.of("given up");
    } catch (ModuleException | IOException | RuntimeException e) {
      String reason = e.getMessage() == null ? e.toString() : e.getMessage();
      log.warn("revision {} can't be made ready: {}", id, Texts.escape(reason));
      return Optional.of(reason);
    }
  }

  private Revision make(RevisionId id) throws ModuleException, IOException, InterruptedException {
    RevisionDescription description = description(id);
    for (String jar : description.jars()) {
      if (jars.get(jar).isEmpty()) {
        put(fetch(jar, "module"));
      }
    }
    return practised(description);
  }

  private Revision practised(RevisionDescription description)
      throws ModuleException, IOException, InterruptedException {
    Revision revision = revisions.stage(description);
    boolean fit = false;
    try {
      if (!isFresh()) { // until then nobody is here to follow
        Codec.practise();
        sessions.practise(revision);
      }
      fit = true;
      return revision;
    } finally {
      if (!fit) {
        revision.giveUp();
      }
    }
  }

  private RevisionDescription description(RevisionId id)
      throws ModuleException, IOException, InterruptedException {
    Optional<RevisionDescription> known = descriptions.get(id.hash());
    if (known.isPresent()) {
      return known.get();
    }
    byte[] bytes = fetch(id.hash(), "description of the revision");
    RevisionDescription description;
    try {
      description = RevisionDescription.parse(new String(bytes, StandardCharsets.UTF_8));
    } catch (IllegalArgumentException e) {
      throw new ModuleException(String.valueOf(e.getMessage()));
    }
    descriptions.put(description);
    return description;
  }

  private byte[] fetch(String sha256, String what)
      throws ModuleException, IOException, InterruptedException {
    byte[] bytes =
        source
            .fetch(sha256)
            .orElseThrow(
                () ->
                    new ModuleException(
                        what + " " + sha256 + ": on no node (expected: on one that is reached)"));
    String found = ModuleKeys.sha256(bytes);
    if (!found.equals(sha256)) {
      throw new ModuleException(
          what + ": SHA-256 " + found + " was sent (expected: " + sha256 + ")");
    }
    return bytes;
  }

  /** Tries a revision, as staging does, and lets go of it. */
  public void tryOut(RevisionDescription description)
      throws ModuleException, IOException, InterruptedException {
    practised(description).retire();
  }

  // ---- in force

  @Override
  public void publish(long generation, Course next, Optional<RevisionId> stable) {
    boolean changes;
    boolean holds;
    synchronized (this) {
      changes = !next.runsAs(course);
      holds = course == null ? next.paused() : next.paused() != course.paused();
      if (changes) {
        Revision last = stable.map(this::ready).orElse(Revision.builtIn());
        switchboard.publish(ready(next.revision()), canary(next), last);
        fallen.clear();
        raised = false;
      }
      if (holds) {
        switchboard.pause(next.paused());
        heldSince = next.paused() ? clock.instant() : null;
      }
      course = next;
      switchGeneration = generation;
    }
    log.info("in force: {}", next); // before what sessions log of it
    if (changes) {
      sessions.follow();
    }
    if (holds) {
      sessions.hold(next.paused());
    }
    published.countDown();
  }

  private Optional<Switchboard.Canary> canary(Course of) {
    Canary canary = of.canary();
    return canary == null
        ? Optional.empty()
        : Optional.of(
            new Switchboard.Canary(
                ready(canary.revision()), Optional.ofNullable(canary.session()), canary.percent()));
  }

  private Revision ready(RevisionId id) {
    Revision revision = staged.get(id);
    if (revision == null) {
      throw new IllegalStateException(id + ": not staged");
    }
    return revision;
  }

  @Override
  public synchronized void keep(Set<RevisionId> kept) {
    if (attempt != null && !kept.contains(attempt.id())) {
      giveUpAttempt();
    }
    staged
        .entrySet()
        .removeIf(
            each -> {
              boolean goes = !kept.contains(each.getKey());
              if (goes) {
                each.getValue().retire();
              }
              return goes;
            });
  }

  // ---- misbehaving

  /** Code failed for a session, which runs the stable revision now. */
  public void heard(Misbehaviour misbehaviour) {
    String reason;
    long generation;
    synchronized (this) {
      Switchboard.Current current = switchboard.current();
      Revision revision = misbehaviour.revision();
      boolean serves =
          revision.equals(current.revision())
              || current.canary().filter(each -> each.revision().equals(revision)).isPresent();
      if (!serves || revision.isBuiltIn()) {
        return;
      }
      misbehaviour.session().ifPresent(fallen::add);
      int all = fallen.size() + revision.sessions();
      boolean few = fallen.size() * 100L <= (long) all * mostMisbehavingPercent;
      if (raised || (few && misbehaviour.session().isPresent())) {
        return;
      }
      raised = true;
      generation = switchGeneration;
      reason =
          misbehaviour.session().isPresent()
              ? fallen.size() + " of " + all + " sessions left it: " + misbehaviour.what()
              : "no session can go on with it: " + misbehaviour.what();
    }
    alarm.raised(generation, reason);
  }

  /** Looks for calls that hang, and for a pause that nobody ends: to be called often. */
  public void check() {
    if (endsLongPause()) {
      log.warn("held for {} s and told nothing: transfers go on", longestPause.toSeconds());
      sessions.hold(false);
    }
    List<Revision> all;
    synchronized (this) {
      all = List.copyOf(staged.values());
    }
    for (Revision each : all) {
      String hung = each.check();
      if (hung != null) {
        log.warn("revision {} is not called any more: {}", each, Texts.escape(hung));
      }
    }
  }

  /** The coordinator resumes all nodes by then; this is for a node that it can't reach. */
  private synchronized boolean endsLongPause() {
    boolean ends =
        heldSince != null
            && clock.instant().isAfter(heldSince.plus(longestPause).plus(PAUSE_GRACE));
    if (ends) {
      heldSince = null;
      switchboard.pause(false);
    }
    return ends;
  }

  @Override
  public void close() {
    staging.shutdownNow();
    keep(Set.of());
  }
}
