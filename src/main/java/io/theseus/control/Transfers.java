package io.theseus.control;

import io.theseus.session.Transfer;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The transfers of a node: plain objects that outlive actors and even the actor system. */
public final class Transfers {
  private final Map<UUID, Transfer> byId = new ConcurrentHashMap<>();

  @Nullable Transfer find(UUID session) {
    return byId.get(session);
  }

  void add(Transfer transfer) {
    byId.put(transfer.id(), transfer);
  }

  void remove(UUID session) {
    byId.remove(session);
  }

  Collection<Transfer> all() {
    return List.copyOf(byId.values());
  }
}
