package io.theseus.bench.upgrade;

/** Whether a target is reached, as far as the measurement can tell. */
enum Verdict {
  MET("met"),
  MISSED("**missed**"),
  CANT_TELL("can't tell");

  /** What a switch may add to the median wait, in milliseconds. */
  static final double MOST_ADDED = 0.05;

  private final String text;

  Verdict(String text) {
    this.text = text;
  }

  String text() {
    return text;
  }

  /** Of a median, which has an absolute target: what the interval says. */
  static Verdict ofMedian(Comparison comparison) {
    if (comparison.high() <= MOST_ADDED) {
      return MET;
    }
    return comparison.low() > MOST_ADDED ? MISSED : CANT_TELL;
  }

  /**
   * Of a number that may not differ from the control's by more than another control's does.
   *
   * @param stalled the same number with a stall planted: where that isn't seen, nothing can be
   */
  static Verdict ofBand(Comparison comparison, Comparison stalled) {
    if (comparison.isAbove()) {
      return MISSED;
    }
    return stalled.isAbove() ? MET : CANT_TELL;
  }

  /** Of a throughput: more is no fault. */
  static Verdict ofThroughput(Comparison comparison) {
    return comparison.difference() < comparison.bandLow() ? MISSED : MET;
  }

  static Verdict ofLimit(double value, double most) {
    return value <= most ? MET : MISSED;
  }
}
