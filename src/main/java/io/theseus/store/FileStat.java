package io.theseus.store;

import io.theseus.wire.FileName;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What STAT and LIST say of one name.
 *
 * @param size bytes; empty for a live source
 * @param identity {@code -} for a live source
 * @param modified empty for a live source
 * @param sha256 64 lower-case hex digits, where it is known and the file is still what it was
 */
public record FileStat(
    FileName name,
    OptionalLong size,
    String identity,
    Optional<Instant> modified,
    Optional<String> sha256) {
  /** Of a live source: nothing is known before it is read. */
  static FileStat live(FileName name) {
    return new FileStat(name, OptionalLong.empty(), "-", Optional.empty(), Optional.empty());
  }

  /** The line of LIST: {@code size modified identity name}, without the line feed. */
  public String line() {
    return (size.isPresent() ? Long.toString(size.getAsLong()) : "unknown")
        + ' '
        + modified.map(Instant::toString).orElse("-")
        + ' '
        + identity
        + ' '
        + name.value();
  }
}
