package io.theseus.control;

import io.theseus.session.Transfer;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The transfers of a node, and which lane has each: plain objects that outlive actors and even the
 * actor system.
 *
 * <p>A session belongs to one lane from its first command to its end, whichever lane the
 * connections that resume it are on; so no two actors ever have one session.
 */
public final class Transfers {
  /** A transfer and the lane that has it. */
  record Owned(Transfer transfer, Lane lane) {}

  private final List<Lane> lanes;
  private final Map<UUID, Owned> byId = new HashMap<>();

  /** Sessions without an actor, and when (nanoTime) their time is over. */
  private final Map<UUID, Long> kept = new HashMap<>();

  private volatile boolean accepting = true;

  /** Sessions that there may be; there are fewer than this while all are held. */
  private volatile int most = Integer.MAX_VALUE;

  /**
   * No transfers yet.
   *
   * @param lanes one for each thread that sessions live on
   */
  public Transfers(List<Lane> lanes) {
    this.lanes = List.copyOf(lanes);
  }

  List<Lane> lanes() {
    return lanes;
  }

  /** Whether sessions may begin; those that are there go on either way. */
  boolean isAccepting() {
    return accepting;
  }

  /** Says whether they may. */
  void accept(boolean sessions) {
    accepting = sessions;
  }

  /** Allows so many more sessions than there are now; those that end make room. */
  void allowMore(int sessions) {
    most = live() + sessions;
  }

  /** Allows any number. */
  void allowAny() {
    most = Integer.MAX_VALUE;
  }

  /** Why no session may begin; null where one may. */
  @Nullable String refusal() {
    if (!accepting) {
      return Control.NO_NEW_SESSIONS;
    }
    return live() >= most ? Control.TOO_MANY_WAIT : null;
  }

  /** Sessions with an actor. */
  public int live() {
    return lanes.stream().mapToInt(Lane::live).sum();
  }

  /** Sessions that run code of before a switch. */
  public synchronized int behind(long switchGeneration) {
    int behind = 0;
    for (Owned owned : byId.values()) {
      if (!owned.transfer().hasFollowed(switchGeneration)) {
        behind++;
      }
    }
    return behind;
  }

  /** The transfer of a session; where there is none, one that begins in the given lane. */
  synchronized Owned claim(UUID session, Lane lane) {
    boolean marked = kept.remove(session) != null;
    return byId.computeIfAbsent(
        session, id -> new Owned(marked ? Transfer.recover(id) : Transfer.begin(id), lane));
  }

  /** Whether the session has begun here, and is not over. */
  public synchronized boolean has(UUID session) {
    return byId.containsKey(session) || kept.containsKey(session);
  }

  synchronized @Nullable Transfer find(UUID session) {
    Owned owned = byId.get(session);
    return owned == null ? null : owned.transfer();
  }

  synchronized @Nullable Transfer remove(UUID session) {
    Owned owned = byId.remove(session);
    return owned == null ? null : owned.transfer();
  }

  /** Those of a lane. */
  synchronized Collection<Transfer> of(Lane lane) {
    return byId.values().stream()
        .filter(owned -> owned.lane() == lane)
        .map(Owned::transfer)
        .toList();
  }

  /** A session has no actor until it is resumed, or its time is over. */
  synchronized void keep(UUID session, Duration time) {
    kept.put(session, System.nanoTime() + time.toNanos());
  }

  /** An actor has the session. */
  synchronized void unkeep(UUID session) {
    kept.remove(session);
  }

  /** Tells the lanes which of the sessions that are kept have been kept long enough. */
  synchronized void expire() {
    long now = System.nanoTime();
    kept.forEach(
        (session, until) -> {
          if (until - now <= 0) {
            laneOf(session).tell(new LaneActor.Expire(session));
          }
        });
  }

  /** The lane that has a session, or would have it. */
  synchronized Lane laneOf(UUID session) {
    Owned owned = byId.get(session);
    return owned == null
        ? lanes.get(Math.floorMod(session.hashCode(), lanes.size()))
        : owned.lane();
  }

  /** A session that is still kept, for the lane that was told of it; empty otherwise. */
  synchronized Optional<Transfer> claimKept(UUID session, Lane lane) {
    return kept.containsKey(session) && laneOf(session) == lane
        ? Optional.of(claim(session, lane).transfer())
        : Optional.empty();
  }

  synchronized int kept() {
    return kept.size();
  }
}
