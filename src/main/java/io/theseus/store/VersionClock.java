package io.theseus.store;

import java.time.Clock;

/**
 * Gives versions to names: each above all that were given or seen before, and near the time of day.
 * Text: 16 hex digits, then {@code @} and the id of the node that gave it; so texts stand in the
 * order of their versions.
 */
public final class VersionClock {
  /** Bits below the milliseconds: as many versions in one of them. */
  private static final int BITS = 16;

  private final String node;
  private final Clock clock;
  private long last;

  public VersionClock(String node, Clock clock) {
    this.node = node;
    this.clock = clock;
  }

  /** A version above all before. */
  public synchronized String next() {
    last = Math.max(last + 1, clock.millis() << BITS);
    return String.format("%016x@%s", last, node);
  }

  /** Another one was seen: those to come are above it. */
  public synchronized void see(String version) {
    int at = version.indexOf('@');
    if (at > 0) {
      last = Math.max(last, Long.parseUnsignedLong(version.substring(0, at), 16));
    }
  }
}
