package io.theseus.control;

import io.theseus.session.SessionActor;
import io.theseus.session.Transfer;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/** The transfers of a node: plain objects that outlive actors and even the actor system. */
public final class Transfers {
  private final Map<UUID, Transfer> byId = new ConcurrentHashMap<>();
  private final Queue<SessionActor.Attach> arrivals = new ConcurrentLinkedQueue<>();

  @Nullable Transfer find(UUID session) {
    return byId.get(session);
  }

  void add(Transfer transfer) {
    byId.put(transfer.id(), transfer);
  }

  @Nullable Transfer remove(UUID session) {
    return byId.remove(session);
  }

  /** Leaves a connection's command for control, which is told of it. */
  void arrive(SessionActor.Attach attach) {
    arrivals.add(attach);
  }

  /** Takes a command back that control has not seen; whether that was so. */
  boolean takeBack(SessionActor.Attach attach) {
    return arrivals.remove(attach);
  }

  /** The oldest command that control has not seen; null if there is none. */
  SessionActor.@Nullable Attach nextArrival() {
    return arrivals.poll();
  }

  int waiting() {
    return arrivals.size();
  }

  Collection<Transfer> all() {
    return List.copyOf(byId.values());
  }
}
