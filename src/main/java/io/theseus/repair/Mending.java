package io.theseus.repair;

import io.theseus.names.Holders;
import io.theseus.store.FileStore;
import io.theseus.store.Named;
import io.theseus.wire.FileName;
import io.theseus.wire.Texts;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Has files that have rotten here brought from other nodes. */
final class Mending {
  private static final Logger LOG = LoggerFactory.getLogger(Mending.class);

  private final FileStore store;
  private final Where where;
  private final Bringing bringing;
  private final Stop stop;

  /** Asks a node for a file. */
  @FunctionalInterface
  interface Bringing {
    /**
     * Has a file brought here, and waits for it.
     *
     * @return why it was not; empty where it was
     */
    String bring(String node, FileName name, String version) throws InterruptedException;
  }

  /**
   * Mends none yet.
   *
   * @param bringing asks other nodes for what has rotten here
   */
  Mending(FileStore store, Where where, Bringing bringing, Stop stop) {
    this.store = store;
    this.where = where;
    this.bringing = bringing;
    this.stop = stop;
  }

  /**
   * Has a file brought by the first node that can, and waits for it.
   *
   * @throws InterruptedException where the node stops
   */
  Finding mend(FileName name, String version) throws InterruptedException {
    Holders holders = stop.await(where.holders(List.of(new Named(name, version))));
    TreeSet<String> nodes = new TreeSet<>();
    holders.files().forEach(held -> nodes.addAll(held.keeping()));
    holders.files().forEach(held -> nodes.addAll(held.leaving()));
    List<String> reasons = new ArrayList<>();
    for (String node : nodes) {
      String reason = bringing.bring(node, name, version);
      if (reason.isEmpty() && !store.contents().isRotten(name)) {
        LOG.info("{} is repaired from node {}", Texts.quote(name.value()), node);
        return new Finding(name.value(), node, "");
      }
      reasons.add(node + ": " + (reason.isEmpty() ? "brought, and rotten still" : reason));
    }
    return new Finding(
        name.value(),
        "",
        nodes.isEmpty() ? "no other node that can be reached has it" : String.join("; ", reasons));
  }
}
