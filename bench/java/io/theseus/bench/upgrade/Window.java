package io.theseus.bench.upgrade;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A stretch of time around a moment, and what clients saw in it.
 *
 * @param moment of the switch, or of nothing; nanoseconds of the wall clock
 * @param waits the longest wait of each connection, by phase
 * @param bytesInSecond that came within a second from the moment on
 * @param busy share of all processors; a control window's is that of the load alone
 * @param followed how long after the moment sessions ran the new code at the latest, in seconds:
 *     those that had traffic right behind it first, see {@link #withTraffic}, then all others
 * @param withTraffic how many of these had
 * @param missing sessions that were told nothing
 */
record Window(
    What what,
    long moment,
    Map<Phase, Delays> waits,
    long bytesInSecond,
    double busy,
    List<Double> followed,
    int withTraffic,
    int missing) {
  /** What is done at the moment. */
  enum What {
    CONTROL("nothing"),
    ALL_BUT("all but the switch"),
    SWITCH("a switch"),
    STALL("a switch and a stall of 5 ms");

    private final String title;

    What(String title) {
      this.title = title;
    }

    String label() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    String title() {
      return title;
    }

    boolean isSwitch() {
      return this == SWITCH || this == STALL;
    }
  }

  /** Which waits: those that lie in it, if only in part. */
  enum Phase {
    /** As long as {@link #SWITCH}, somewhere between the order and the switch. */
    STAGING,
    /** From a little before the moment on: its time is known to a millisecond. */
    SWITCH,
    /** The rest of the second, in which sessions without traffic follow. */
    AFTER;

    String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  static final Duration BEFORE = Duration.ofMillis(20);
  static final Duration AROUND = Duration.ofMillis(250);
  static final Duration SECOND = Duration.ofSeconds(1);

  Window {
    waits = Map.copyOf(waits);
    followed = List.copyOf(followed);
  }
}
