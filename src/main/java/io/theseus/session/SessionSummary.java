package io.theseus.session;

import io.theseus.channel.Direction;
import java.util.UUID;

/**
 * A session as it was at one moment, for people.
 *
 * @param offset where another connection would go on: durable (PUT) or acknowledged (GET)
 * @param size {@link #UNKNOWN_SIZE} where it isn't known
 * @param module that it runs, name@version; empty before that is decided
 * @param remote of its connection; empty where there is none
 */
public record SessionSummary(
    UUID session,
    Direction direction,
    String name,
    long offset,
    long size,
    State state,
    String module,
    String remote) {
  public static final long UNKNOWN_SIZE = -1;

  /** Whether bytes move. */
  public enum State {
    /** There is a connection. */
    LIVE,
    /** There is a connection, which stands still while code is changed. */
    HELD,
    /** There is no connection; there may be one again. */
    DETACHED
  }
}
