package io.theseus.channel;

/**
 * Decides, range by range, how the bytes of one session move; what an upgrade replaces.
 *
 * <p>A short state machine over offsets: it can be stopped behind any range, and a successor of
 * other code goes on at the offset that was reached. Its state may depend on offsets only, never on
 * how often it was called. One thread calls it at a time; it may take its time, it never runs on an
 * event loop.
 */
public interface DataChannel {
  /**
   * The next range to move.
   *
   * @param progress where the transfer stands; {@code position < end}
   * @return a range that begins at {@code progress.position()}, has at most {@link Range#MOST}
   *     bytes and does not pass {@code progress.end()}
   */
  Range next(Progress progress);
}
