package io.theseus.store;

import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoField;

/**
 * Gives versions to names: each above all that were given or seen before, and near the time of day.
 * Text: 16 hex digits, then {@code @} and the id of the node that gave it; so texts stand in the
 * order of their versions.
 */
public final class VersionClock {
  /** Bits below the milliseconds: as many versions in one of them. */
  private static final int BITS = 16;

  /** So that what is left of a millisecond's nanoseconds fits into them. */
  private static final int NANO_BITS = 4;

  private static final int NANOS_PER_MILLI = 1_000_000;

  /** From one version by the clock to the next: there is room for those just above one. */
  private static final long STEP = 256;

  private final String node;
  private final Clock clock;
  private long last;

  public VersionClock(String node, Clock clock) {
    this.node = node;
    this.clock = clock;
  }

  /** A version above all before. */
  public synchronized String next() {
    last = Math.max((last / STEP + 1) * STEP, clock.millis() << BITS);
    return text(last, node);
  }

  /**
   * The lowest version above one: whatever is given by the clock, here or elsewhere, to a name of
   * which that one is known, is above it.
   */
  public synchronized String above(String version) {
    long ticks = ticks(version) + 1;
    last = Math.max(last, ticks);
    return text(ticks, node);
  }

  /** The time of day, in ms since 1970. */
  public long millis() {
    return clock.millis();
  }

  /** Another one was seen: those to come are above it. */
  public synchronized void see(String version) {
    last = Math.max(last, ticks(version));
  }

  /** The version of what nobody gave one, by the time when it came to be. */
  static String at(Instant time) {
    return text(
        (time.toEpochMilli() << BITS)
            | (time.get(ChronoField.NANO_OF_SECOND) % NANOS_PER_MILLI >> NANO_BITS),
        "");
  }

  /** When a version was given, about. */
  public static Instant time(String version) {
    return Instant.ofEpochMilli(ticks(version) >>> BITS);
  }

  /** Whether it was given by no node. */
  static boolean isNobodys(String version) {
    return version.endsWith("@");
  }

  private static String text(long ticks, String node) {
    return String.format("%016x@%s", ticks, node);
  }

  private static long ticks(String version) {
    int at = version.indexOf('@');
    return at <= 0 ? 0 : Long.parseUnsignedLong(version.substring(0, at), 16);
  }
}
