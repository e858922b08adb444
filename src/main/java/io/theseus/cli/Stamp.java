package io.theseus.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Size and modification time: what tells without reading whether two files are the same, as rsync
 * does it.
 */
record Stamp(long size, Instant modified) {
  private static final Duration FINE = Duration.ofMillis(1);

  /** That of a regular file here; empty where there is none or it is something else. */
  static Optional<Stamp> of(Path file) throws IOException {
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      return Optional.empty();
    }
    BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
    return Optional.of(of(attributes));
  }

  static Stamp of(BasicFileAttributes attributes) {
    return new Stamp(attributes.size(), attributes.lastModifiedTime().toInstant());
  }

  /** That of a file on a node; empty for a live source. */
  static Optional<Stamp> of(OptionalLong size, Optional<Instant> modified) {
    return size.isPresent() && modified.isPresent()
        ? Optional.of(new Stamp(size.getAsLong(), modified.get()))
        : Optional.empty();
  }

  /**
   * Whether both are the same file as far as a stamp can tell. File systems and nodes keep times to
   * a second or much finer: less than a second counts only where both have it.
   */
  boolean sameAs(Stamp other) {
    if (size != other.size) {
      return false;
    }
    if (modified.getNano() == 0 || other.modified.getNano() == 0) {
      return modified.getEpochSecond() == other.modified.getEpochSecond();
    }
    return Duration.between(modified, other.modified).abs().compareTo(FINE) < 0;
  }
}
