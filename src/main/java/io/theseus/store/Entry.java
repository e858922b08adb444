package io.theseus.store;

import java.util.Optional;

/**
 * What a node knows of a name.
 *
 * @param version empty text where nothing is known, and for live sources
 * @param stat of a file or live source
 */
public record Entry(Kind kind, String version, Optional<FileStat> stat) {
  /** What it is. */
  public enum Kind {
    /** Nothing is known of it. */
    NONE,
    /** A file. */
    FILE,
    /** It was deleted. */
    DELETED,
    /** A live source, which is this node's alone. */
    LIVE
  }

  public static final Entry NONE = new Entry(Kind.NONE, "", Optional.empty());
}
