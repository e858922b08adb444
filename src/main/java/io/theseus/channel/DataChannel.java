package io.theseus.channel;

import java.util.Optional;

/**
 * Decides, range by range, how the bytes of one session move; what an upgrade replaces.
 *
 * <p>A short state machine over offsets: it can be stopped behind any range, and a successor of
 * other code goes on at the offset that was reached. Its state may depend on offsets only, never on
 * how often it was called. One thread calls it at a time; it may take its time, up to the deadline
 * of the node ({@code theseus.modules.call-deadline}); it never runs on an event loop.
 *
 * <p>A class of a module that implements it is public and has a public constructor without
 * parameters. Each worker has an object of its own: made, {@link #begin}, perhaps {@link
 * #takeOver}, then {@link #next} again and again, perhaps {@link #handOver} as the last. What it
 * throws fails the worker, and the session goes back to the stable revision; from {@link
 * #handOver}, it only leaves its successor without state.
 */
public interface DataChannel {
  /** Hears which session it serves, before anything else. */
  default void begin(SessionInfo session) {}

  /**
   * The next range to move.
   *
   * @param progress where the transfer stands; {@code position < end}
   * @return a range that begins at {@code progress.position()}, has at most {@link Range#MOST}
   *     bytes and does not pass {@code progress.end()}
   */
  Range next(Progress progress);

  /** What the successor may go on with; empty where the offset says it all. */
  default Optional<HandOver> handOver() {
    return Optional.empty();
  }

  /**
   * Takes what the predecessor handed over, of whatever code that was.
   *
   * @return whether it could use it; otherwise it starts fresh at the offset
   */
  default boolean takeOver(HandOver state) {
    return false;
  }
}
