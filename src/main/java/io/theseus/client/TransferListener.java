package io.theseus.client;

import java.time.Duration;
import java.util.OptionalLong;

/**
 * Is told what happens in a transfer; called on the thread that transfers, so it must be quick.
 *
 * <p>Texts that come from the other end are escaped already.
 */
public interface TransferListener {
  /** Hears nothing. */
  TransferListener NONE = new TransferListener() {};

  /** A connection to a node was made. */
  default void connected(NodeAddress node) {}

  /** The session was accepted; comes again after each reconnect. */
  default void ready(SessionInfo session) {}

  /**
   * Bytes moved; comes often.
   *
   * @param transferred GET: consumed here; PUT: handed to the network
   * @param acknowledged GET: told to the server; PUT: durable on the server
   * @param size of the whole; empty while it is unknown
   */
  default void progress(long transferred, long acknowledged, OptionalLong size) {}

  /** The server holds the transfer while code is changed. */
  default void held(String reason) {}

  /** The server goes on under this module (name@version). */
  default void resumed(String module) {}

  /** A text for a person, or the replication state. */
  default void notice(String text) {}

  /** The connection was lost or refused; the next attempt comes after a delay. */
  default void reconnecting(String reason, int attempt, Duration delay) {}

  /** What came so far was discarded: the file is no longer what it was. */
  default void restarted(String reason) {}

  /** The source can't be rewound: the transfer goes on as a stream. */
  default void streaming(String reason) {}
}
