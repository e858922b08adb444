package io.theseus.backup;

import akka.actor.typed.ActorRef;
import io.theseus.peer.PeerPort;
import io.theseus.store.Committed;
import io.theseus.store.Original;
import io.theseus.store.Source;
import io.theseus.store.Upload;
import io.theseus.wire.Epoch;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.ProtocolException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The copies of all sessions of a node. Outlives actor systems: what is told while there is none
 * waits for the next.
 */
public final class Replicas {
  /** What a node knows of a session that it does not receive. */
  @FunctionalInterface
  public interface Known {
    /** What is to become of a copy of it; may wait for the disk. */
    CompletionStage<Remote.Fate> fate(UUID session, String name);
  }

  private final BackupSettings settings;
  private final Targets targets;
  private final Registration registration;
  private final Known sessions;
  private volatile @Nullable PeerPort port;
  private final Map<UUID, Replication> all = new ConcurrentHashMap<>();
  private final Queue<Replicator.Command> early = new ConcurrentLinkedQueue<>();
  private @Nullable ActorRef<Replicator.Command> actor;
  private volatile List<Backup> seen = List.of();
  private volatile boolean open = true;
  private final AtomicLong endedShort = new AtomicLong();

  /**
   * None yet, for a node.
   *
   * @param targets says where copies go
   * @param sessions says what became of those that are not received here
   */
  public Replicas(BackupSettings settings, Targets targets, Known sessions) {
    this.settings = settings;
    this.targets = targets;
    this.registration = new Registration(settings.registration(), System::nanoTime);
    this.sessions = sessions;
  }

  /** Where backups pull from; before the first upload. */
  public void listenAt(PeerPort listening) {
    port = listening;
  }

  /**
   * What a backup pulls: what is staged of a session that is received here.
   *
   * @throws ProtocolException {@code unknown-session} and {@code superseded}
   */
  public Source source(UUID session, Epoch epoch) throws ProtocolException {
    Replication found = all.get(session);
    if (found == null) {
      throw new ProtocolException(
          ErrorCode.UNKNOWN_SESSION,
          "session " + session + " (expected: one that node " + settings.nodeId() + " receives)");
    }
    if (!found.epoch().equals(epoch)) {
      throw new ProtocolException(
          ErrorCode.SUPERSEDED,
          "session " + session + " by epoch " + epoch + " (expected: " + found.epoch() + ")");
    }
    return found.original().source();
  }

  /**
   * Begins to copy an upload, or goes on under a new epoch.
   *
   * @param before nodes that have copies already
   */
  public Replication begin(Epoch epoch, Upload upload, List<String> before) {
    Replication begun = new Replication(this, epoch, upload);
    Replication last = all.put(upload.session(), begun);
    tell(new Replicator.Begin(begun, before, Optional.ofNullable(last)));
    return begun;
  }

  /**
   * Copies a file that has its name; tells on how many nodes it is then, of those that it was to be
   * brought to: fewer where these can't be reached, or refuse it. Never fails.
   *
   * @param more copies that are wanted
   * @param eligible nodes that may have one
   * @param file what the original is
   */
  public CompletionStage<Integer> copy(
      Original original, Committed file, int more, Predicate<String> eligible) {
    Epoch epoch = Epoch.NONE.next(settings.nodeId(), System.currentTimeMillis());
    Replication begun = new Replication(this, epoch, original, more, eligible);
    if (all.putIfAbsent(begun.session, begun) != null) {
      return CompletableFuture.completedFuture(0); // it is the session's own yet
    }
    tell(new Replicator.Begin(begun, List.of(), Optional.empty()));
    return begun
        .seal(file.size(), file.sha256(), file.received(), file.version())
        .thenCompose(any -> begun.commit());
  }

  /** Code was switched: whether copies of what runs are where they are wanted is asked anew. */
  public void follow() {
    tell(Replicator.Follow.SWITCH);
  }

  /** The backups of this node, which it can reach and may choose or has chosen. */
  public List<Backup> known() {
    return seen.stream()
        .filter(each -> each.registered() && !each.node().equals(settings.nodeId()))
        .toList();
  }

  /** All backups that can be reached; this node's own, too. */
  public List<Backup> seen() {
    return seen;
  }

  /** Whether others may register. */
  public boolean isOpen() {
    return open;
  }

  /** The copies of a session that is received here; empty for none. */
  public Optional<Replication> find(UUID session) {
    return Optional.ofNullable(all.get(session));
  }

  /** Sessions that have fewer copies than are wanted of what was acknowledged. */
  public long under() {
    return all.values().stream().filter(each -> !each.named && each.whole().isShort()).count();
  }

  Known sessions() {
    return sessions;
  }

  BackupSettings settings() {
    return settings;
  }

  Targets targets() {
    return targets;
  }

  PeerPort port() {
    PeerPort listening = port;
    if (listening == null) {
      throw new IllegalStateException("no port yet");
    }
    return listening;
  }

  Collection<Replication> all() {
    return all.values();
  }

  void remove(Replication replication) {
    all.remove(replication.session, replication);
  }

  /** It has all its names, on as many nodes as there were. */
  void ended(Replication replication) {
    remove(replication);
    if (!replication.named && replication.counting().size() < replication.factor) {
      endedShort.incrementAndGet();
    }
  }

  /** Uploads that ended with fewer copies than are wanted, since the start. */
  public long endedShort() {
    return endedShort.get();
  }

  Registration registration() {
    return registration;
  }

  void know(List<Backup> backups) {
    seen = List.copyOf(backups);
    open = registration.isOpen();
  }

  synchronized void tell(Replicator.Command command) {
    ActorRef<Replicator.Command> told = actor;
    if (told == null) {
      early.add(command);
    } else {
      told.tell(command);
    }
  }

  /** An actor drives it from now on; it takes up all that is there. */
  synchronized void drivenBy(ActorRef<Replicator.Command> driver) {
    actor = driver;
    early.forEach(driver::tell);
    early.clear();
  }

  /** The actor system has ended. */
  public synchronized void orphaned() {
    actor = null;
  }
}
