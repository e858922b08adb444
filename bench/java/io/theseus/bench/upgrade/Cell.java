package io.theseus.bench.upgrade;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What is measured on its own: so many connections that do one thing.
 *
 * @param size connections in the name; those of a look are fewer
 * @param window bytes, see {@code Window} of GET
 * @param interval between two acknowledgements of a connection; unused where it saturates
 */
record Cell(Kind kind, int size, int connections, int window, Duration interval) {
  /** What the connections do. */
  enum Kind {
    /** 64 bytes are acknowledged and followed by 64 others. */
    EXCHANGE("64-byte exchanges"),
    /** Downloads at a pace that the client sets. */
    PACED("paced downloads"),
    /** Downloads as fast as they go. */
    SATURATING("saturating downloads"),
    /** Sessions that have begun, and do nothing. */
    IDLE("idle sessions");

    private final String title;

    Kind(String title) {
      this.title = title;
    }

    String label() {
      return name().toLowerCase(Locale.ROOT);
    }

    String title() {
      return title;
    }

    /** Whether the load is what the machine takes, not what was chosen. */
    boolean saturates() {
      return this == SATURATING;
    }
  }

  private static final int PIECE = 16 << 10;

  /** Of those that saturate together, so that the kernel's buffers have room for it. */
  private static final int IN_FLIGHT = 1 << 30;

  private static final int LEAST_QUICK = 20;

  String name() {
    return kind.label() + "-" + size;
  }

  /** All of the issue, or those of a look. */
  static List<Cell> all(boolean quick) {
    List<Cell> cells = new ArrayList<>();
    for (Kind kind : List.of(Kind.EXCHANGE, Kind.PACED, Kind.SATURATING)) {
      for (int size : quick ? List.of(100) : List.of(100, 1_000, 10_000)) {
        cells.add(of(kind, size, quick ? LEAST_QUICK : size));
      }
    }
    return cells;
  }

  private static Cell of(Kind kind, int size, int connections) {
    int window =
        switch (kind) {
          case EXCHANGE, IDLE -> 64;
          case PACED -> PIECE;
          case SATURATING -> Math.min(8 << 20, IN_FLIGHT / size);
        };
    return new Cell(kind, size, connections, window, interval(size));
  }

  /** At most 4,000 to 10,000 acknowledgements a second; {@link #slower} where that is too much. */
  private static Duration interval(int size) {
    return size <= 100
        ? Duration.ofMillis(25)
        : size <= 1_000 ? Duration.ofMillis(200) : Duration.ofSeconds(1);
  }

  /** The same with half as many acknowledgements. */
  Cell slower() {
    return new Cell(kind, size, connections, window, interval.multipliedBy(2));
  }

  /** Sessions that are there and do nothing. */
  static Cell idle(int connections) {
    return of(Kind.IDLE, connections, connections);
  }

  /** What the load is, for people. */
  String load() {
    return kind.saturates()
        ? "a window of %,d KiB each".formatted(window >> 10)
        : "%,d acknowledgements of %,d bytes a second"
            .formatted(connections * 1_000_000_000L / interval.toNanos(), window);
  }
}
