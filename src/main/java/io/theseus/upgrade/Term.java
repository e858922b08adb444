package io.theseus.upgrade;

import java.util.Comparator;
import java.util.Objects;

/**
 * The time of one coordinator: higher terms win.
 *
 * @param life random for each coordinator, so that no two share a term: not even two on one node,
 *     one after another
 */
record Term(long number, String node, long life) implements Comparable<Term> {
  /** Before the first coordinator. */
  static final Term NONE = new Term(0, "", 0);

  private static final Comparator<Term> ORDER =
      Comparator.comparingLong(Term::number)
          .thenComparing(Term::node)
          .thenComparingLong(Term::life);

  Term {
    if (number < 0) {
      throw new IllegalArgumentException("term: " + number + " (expected: >= 0)");
    }
    Objects.requireNonNull(node, "node");
  }

  @Override
  public int compareTo(Term other) {
    return ORDER.compare(this, other);
  }

  boolean isBefore(Term other) {
    return compareTo(other) < 0;
  }

  @Override
  public String toString() {
    return number + " of " + node;
  }
}
