package io.theseus.control;

/**
 * How many sessions may follow a switch at a time, so that packets, which the same thread moves,
 * don't wait for it; learned from how long those before them took. Times are nanoseconds.
 */
final class Pace {
  /** As many as take no longer than this. */
  private static final long STEP = 100_000;

  /** Or one part in so many of the thread, where packets keep it from coming back soon. */
  private static final int SHARE = 20;

  /** Few at first, as the code for it is cold then. */
  private static final int LEAST = 4;

  private static final int MOST = 128;
  private static final double MEMORY = 8;

  private long last;

  /** How long one took, of late: the arrival of one and the beginning of another. */
  private double each = STEP / LEAST;

  /** Sessions begin to follow. */
  void begin(long now) {
    last = now;
  }

  /** How many may follow now. */
  int next(long now) {
    long budget = Math.max(STEP, (now - last) / SHARE);
    last = now;
    return (int) Math.max(LEAST, Math.min(MOST, budget / Math.max(1, each)));
  }

  /** So many took the thread so long, without what others made it wait for. */
  void took(long nanos, int many) {
    if (many > 0) {
      each += ((double) nanos / many - each) / MEMORY;
    }
  }
}
