package io.theseus.wire;

/**
 * Who owns a session, and since when: of two, the higher one. Text: {@code counter@node}.
 *
 * @param counter above that of each owner before
 * @param node id of the owner
 */
public record Epoch(long counter, String node) implements Comparable<Epoch> {
  /** Below that of every owner. */
  public static final Epoch NONE = new Epoch(0, "");

  /** That of a node which begins a session. */
  public static Epoch first(String node) {
    return new Epoch(1, node);
  }

  /** The one by which a node takes over from this one. */
  public Epoch next(String owner) {
    return next(owner, 0);
  }

  /**
   * The same, by a node that may not know of its own lives in which nothing was marked.
   *
   * @param millis the time of day, which keeps it apart from those
   */
  public Epoch next(String owner, long millis) {
    return new Epoch(Math.max(counter + 1, millis), owner);
  }

  /** Reads the text; {@code bad-field} where it is none. */
  public static Epoch parse(String field, String text) throws ProtocolException {
    int at = text.indexOf('@');
    if (at < 0) {
      throw Info.bad(field, text, "counter@node");
    }
    return new Epoch(Info.parseNumber(field, text.substring(0, at)), text.substring(at + 1));
  }

  @Override
  public int compareTo(Epoch other) {
    int byCounter = Long.compare(counter, other.counter);
    return byCounter == 0 ? node.compareTo(other.node) : byCounter;
  }

  /** Whether who has this one is to be obeyed by who has seen the other. */
  public boolean isAtLeast(Epoch other) {
    return compareTo(other) >= 0;
  }

  @Override
  public String toString() {
    return counter + "@" + node;
  }
}
