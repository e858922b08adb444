package io.theseus.upgrade;

import io.theseus.wire.Texts;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * An act that somebody wants, complete: what is sent again, unchanged, when no answer came.
 *
 * @param id names the act; equal for repetitions, of which one is carried out
 * @param who the operator, as the history names him
 * @param atMillis when it was asked for, by the clock of the node that was asked
 * @param without nodes that may be missing
 * @param watchMillis for how long no node may report misbehaviour after the switch
 */
public record ActRequest(
    String id, String who, long atMillis, Act act, Set<String> without, long watchMillis) {
  static final int MOST_WHO = 64;
  private static final long MOST_WATCH_MILLIS = 366L * 24 * 3_600_000;
  private static final Pattern ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

  /** Checked. */
  public ActRequest {
    checkId(id);
    if (who.isEmpty() || who.length() > MOST_WHO || !who.equals(Texts.escape(who))) {
      throw new IllegalArgumentException(
          "who: "
              + Texts.quote(who)
              + " (expected: 1 to "
              + MOST_WHO
              + " characters, none of them control characters)");
    }
    if (watchMillis < 0 || watchMillis > MOST_WATCH_MILLIS) {
      throw new IllegalArgumentException(
          "watch: " + watchMillis + " ms (expected: 0 to " + MOST_WATCH_MILLIS + ")");
    }
    Objects.requireNonNull(act, "act");
    without = Set.copyOf(without);
  }

  static void checkId(String id) {
    if (!ID.matcher(id).matches()) {
      throw new IllegalArgumentException(
          "act id: "
              + Texts.quote(id)
              + " (expected: 1 to 64 of A-Z a-z 0-9 . _ - beginning with a letter or digit)");
    }
  }

  /** As refusals of other acts name it. */
  @Override
  public String toString() {
    return "act " + id + " (" + act + ", by " + who + ")";
  }
}
