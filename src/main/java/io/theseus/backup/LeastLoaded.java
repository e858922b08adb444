package io.theseus.backup;

import io.theseus.channel.BackupPolicy.Candidate;
import java.util.Comparator;
import java.util.List;

/** The choice that is built in. */
public final class LeastLoaded {
  private static final Comparator<Candidate> ORDER =
      Comparator.comparing(Candidate::keeps, Comparator.reverseOrder()) // moving costs more
          .thenComparingInt(Candidate::sessions)
          .thenComparing(Candidate::freeBytes, Comparator.reverseOrder())
          .thenComparing(Candidate::node);

  private LeastLoaded() {}

  /**
   * Who keeps a copy already; then who copies the fewest sessions, then who has the most room.
   *
   * @param candidates at least one
   * @return the id of one of them
   */
  public static String of(List<Candidate> candidates) {
    return candidates.stream().min(ORDER).orElseThrow().node();
  }
}
