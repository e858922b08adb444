package io.theseus.store;

import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * What travels with a committed file in its attribute {@code user.theseus}, one line of text:
 * {@code 1 session size seconds.nanos sha256 committedMillis version}. The first number is that of
 * this format; version is {@code -} until nodes give one.
 *
 * @param size and modified: of the file as it was committed; where they differ from the file's, it
 *     was changed since by somebody else
 */
record Attribute(
    UUID session,
    long size,
    Instant modified,
    String sha256,
    Instant committed,
    Optional<String> version) {
  private static final String FORMAT = "1";
  private static final int FIELDS = 7;

  String text() {
    return String.join(
        " ",
        FORMAT,
        session.toString(),
        Long.toString(size),
        time(modified),
        sha256,
        Long.toString(committed.toEpochMilli()),
        version.orElse("-"));
  }

  /** Reads the text; empty where it is damaged or of a later format. */
  static Optional<Attribute> parse(String text) {
    String[] fields = text.split(" ", -1);
    if (fields.length < FIELDS || !fields[0].equals(FORMAT)) {
      return Optional.empty();
    }
    try {
      String[] time = fields[3].split("\\.", -1);
      if (!fields[4].matches("[0-9a-f]{64}") || time.length != 2) {
        return Optional.empty();
      }
      return Optional.of(
          new Attribute(
              UUID.fromString(fields[1]),
              Long.parseLong(fields[2]),
              Instant.ofEpochSecond(Long.parseLong(time[0]), Long.parseLong(time[1])),
              fields[4],
              Instant.ofEpochMilli(Long.parseLong(fields[5])),
              fields[6].equals("-") ? Optional.empty() : Optional.of(fields[6])));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** The identity of a committed file. */
  String identity() {
    return session.toString();
  }

  /** The identity of a file of which nothing else is known. */
  static String identity(long size, Instant modified) {
    return "s" + size + "-t" + time(modified);
  }

  private static String time(Instant time) {
    return time.getEpochSecond() + "." + String.format("%09d", time.getNano());
  }
}
