package io.theseus.upgrade;

import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A revision that some sessions run, to try it.
 *
 * @param session that one alone; null for a share of all
 * @param percent 1 to 99 of the sessions, by their id; 0 where there is one alone
 */
public record Canary(RevisionId revision, @Nullable UUID session, int percent) {
  /** Checked. */
  public Canary {
    Objects.requireNonNull(revision, "revision");
    if (session == null ? percent < 1 || percent > 99 : percent != 0) {
      throw new IllegalArgumentException(
          "canary: " + percent + " % (expected: 1 to 99, or a session)");
    }
  }

  @Override
  public String toString() {
    return revision + " for " + (session == null ? percent + " % of the sessions" : session);
  }
}
