package io.theseus.module;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * Decides when code has been called often enough: when it is compiled, which shows in that a call
 * takes no less time than before.
 *
 * <p>The calls come in bursts with pauses, because compiling and calling at full speed is itself a
 * stall for whoever is served at the same time.
 */
final class WarmUp {
  /** What one turn of a loop may be late by. */
  static final Duration BURST = Duration.ofMillis(1);

  /**
   * What compiled code does in less than that: calls leave garbage, which is collected in one go.
   */
  static final int BURST_CALLS = 1000;

  static final Duration PAUSE = Duration.ofMillis(4);

  /** HotSpot compiles a method for good at 5,000 to 15,000 calls. */
  static final int LEAST_CALLS = 20_000;

  static final int MOST_CALLS = 1_000_000;

  /** Bursts without a faster one. */
  static final int STEADY_BURSTS = 10;

  /** What counts as faster. */
  private static final double FASTER = 0.95;

  private final LongSupplier nanoTime;
  private final long end;
  private double fastest = Double.MAX_VALUE;
  private int steady;
  private int calls;

  /**
   * One that begins now.
   *
   * @param most how long it may take
   */
  WarmUp(Duration most, LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.end = nanoTime.getAsLong() + most.toNanos();
  }

  /** Whether another burst is needed. */
  boolean goesOn() {
    boolean compiled = calls >= LEAST_CALLS && steady >= STEADY_BURSTS;
    return !compiled && calls < MOST_CALLS && nanoTime.getAsLong() - end < 0;
  }

  /** Hears of a burst. */
  void burst(int made, long nanos) {
    double each = (double) nanos / made;
    calls += made;
    if (each < fastest * FASTER) {
      fastest = each;
      steady = 0;
    } else {
      steady++;
    }
  }

  int calls() {
    return calls;
  }
}
