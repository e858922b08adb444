package io.theseus.names;

import akka.actor.typed.ActorRef;
import io.theseus.steps.Steps;
import io.theseus.store.Entry;
import io.theseus.store.FileStat;
import io.theseus.store.FileStore;
import io.theseus.store.Listing;
import io.theseus.store.Named;
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
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The names of all nodes, as one of them sees them. Outlives actor systems. Its stages fail with
 * {@link ProtocolException} where the answer is a refusal; no method waits.
 *
 * <p>Nothing here keeps two commits of a name apart: versions do. One that has a condition ({@code
 * If-Identity}) takes the name for itself at one node, the first of all, so that no other one with
 * a condition decides at the same time; it looks, and takes the lowest version above what it found.
 * Whatever commits without a condition meanwhile has a version by the clock, so it comes behind.
 */
public final class Names implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Names.class);

  /** How long a node that can be reached, or was until now, may take to answer. */
  private static final long PATIENCE_NANOS = Duration.ofSeconds(2).toNanos();

  /** For how long another one may decide about a name, before a client is told to try again. */
  private static final Duration CLAIM_PATIENCE = Duration.ofSeconds(10);

  private static final Duration CLAIM_RETRY = Duration.ofMillis(50);

  /** A question that is not answered yet. */
  private static final class Asked {
    final CompletableFuture<Answers> answer = new CompletableFuture<>();
    private final Set<String> nodes;

    Asked(Set<String> nodes) {
      this.nodes = nodes;
    }

    /** Nobody answers it. */
    void giveUp() {
      answer.complete(new Answers(List.of(), nodes));
    }
  }

  /** What a node says of its sessions. */
  public interface Sessions {
    /** Whether it is here, running or kept. */
    boolean has(UUID session);

    /** Ends the connection of a GET here, as it has a newer one elsewhere. */
    CompletionStage<?> fence(UUID session);

    /** Whether the files of this node are on their way to others. */
    boolean isLeaving();
  }

  private final NamesSettings settings;
  private final Set<String> others;
  private final FileStore store;
  private final VersionClock versions;
  private final Executor disk;
  private final Steps steps;
  private final Supplier<Place> place;
  private final Absence absence;
  private final Comparison comparison;
  private volatile @Nullable Sessions sessions;
  private volatile @Nullable ActorRef<NamesActor.Command> actor;

  /** Where clients reach those that can be reached, by their ids. */
  private final TreeMap<String, Place> places = new TreeMap<>();

  private volatile List<Place> reachable = List.of();

  private final Set<Asked> open = ConcurrentHashMap.newKeySet();

  /**
   * The names of a node.
   *
   * @param place where clients reach this node, as far as that is known by now
   */
  public Names(
      NamesSettings settings,
      FileStore store,
      VersionClock versions,
      Executor disk,
      Steps steps,
      Supplier<Place> place) {
    this.settings = settings;
    this.others =
        settings.nodes().stream()
            .filter(node -> !node.equals(settings.nodeId()))
            .collect(Collectors.toUnmodifiableSet());
    this.store = store;
    this.versions = versions;
    this.disk = disk;
    this.steps = steps;
    this.place = place;
    this.absence =
        Absence.in(settings.directory(), settings.tombstones(), others, Clock.systemUTC());
    this.comparison = new Comparison(this, store, absence);
  }

  /** Says what sessions there are; before anybody asks. */
  public void serve(Sessions of) {
    sessions = of;
  }

  /** Whether there is no other node. */
  public boolean isAlone() {
    return others.isEmpty();
  }

  /** Whether all that is here is what the cluster knows: nothing has to be asked to serve it. */
  public boolean isSettled() {
    return isAlone() || (absence.since().isEmpty() && comparison.isSettled());
  }

  /** Nodes that can't be reached. */
  public Set<String> missing() {
    Set<String> missing = new TreeSet<>(others);
    reachable.forEach(each -> missing.remove(each.node()));
    return missing;
  }

  /** Rises when a node can be reached that could not be. */
  public long meetings() {
    return comparison.meetings();
  }

  /** Where clients reach the nodes that this one can, itself left out. */
  public List<Place> reachable() {
    return reachable;
  }

  // ---- asking

  /**
   * Where a name is: here, or at a node with something newer, or something at all. What is here and
   * older goes.
   */
  public CompletionStage<Location> locate(FileName name) {
    return onDisk(() -> sound(name)).thenCompose(here -> locate(name, here));
  }

  /** What is here of a name and may be served; a rotten file is none. */
  private Entry sound(FileName name) throws ProtocolException {
    Entry entry = store.entry(name);
    return entry.kind() == Entry.Kind.FILE && store.contents().isRotten(name) ? Entry.NONE : entry;
  }

  private CompletionStage<Location> locate(FileName name, Entry here) {
    if (here.kind() == Entry.Kind.LIVE || (isSettled() && here.kind() == Entry.Kind.FILE)) {
      return CompletableFuture.completedFuture(Location.HERE);
    }
    return find(name, Optional.empty(), /* upload= */ false)
        .thenCompose(
            answers -> {
              Optional<Remote.Known> best = newest(answers);
              boolean newer =
                  best.isPresent()
                      && (here.kind() == Entry.Kind.NONE
                          || best.get().version().compareTo(here.version()) > 0);
              if (newer) {
                Remote.Known there = best.get();
                boolean deleted = there.kind() == Entry.Kind.DELETED;
                CompletionStage<Entry> gone =
                    here.kind() == Entry.Kind.FILE
                        ? onDisk(() -> store.giveWay(name, there.version(), deleted))
                        : CompletableFuture.completedFuture(here);
                return gone.thenCompose(
                    left ->
                        deleted
                            ? failed(nothing(name, silent(answers)))
                            : CompletableFuture.completedFuture(
                                new Location(
                                    Optional.of(there.place()), Optional.of(stat(name, there)))));
              }
              if (isDoubtful(here) && !isElsewhere(here, answers)) {
                return doubtful(name, here, silent(answers));
              }
              return here.kind() == Entry.Kind.FILE || store.contents().isRotten(name)
                  ? CompletableFuture.completedFuture(Location.HERE)
                  : failed(nothing(name, silent(answers)));
            });
  }

  /** Whether it may have been deleted while this node was away, and nobody knows that any more. */
  private boolean isDoubtful(Entry here) {
    return here.kind() == Entry.Kind.FILE
        && absence.isDoubtful(VersionClock.time(here.version()), others);
  }

  private static boolean isElsewhere(Entry here, Answers answers) {
    return answers.answers().stream()
        .anyMatch(
            each ->
                each instanceof Remote.Known known
                    && known.kind() == Entry.Kind.FILE
                    && known.version().equals(here.version()));
  }

  private CompletionStage<Location> doubtful(FileName name, Entry here, Set<String> silent) {
    return silent.isEmpty()
        ? onDisk(() -> store.setAside(name, here.version()))
            .thenCompose(any -> failed(nothing(name, silent)))
        : failed(
            new ProtocolException(
                ErrorCode.BUSY,
                Texts.quote(name.value())
                    + " may have been deleted while this node was away, since "
                    + absence.since().map(Instant::toString).orElse("")
                    + ", and may be on "
                    + list(silent)
                    + " (expected: all nodes can be reached; try again)"));
  }

  /** What all that can be reached say of a name. */
  private CompletionStage<Answers> find(FileName name, Optional<UUID> session, boolean upload) {
    return ask(
            (id, from, replyTo) ->
                new Remote.Find(id, from, name.value(), session, upload, replyTo),
            others,
            PATIENCE_NANOS)
        .thenApply(
            answers -> {
              for (Remote.Answer each : answers.answers()) {
                if (each instanceof Remote.Known known) {
                  versions.see(known.version());
                }
              }
              return answers;
            });
  }

  /** The newest of what is known: of several nodes that have it, any. */
  private static Optional<Remote.Known> newest(Answers answers) {
    List<Remote.Known> known =
        answers.answers().stream()
            .filter(Remote.Known.class::isInstance)
            .map(Remote.Known.class::cast)
            .filter(each -> each.kind() != Entry.Kind.NONE)
            .toList();
    Optional<String> highest =
        known.stream().map(Remote.Known::version).max(Comparator.naturalOrder());
    List<Remote.Known> best =
        known.stream().filter(each -> highest.equals(Optional.of(each.version()))).toList();
    return best.isEmpty()
        ? Optional.empty()
        : Optional.of(best.get(ThreadLocalRandom.current().nextInt(best.size())));
  }

  /** Nodes of which is not known what they know. */
  private static Set<String> silent(Answers answers) {
    Set<String> silent = new TreeSet<>(answers.silent());
    answers.answers().stream()
        .filter(each -> !(each instanceof Remote.Known))
        .forEach(each -> silent.add(each.node()));
    return silent;
  }

  private static ProtocolException nothing(FileName name, Set<String> silent) {
    return silent.isEmpty()
        ? new ProtocolException(
            ErrorCode.NOT_FOUND,
            Texts.quote(name.value())
                + ": no node has it (expected: a name that `theseus ls` shows)")
        : new ProtocolException(
            ErrorCode.BUSY,
            Texts.quote(name.value())
                + " is not here, and may be on "
                + list(silent)
                + " (expected: all nodes can be reached; try again)");
  }

  static String list(Set<String> nodes) {
    return (nodes.size() == 1 ? "node " : "nodes ") + String.join(", ", new TreeSet<>(nodes));
  }

  private static FileStat stat(FileName name, Remote.Known known) {
    return new FileStat(name, known.size(), known.identity(), known.modified(), known.sha256());
  }

  /** Size, identity and time of a file or live source, wherever it is. */
  public CompletionStage<FileStat> stat(FileName name) {
    return isAlone()
        ? onDisk(() -> store.stat(name))
        : locate(name)
            .thenCompose(
                where ->
                    where.stat().isPresent()
                        ? CompletableFuture.completedFuture(where.stat().get())
                        : onDisk(() -> store.stat(name)));
  }

  /**
   * What is known of a name that is to be an upload's.
   *
   * @param session that the client named; one that is here is not looked for
   */
  public CompletionStage<Standing> standing(FileName name, Optional<UUID> session) {
    return find(name, session, /* upload= */ true)
        .thenCombine(
            onDisk(() -> store.entry(name)), (answers, here) -> standing(name, answers, here));
  }

  private static Standing standing(FileName name, Answers answers, Entry here) {
    Optional<Place> holder = Optional.empty();
    Optional<String> obstacle = Optional.empty();
    Entry newest = here;
    for (Remote.Answer each : answers.answers()) {
      if (each instanceof Remote.Known known) {
        if (known.hasSession()) {
          holder = Optional.of(known.place());
        }
        if (!known.obstacle().isEmpty()) {
          obstacle = Optional.of(known.obstacle() + ", on node " + known.node());
        }
        if (known.version().compareTo(newest.version()) > 0) {
          newest =
              new Entry(
                  known.kind(),
                  known.version(),
                  known.kind() == Entry.Kind.FILE
                      ? Optional.of(stat(name, known))
                      : Optional.empty());
        }
      }
    }
    return new Standing(newest, holder, obstacle, silent(answers));
  }

  /** Ends the connections that a session has at other nodes, as far as they answer in time. */
  public CompletionStage<Void> fence(UUID session) {
    return ask(
            (id, from, replyTo) -> new Remote.Fence(id, from, session, replyTo),
            others,
            PATIENCE_NANOS)
        .thenApply(answers -> null);
  }

  /**
   * A page of names that takes at most {@code maxBytes} as text, of all nodes that can be reached.
   */
  public CompletionStage<ClusterListing> list(String prefix, Optional<String> after, int maxBytes) {
    if (isAlone()) {
      return onDisk(
          () -> {
            Listing page = store.list(prefix, after, maxBytes);
            return new ClusterListing(page.entries(), page.more(), Set.of());
          });
    }
    CompletionStage<Remote.Page> here =
        onDisk(() -> page(0, store.list(prefix, after, maxBytes)))
            .thenCompose(
                page -> isSettled() ? CompletableFuture.completedFuture(page) : upToDate(page));
    CompletionStage<Answers> there =
        ask(
            (id, from, replyTo) -> new Remote.ListNames(id, from, prefix, after, maxBytes, replyTo),
            others,
            PATIENCE_NANOS);
    return here.thenCombine(there, (page, answers) -> Pages.merge(page, answers, maxBytes))
        .thenCompose(
            merged ->
                merged.isEmptyPage()
                    ? list(prefix, merged.through(), maxBytes)
                    : CompletableFuture.completedFuture(merged.listing()));
  }

  private Remote.Page page(long id, Listing page) throws ProtocolException {
    List<FileStat> entries = page.entries();
    Optional<String> through =
        page.more() && !entries.isEmpty()
            ? Optional.of(entries.get(entries.size() - 1).name().value())
            : Optional.empty();
    return new Remote.Page(id, settings.nodeId(), rows(page), through);
  }

  private List<Remote.Row> rows(Listing page) throws ProtocolException {
    List<Remote.Row> rows = new ArrayList<>();
    for (FileStat each : page.entries()) {
      Entry entry = store.entry(each.name());
      if (entry.kind() == Entry.Kind.FILE || entry.kind() == Entry.Kind.LIVE) {
        rows.add(
            new Remote.Row(
                each.name().value(),
                each.size(),
                each.identity(),
                each.modified(),
                entry.version()));
      }
    }
    return rows;
  }

  /** The same without those of which a node knows something newer. */
  private CompletionStage<Remote.Page> upToDate(Remote.Page page) {
    List<Remote.Versioned> names =
        page.rows().stream()
            .filter(row -> !row.version().isEmpty())
            .map(row -> new Remote.Versioned(row.name(), row.version()))
            .toList();
    return ask(
            (id, from, replyTo) -> new Remote.Compare(id, from, names, replyTo),
            others,
            PATIENCE_NANOS)
        .thenApply(
            answers -> {
              Set<String> old = new TreeSet<>();
              for (Remote.Answer each : answers.answers()) {
                if (each instanceof Remote.Newer newer) {
                  newer.names().forEach(one -> old.add(one.name()));
                }
              }
              return new Remote.Page(
                  page.id(),
                  page.node(),
                  page.rows().stream().filter(row -> !old.contains(row.name())).toList(),
                  page.through());
            });
  }

  /**
   * On which other nodes files are that are here. Those of which there is something newer go.
   *
   * @return as many as were asked for, in the same order
   */
  public CompletionStage<Holders> holders(List<Named> files) {
    List<Remote.Versioned> names =
        files.stream()
            .map(each -> new Remote.Versioned(each.name().value(), each.version()))
            .toList();
    return ask(
            (id, from, replyTo) -> new Remote.Compare(id, from, names, replyTo),
            others,
            /* patienceNanos= */ 0)
        .thenCompose(
            answers ->
                onDisk(
                    () -> {
                      letGoOfOld(answers);
                      return Holders.of(files, answers);
                    }));
  }

  private void letGoOfOld(Answers answers) {
    for (Remote.Answer each : answers.answers()) {
      if (each instanceof Remote.Newer newer) {
        newer.names().forEach(comparison::letGo);
      }
    }
  }

  /**
   * A version of a name has come to nodes that may not have had any, after a while: where there is
   * a newer one by now they have been told so too early, and are told again.
   */
  public CompletionStage<Void> recall(FileName name, String version) {
    return find(name, Optional.empty(), /* upload= */ false)
        .thenCombine(onDisk(() -> store.entry(name)), (answers, here) -> newest(answers, here))
        .thenCompose(
            newest ->
                newest.version().compareTo(version) > 0
                    ? tellAll(name, newest.version(), newest.kind() == Entry.Kind.DELETED)
                    : CompletableFuture.completedFuture(null));
  }

  private static Entry newest(Answers answers, Entry here) {
    return newest(answers)
        .filter(there -> there.version().compareTo(here.version()) > 0)
        .map(there -> new Entry(there.kind(), there.version(), Optional.empty()))
        .orElse(here);
  }

  // ---- changing

  /** The time of day, in ms since 1970. */
  public long millis() {
    return versions.millis();
  }

  /** A version above all that this node has seen, and the time of day. */
  public String next() {
    return versions.next();
  }

  /**
   * Takes a name for a session, so that no other one decides about it under a condition; until
   * {@link #unclaim}.
   */
  public CompletionStage<Void> claim(FileName name, UUID session) {
    return claim(name, session, System.nanoTime() + CLAIM_PATIENCE.toNanos());
  }

  private CompletionStage<Void> claim(FileName name, UUID session, long until) {
    return ask(
            (id, from, replyTo) -> new Remote.Claim(id, from, name.value(), session, replyTo),
            Set.of(first()),
            PATIENCE_NANOS)
        .thenCompose(
            answers -> {
              boolean granted =
                  answers.answers().stream()
                      .anyMatch(each -> each instanceof Remote.Claimed it && it.granted());
              if (granted) {
                return CompletableFuture.completedFuture(null);
              }
              if (answers.answers().isEmpty()) {
                return failed(unknowable(name, answers.silent()));
              }
              if (System.nanoTime() - until >= 0) {
                return failed(
                    new ProtocolException(
                        ErrorCode.BUSY,
                        Texts.quote(name.value())
                            + " is being decided about under another If-Identity (expected: one at"
                            + " a time; try again)"));
              }
              return CompletableFuture.supplyAsync(
                      () -> claim(name, session, until),
                      CompletableFuture.delayedExecutor(
                          CLAIM_RETRY.toMillis(), TimeUnit.MILLISECONDS, disk))
                  .thenCompose(again -> again);
            });
  }

  /** Gives back what {@link #claim} took. */
  public void unclaim(FileName name, UUID session) {
    var unused =
        ask(
            (id, from, replyTo) -> new Remote.Unclaim(id, from, name.value(), session, replyTo),
            Set.of(first()),
            PATIENCE_NANOS);
  }

  private String first() {
    return new TreeSet<>(settings.nodes()).first();
  }

  /**
   * Looks whether the name is what a client expects, while the name is claimed; gives the version
   * for what takes its place.
   *
   * @param identity of the file, or {@code none}
   */
  public CompletionStage<String> decide(FileName name, String identity) {
    return standing(name, Optional.empty())
        .thenCompose(
            found -> {
              Optional<ProtocolException> refusal = refusal(name, identity, found);
              return refusal.isPresent()
                  ? failed(refusal.get())
                  : CompletableFuture.completedFuture(versions.above(found.newest().version()));
            });
  }

  /** Why a name is not what a client expects, or nobody can know; empty where it is. */
  public static Optional<ProtocolException> refusal(
      FileName name, String identity, Standing found) {
    String there =
        found.newest().kind() == Entry.Kind.FILE
            ? found.newest().stat().map(FileStat::identity).orElse("none")
            : "none";
    if (!found.silent().isEmpty()) {
      return Optional.of(unknowable(name, found.silent()));
    }
    if (there.equals(identity)) {
      return Optional.empty();
    }
    return Optional.of(
        new ProtocolException(
            identity.equals("none") ? ErrorCode.EXISTS : ErrorCode.CHANGED,
            Texts.quote(name.value())
                + " has identity "
                + there
                + " (expected: "
                + identity
                + ")"));
  }

  private static ProtocolException unknowable(FileName name, Set<String> silent) {
    return new ProtocolException(
        ErrorCode.BUSY,
        "what "
            + Texts.quote(name.value())
            + " is can't be known while "
            + list(silent)
            + " can't be reached (expected: all nodes can be reached; try again, or without"
            + " If-Identity)");
  }

  /**
   * Tells all that can be reached that a version of a name is durable here; done when none of them
   * has an older one.
   */
  public CompletionStage<Void> announce(FileName name, String version) {
    return tellAll(name, version, /* deleted= */ false);
  }

  /** The same with the version that the name has now; nothing where this node has none. */
  public CompletionStage<Void> announce(FileName name) {
    return isAlone()
        ? CompletableFuture.completedFuture(null)
        : onDisk(() -> store.entry(name))
            .thenCompose(
                entry ->
                    entry.version().isEmpty()
                        ? CompletableFuture.completedFuture(null)
                        : tellAll(name, entry.version(), entry.kind() == Entry.Kind.DELETED));
  }

  private CompletionStage<Void> tellAll(FileName name, String version, boolean deleted) {
    return ask(
            (id, from, replyTo) ->
                new Remote.Supersede(id, from, name.value(), version, deleted, replyTo),
            others,
            /* patienceNanos= */ 0)
        .thenApply(
            answers -> {
              for (Remote.Answer each : answers.answers()) {
                if (each instanceof Remote.Failed failed) {
                  LOG.warn(
                      "node {} may have an old version of {}: {}",
                      failed.node(),
                      Texts.quote(name.value()),
                      failed.reason());
                }
              }
              steps.at("names.announced");
              return null;
            });
  }

  /** Removes a name, everywhere; gives the identity of what is gone. */
  public CompletionStage<String> delete(FileName name, Optional<String> ifIdentity) {
    if (isAlone()) {
      return onDisk(() -> store.delete(name, ifIdentity));
    }
    if (ifIdentity.isEmpty()) {
      return standing(name, Optional.empty())
          .thenCompose(found -> delete(name, found, versions.next()));
    }
    UUID claim = UUID.randomUUID();
    return claim(name, claim)
        .thenCompose(any -> standing(name, Optional.empty()))
        .thenCompose(
            found -> {
              boolean gone = found.newest().kind() != Entry.Kind.FILE;
              Optional<ProtocolException> refusal =
                  gone ? Optional.empty() : refusal(name, ifIdentity.get(), found);
              return refusal.isPresent()
                  ? failed(refusal.get())
                  : delete(name, found, versions.above(found.newest().version()));
            })
        .whenComplete((identity, failure) -> unclaim(name, claim));
  }

  private CompletionStage<String> delete(FileName name, Standing found, String version) {
    if (found.newest().kind() != Entry.Kind.FILE) {
      return failed(nothing(name, found.silent()));
    }
    String identity = found.newest().stat().map(FileStat::identity).orElseThrow();
    return onDisk(() -> store.supersede(name, version, /* deleted= */ true))
        .thenCompose(
            any -> {
              steps.at("delete.buried");
              return tellAll(name, version, /* deleted= */ true);
            })
        .thenApply(any -> identity);
  }

  // ---- answering

  /** Answers what another node asks, on a disk thread. */
  CompletionStage<Remote.Answer> answer(Remote.Question question) {
    Sessions here = sessions;
    if (question instanceof Remote.Fence fence) {
      return (here == null ? CompletableFuture.completedFuture(null) : here.fence(fence.session()))
          .handle((ended, failure) -> new Remote.Done(fence.id(), settings.nodeId()));
    }
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return answerNow(question);
          } catch (ProtocolException e) {
            return new Remote.Failed(question.id(), settings.nodeId(), e.code(), e.reason());
          }
        },
        disk);
  }

  private Remote.Answer answerNow(Remote.Question question) throws ProtocolException {
    String node = settings.nodeId();
    if (question instanceof Remote.Find find) {
      return known(find);
    } else if (question instanceof Remote.Supersede newer) {
      versions.see(newer.version());
      store.supersede(FileName.parse(newer.name()), newer.version(), newer.deleted());
      return new Remote.Done(newer.id(), node);
    } else if (question instanceof Remote.ListNames list) {
      Listing page = store.list(list.prefix(), list.after(), list.maxBytes());
      return page(list.id(), page);
    } else if (question instanceof Remote.Compare compare) {
      return compared(compare);
    }
    throw new IllegalArgumentException("question: " + question + " (expected: one of names)");
  }

  private Remote.Known known(Remote.Find find) throws ProtocolException {
    FileName name = FileName.parse(find.name());
    Entry entry = sound(name);
    Optional<FileStat> stat = entry.stat();
    return new Remote.Known(
        find.id(),
        settings.nodeId(),
        place(),
        entry.kind(),
        entry.version(),
        stat.map(FileStat::size).orElse(OptionalLong.empty()),
        stat.map(FileStat::identity).orElse(""),
        stat.flatMap(FileStat::modified),
        stat.flatMap(FileStat::sha256),
        find.session().isPresent() && has(find.session().get(), name),
        find.upload() ? store.obstacle(name).map(ProtocolException::reason).orElse("") : "");
  }

  private boolean has(UUID session, FileName name) throws ProtocolException {
    Sessions here = sessions;
    return (here != null && here.has(session)) || store.hasCompleted(session, name);
  }

  private Remote.Newer compared(Remote.Compare question) throws ProtocolException {
    Sessions here = sessions;
    boolean leaving = here != null && here.isLeaving(); // before the files are looked at
    List<Remote.NewerOne> newer = new ArrayList<>();
    List<Integer> same = new ArrayList<>();
    List<Remote.Versioned> names = question.names();
    for (int i = 0; i < names.size(); i++) {
      Remote.Versioned each = names.get(i);
      Entry entry = sound(FileName.parse(each.name()));
      int order = entry.version().compareTo(each.version());
      if (order > 0) {
        newer.add(
            new Remote.NewerOne(each.name(), entry.version(), entry.kind() == Entry.Kind.DELETED));
      } else if (order == 0 && entry.kind() == Entry.Kind.FILE) {
        same.add(i);
      }
    }
    return new Remote.Newer(question.id(), settings.nodeId(), newer, same, leaving);
  }

  // ---- for the actor and the comparison

  NamesSettings settings() {
    return settings;
  }

  Set<String> others() {
    return others;
  }

  /** When the last deletion was that this node knows no more. */
  Instant forgotten() {
    try {
      return store.forgottenDeletion();
    } catch (IOException e) {
      LOG.warn("which deletions are forgotten is not known: {}", e.getMessage());
      return Instant.ofEpochMilli(millis()); // any
    }
  }

  Place place() {
    return place.get();
  }

  /** Where clients reach a node, as it says. */
  synchronized void at(Place where, Instant forgotten) {
    absence.said(where.node(), forgotten);
    if (others.contains(where.node()) && !where.equals(places.put(where.node(), where))) {
      reachable = List.copyOf(places.values());
    }
    comparison.lookAtDoubtful();
  }

  private synchronized void forget(Predicate<String> nodes) {
    places.keySet().removeIf(nodes);
    reachable = List.copyOf(places.values());
  }

  void met(String node) {
    comparison.met(node);
  }

  void lost(String node) {
    forget(node::equals);
    comparison.lost(node);
  }

  CompletionStage<Answers> ask(NamesActor.Asking asking, Set<String> nodes, long patienceNanos) {
    ActorRef<NamesActor.Command> asked = actor;
    if (nodes.isEmpty()) {
      return CompletableFuture.completedFuture(new Answers(List.of(), Set.of()));
    }
    if (asked == null) {
      return CompletableFuture.completedFuture(new Answers(List.of(), nodes));
    }
    Asked question = new Asked(nodes);
    open.add(question);
    asked.tell(new NamesActor.Ask(asking, nodes, patienceNanos, question.answer));
    if (asked != actor) {
      question.giveUp(); // told to nobody, perhaps
    }
    return question.answer.whenComplete((answers, failure) -> open.remove(question));
  }

  /** Another voice than before: what that one was asked is not answered any more. */
  void spokenBy(ActorRef<NamesActor.Command> voice) {
    actor = voice;
    leave();
  }

  /** The actor system has ended: nobody can be asked. */
  public void orphaned() {
    actor = null;
    leave();
  }

  private void leave() {
    comparison.forgetAll();
    forget(any -> true);
    open.forEach(Asked::giveUp);
  }

  /** Remembers that other nodes are met, where they are; on a disk thread, now and then. */
  public void rememberMeeting() {
    if (!isAlone() && isSettled() && missing().size() < others.size()) {
      absence.note();
    }
  }

  /** Forgets deletions that are old enough; on a disk thread, now and then. */
  public void forgetDeleted() {
    try {
      int forgotten = store.forgetDeleted(settings.tombstones());
      if (forgotten > 0) {
        LOG.info("{} deletions are older than {}, and forgotten", forgotten, settings.tombstones());
      }
    } catch (IOException e) {
      LOG.warn("old deletions can't be forgotten: {}", e.getMessage());
    }
  }

  @Override
  public void close() {
    comparison.close();
  }

  private interface Task<T> {
    T run() throws ProtocolException;
  }

  private <T> CompletionStage<T> onDisk(Task<T> task) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return task.run();
          } catch (ProtocolException e) {
            throw new CompletionException(e);
          }
        },
        disk);
  }

  private static <T> CompletionStage<T> failed(ProtocolException refusal) {
    return CompletableFuture.failedFuture(refusal);
  }
}
