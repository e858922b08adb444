package io.theseus.net;

import io.theseus.session.Counters;
import io.theseus.steps.Steps;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * What the connections of a door share.
 *
 * @param node {@code host:port} as clients reach this node
 * @param nodes where a session can be resumed: that, and the other nodes
 * @param admission whom it lets do what
 * @param keepSeconds how long an unfinished PUT is kept
 * @param backlog bytes of all PUTs that were received and are not written yet
 * @param counters what all connections of the node count in
 * @param removed hears of connections that are gone, on their event loop
 */
record DoorContext(
    Supplier<String> node,
    Supplier<String> nodes,
    Admission admission,
    long keepSeconds,
    Steps steps,
    AtomicLong backlog,
    Counters counters,
    Consumer<Connection> removed) {
  /** Most bytes that wait for the disk, all PUTs together, before each may keep but a little. */
  static final long BACKLOG_MOST = 256L << 20;

  void remove(Connection connection) {
    removed.accept(connection);
  }
}
