package io.theseus.store;

import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * What travels with a committed file in its attribute {@code user.theseus}, one line of text:
 * {@code 1 session size seconds.nanos sha256 committedMillis version}. The first number is that of
 * this format; version is {@code -} until nodes give one. Where functions changed the bytes, there
 * follows the SHA-256 of what was received, or {@code -}.
 *
 * @param size and modified: of the file as it was committed; where they differ from the file's, it
 *     was changed since by somebody else
 * @param sha256 of the file
 * @param received SHA-256 of what its client sent; empty where that isn't known
 */
record Attribute(
    UUID session,
    long size,
    Instant modified,
    String sha256,
    Optional<String> received,
    Instant committed,
    Optional<String> version) {
  private static final String FORMAT = "1";
  private static final int FIELDS = 7;
  private static final String NONE = "-";
  private static final int BY_NAME = 3; // the version of such a UUID
  private static final String SHA256 = "[0-9a-f]{64}";
  private static final String VERSION = "[0-9a-f]{16}@[!-~]*";

  String text() {
    String text = asReceived();
    return received.equals(Optional.of(sha256)) ? text : text + " " + received.orElse(NONE);
  }

  private String asReceived() {
    return String.join(
        " ",
        FORMAT,
        session.toString(),
        Long.toString(size),
        time(modified),
        sha256,
        Long.toString(committed.toEpochMilli()),
        version.orElse(NONE));
  }

  /** Reads the text; empty where it is damaged or of a later format. */
  static Optional<Attribute> parse(String text) {
    String[] fields = text.split(" ", -1);
    if (fields.length < FIELDS || !fields[0].equals(FORMAT)) {
      return Optional.empty();
    }
    try {
      String[] time = fields[3].split("\\.", -1);
      String received = fields.length > FIELDS ? fields[FIELDS] : fields[4];
      if (!fields[4].matches(SHA256)
          || !received.matches(SHA256 + "|" + NONE)
          || !fields[6].matches(VERSION + "|" + NONE)
          || time.length != 2) {
        return Optional.empty();
      }
      return Optional.of(
          new Attribute(
              UUID.fromString(fields[1]),
              Long.parseLong(fields[2]),
              Instant.ofEpochSecond(Long.parseLong(time[0]), Long.parseLong(time[1])),
              fields[4],
              optional(received),
              Instant.ofEpochMilli(Long.parseLong(fields[5])),
              optional(fields[6])));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static Optional<String> optional(String field) {
    return field.equals(NONE) ? Optional.empty() : Optional.of(field);
  }

  /**
   * The identity of a committed file; of one that came by no session, whose place here a UUID by
   * name takes, what it was before it had an attribute.
   */
  String identity() {
    return session.version() == BY_NAME ? identity(size, modified) : session.toString();
  }

  /** The identity of a file of which nothing else is known. */
  static String identity(long size, Instant modified) {
    return "s" + size + "-t" + time(modified);
  }

  private static String time(Instant time) {
    return time.getEpochSecond() + "." + String.format("%09d", time.getNano());
  }
}
