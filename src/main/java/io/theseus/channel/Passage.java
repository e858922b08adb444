package io.theseus.channel;

import java.time.Duration;

/** Whether a range may move now. */
public sealed interface Passage {
  /** All of it may. */
  record Pass() implements Passage {}

  /**
   * Only its first bytes may; the rest is asked for again.
   *
   * @param length bytes, 1 to the length of the range
   */
  record Limit(int length) implements Passage {}

  /**
   * Nothing may yet; it is asked for again when the time is over.
   *
   * @param time at least a millisecond, at most a minute
   */
  record Delay(Duration time) implements Passage {}

  /**
   * It may not: ERROR {@code denied}, and the connection ends.
   *
   * @param reason for people
   */
  record Deny(String reason) implements Passage {}

  /** All of it may. */
  static Passage pass() {
    return new Pass();
  }

  /** Its first bytes may. */
  static Passage limit(int length) {
    return new Limit(length);
  }

  /** Nothing may yet. */
  static Passage delay(Duration time) {
    return new Delay(time);
  }

  /** It may not. */
  static Passage deny(String reason) {
    return new Deny(reason);
  }
}
