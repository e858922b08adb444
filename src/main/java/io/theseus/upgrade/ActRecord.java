package io.theseus.upgrade;

import io.theseus.wire.Texts;
import java.util.Objects;

/**
 * One act that is over, as the history keeps it on every node.
 *
 * @param sequence of the state with which it ended
 * @param what it was, in words
 * @param before the course when it began
 * @param target the course that it was to bring
 * @param reason why it ended so; empty where it was confirmed
 */
public record ActRecord(
    long sequence,
    String id,
    String who,
    long atMillis,
    String what,
    Course before,
    Course target,
    Outcome outcome,
    String reason) {

  private static final int MOST_REASON = 200;

  /** How an act ended. */
  public enum Outcome {
    /** All of it is so now. */
    CONFIRMED,
    /** No node had switched; nothing is changed. */
    REFUSED,
    /** Nodes had switched, and are to be as before. */
    ROLLED_BACK
  }

  /** Bounded: the history travels with every step. */
  public ActRecord {
    ActRequest.checkId(id);
    Objects.requireNonNull(who, "who");
    Objects.requireNonNull(what, "what");
    Objects.requireNonNull(before, "before");
    Objects.requireNonNull(target, "target");
    Objects.requireNonNull(outcome, "outcome");
    if (reason.length() > MOST_REASON) {
      throw new IllegalArgumentException(
          "reason: " + reason.length() + " characters (expected: <= " + MOST_REASON + ")");
    }
  }

  static ActRecord of(
      long sequence, ActRequest request, Course before, Course target, Outcome how, String why) {
    return new ActRecord(
        sequence,
        request.id(),
        request.who(),
        request.atMillis(),
        request.act().toString(),
        before,
        target,
        how,
        brief(why));
  }

  /** Safe to show and to encode, whatever a module said. */
  private static String brief(String reason) {
    String escaped = Texts.escape(reason);
    if (escaped.length() <= MOST_REASON) {
      return escaped;
    }
    int end = MOST_REASON - 1;
    if (Character.isHighSurrogate(escaped.charAt(end - 1))) {
      end--; // half a character can't be encoded
    }
    return escaped.substring(0, end) + "…";
  }

  boolean isOf(ActRequest request) {
    return id.equals(request.id())
        && who.equals(request.who())
        && what.equals(request.act().toString());
  }
}
