package io.theseus.backup;

import io.theseus.store.Original;
import io.theseus.store.Upload;
import io.theseus.wire.Epoch;
import io.theseus.wire.FileName;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The copies of one session, as its owner sees them. Outlives actors; the {@link Replicator} of the
 * moment alone changes it.
 */
public final class Replication {
  /** A copy on one backup. */
  static final class Replica {
    final String node;

    /**
     * The one whose place it takes once it has all that was acknowledged, and which counts until
     * then; null where it has a place of its own.
     */
    @Nullable Replica instead;

    /** Whether it has answered what the session is, in the life of its actor that we talk to. */
    boolean ready;

    long acked;

    /**
     * Where an old copy goes once this one is right: up to where its blocks are to be compared
     * before, all that was acknowledged when it first had that; -1 before.
     */
    long toVerify = -1;

    boolean toldToVerify;
    boolean verified;
    boolean sealed;
    boolean committed;

    /** What it was told last, and has not answered. */
    Remote.@Nullable OfSession told;

    long toldNanos;

    /** Since when it can't be reached behind the decision to commit; 0 where it can. */
    long lostNanos;

    private long progress;

    /** When it last got on, or had nothing to do. */
    long movedNanos;

    Replica(String node, long nowNanos) {
      this.node = node;
      this.movedNanos = nowNanos;
    }

    /** It is to be told what the session is, before all else. */
    void begin() {
      ready = false;
      told = null;
      toldToVerify = false;
    }

    /** There is an old copy more, which may have what this one was not compared for. */
    void compareAnew() {
      toVerify = -1;
      toldToVerify = false;
      verified = false;
    }

    /** Whether its blocks are known to be right; of all that is sealed, they are. */
    boolean isCompared() {
      return verified || sealed || committed;
    }

    /** {@link #begin}, to another life of it, or by another life of the Replicator. */
    void beginAnew(long nowNanos) {
      begin();
      movedNanos = nowNanos;
    }

    /** It says how far it is. */
    void is(long at, long nowNanos) {
      if (at > progress) {
        movedNanos = nowNanos;
      }
      progress = at;
    }
  }

  /** A choice of nodes that is being made. */
  static final class Round {
    /** Who decides. */
    final String policy;

    /** Nodes that shall have a copy, as far as they are chosen. */
    final List<String> wanted;

    Round(String policy, List<String> wanted) {
      this.policy = policy;
      this.wanted = new ArrayList<>(wanted);
    }
  }

  /**
   * How many of the copies that are wanted have all that was acknowledged.
   *
   * @param copies that have
   */
  public record Whole(int copies, int wanted) {
    /** Whether there are fewer than are wanted. */
    public boolean isShort() {
      return copies < wanted;
    }
  }

  /** Somebody who waits until so many bytes are durable on all copies. */
  private record Waiting(long goal, CompletableFuture<Long> answer) {}

  private final Replicas replicas;
  final UUID session;
  final Epoch epoch;
  final FileName name;
  final OptionalLong size;
  final Optional<Instant> modified;
  final long durable;
  private final Original original;

  /** Copies that are wanted. */
  final int factor;

  /** Nodes that may have one. */
  private final Predicate<String> eligible;

  /** Whether what is copied has its name already: then it is nobody's who waits for it. */
  final boolean named;

  // of the Replicator's actor
  final List<Replica> copies = new ArrayList<>();

  /** Nodes whose copy was lost, and until when (nanoTime) they are not chosen again. */
  final Map<String, Long> failed = new HashMap<>();

  /**
   * Nodes that may still have something of a copy that was lost: released when others have all, and
   * that is right.
   */
  final Set<String> stale = new HashSet<>();

  /**
   * Nodes that have copies of an earlier life of the owner: waited for a while, and taken first.
   */
  final Set<String> before = new HashSet<>();

  /** The choice that waits for its policy. */
  @Nullable Round round;

  /** Who decided where the copies are; null where that is to be asked anew. */
  @Nullable String chosenBy;

  /** All before it was acknowledged to the client, or may have been. */
  long acknowledged;

  private final List<Waiting> waiting = new ArrayList<>();
  private final CompletableFuture<Void> sealed = new CompletableFuture<>();
  private final CompletableFuture<Integer> committed = new CompletableFuture<>();
  long marked;
  Remote.@Nullable Seal seal;
  boolean committing;
  boolean released;

  private volatile Whole whole = new Whole(0, 0);
  private volatile Runnable onChange = () -> {};

  private volatile List<String> nodes = List.of();

  /** Of an upload. */
  Replication(Replicas replicas, Epoch epoch, Upload upload) {
    this(replicas, epoch, upload, replicas.settings().factor(), any -> true, /* named= */ false);
  }

  /**
   * Of a file that has its name.
   *
   * @param factor copies that are wanted
   * @param eligible nodes that may have one
   */
  Replication(
      Replicas replicas, Epoch epoch, Original file, int factor, Predicate<String> eligible) {
    this(replicas, epoch, file, factor, eligible, /* named= */ true);
  }

  private Replication(
      Replicas replicas,
      Epoch epoch,
      Original original,
      int factor,
      Predicate<String> eligible,
      boolean named) {
    this.replicas = replicas;
    this.session = original.session();
    this.epoch = epoch;
    this.name = original.name();
    this.size = original.size();
    this.modified = original.modified();
    this.durable = original.durable();
    this.acknowledged = durable;
    this.original = original;
    this.factor = factor;
    this.eligible = eligible;
    this.named = named;
  }

  // ---- by any thread

  /** Completes when all before an offset is durable on the copies, with how much is. */
  public CompletionStage<Long> sync(long offset) {
    CompletableFuture<Long> answer = new CompletableFuture<>();
    replicas.tell(new Replicator.Sync(this, offset, answer));
    return answer;
  }

  /**
   * Completes when all copies are whole and can't be refused any more.
   *
   * @param sha256 of what is stored
   * @param received SHA-256 of what the client sent, where known
   */
  public CompletionStage<Void> seal(
      long bytes, String sha256, Optional<String> received, String version) {
    replicas.tell(
        new Replicator.SealAll(
            this,
            new Remote.Seal(session, epoch, bytes, sha256, received, original.lastSum(), version)));
    return sealed;
  }

  /** Completes when all copies have their name, with how many there are. */
  public CompletionStage<Integer> commit() {
    replicas.tell(new Replicator.CommitAll(this));
    return committed;
  }

  /** Nothing is to be kept of it, nor waited for. */
  public void release() {
    replicas.tell(new Replicator.ReleaseAll(this));
  }

  /** By which the copies obey. */
  public Epoch epoch() {
    return epoch;
  }

  /** What is copied. */
  public Original original() {
    return original;
  }

  /** Where copies are made. */
  public List<String> nodes() {
    return nodes;
  }

  /** How many copies are whole; what is not known yet counts as it was. */
  public Whole whole() {
    return whole;
  }

  /** Who hears, by any thread, when copies become short or whole again; the newest call wins. */
  public void onChange(Runnable listener) {
    onChange = listener;
  }

  // ---- by the Replicator

  /** Nothing more becomes of it. Who waits for a file that has its name hears that. */
  void giveUp() {
    released = true;
    if (named) {
      committed.complete(0);
      sealed.complete(null);
    }
  }

  void await(long goal, CompletableFuture<Long> answer) {
    marked = Math.max(marked, goal);
    waiting.add(new Waiting(goal, answer));
  }

  /** Whether a node may have a copy. */
  boolean mayBeOn(String node) {
    return eligible.test(node);
  }

  /** Those that count: for an acknowledgement, and for the commit. */
  List<Replica> counting() {
    return copies.stream().filter(each -> each.instead == null).toList();
  }

  /** Where there shall be copies: of one that another one takes the place of, that one's node. */
  List<String> wanted() {
    return copies.stream()
        .filter(each -> copies.stream().noneMatch(other -> other.instead == each))
        .map(each -> each.node)
        .toList();
  }

  /** A copy is made, or goes on, on a node. */
  Replica add(String node, long nowNanos) {
    before.remove(node);
    stale.remove(node);
    Replica copy = new Replica(node, nowNanos);
    copies.add(copy);
    return copy;
  }

  /** A node may have something of it that counts no more. */
  void addStale(String node) {
    if (stale.add(node)) {
      copies.forEach(Replica::compareAnew);
    }
  }

  /** Whether a copy has all that was acknowledged. */
  boolean hasAll(Replica copy) {
    return copy.ready && copy.acked >= acknowledged;
  }

  /** Whether as many copies as are wanted have all that was acknowledged, as it was sent. */
  boolean needsNoOther() {
    List<Replica> counting = counting();
    return counting.size() >= factor
        && counting.stream().allMatch(each -> hasAll(each) && each.isCompared());
  }

  /** Whether all is decided, with the copies that there were. */
  boolean isSealed() {
    return sealed.isDone();
  }

  @Nullable Replica find(String node) {
    return copies.stream().filter(each -> each.node.equals(node)).findFirst().orElse(null);
  }

  /**
   * Tells who waits, as far as it has come.
   *
   * @param holds whether it has to wait for more backups than there are
   * @return whether it is over
   */
  boolean settle(boolean holds) {
    List<Replica> counting = counting();
    nodes = counting.stream().map(each -> each.node).toList();
    boolean choosing = counting.size() < factor && round != null;
    boolean waits = counting.size() < factor && (holds || round != null) && !committing;
    long durable = counting.stream().mapToLong(each -> each.acked).min().orElse(Long.MAX_VALUE);
    List<Waiting> done = waiting.stream().filter(each -> !waits && each.goal <= durable).toList();
    for (Waiting each : done) {
      acknowledged = Math.max(acknowledged, there(each, durable));
    }
    if (!choosing) {
      judge(counting); // heard of before what is acknowledged
    }
    if (waits) {
      return false;
    }
    waiting.removeAll(done);
    done.forEach(each -> each.answer.complete(there(each, durable)));
    if (seal != null && counting.stream().allMatch(each -> each.sealed || each.committed)) {
      sealed.complete(null);
    }
    if (committing && counting.stream().allMatch(each -> each.committed)) {
      committed.complete(counting.size());
      return true;
    }
    return false;
  }

  private long there(Waiting waits, long durable) {
    return Math.max(waits.goal, Math.min(durable, marked));
  }

  private void judge(List<Replica> counting) {
    if (counting.size() >= factor && counting.stream().anyMatch(each -> !each.ready)) {
      return; // what they have they have not said
    }
    long have = counting.stream().filter(each -> each.acked >= acknowledged).count();
    Whole now = new Whole((int) have, factor);
    boolean changes = now.isShort() != whole.isShort();
    whole = now;
    if (changes) {
      onChange.run();
    }
  }
}
