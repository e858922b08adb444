package io.theseus.wire;

import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;

/**
 * What a client says by INFO: a command, END or ALIVE.
 *
 * <p>{@link #parse} checks everything that the text alone can show. Absent fields are empty.
 */
public sealed interface ClientMessage {
  /** The version of the protocol that is spoken here. */
  int VERSION = 1;

  /** Begins a session or asks a question. */
  sealed interface Command extends ClientMessage {
    /** The token of the client, unchecked. */
    Optional<String> token();
  }

  /** {@code GET name}. */
  record Get(
      FileName name,
      long offset,
      OptionalLong window,
      OptionalLong maxData,
      boolean streamConsumer,
      Optional<UUID> session,
      Optional<String> identity,
      OptionalLong migratePort,
      Optional<String> token)
      implements Command {}

  /** {@code PUT name}; {@code ifIdentity} may be {@code none}. */
  record Put(
      FileName name,
      OptionalLong size,
      boolean streamProducer,
      Optional<UUID> session,
      long offset,
      Optional<String> sha256,
      Optional<String> ifIdentity,
      Optional<Instant> modified,
      OptionalLong migratePort,
      Optional<String> token)
      implements Command {}

  /** {@code STAT name}. */
  record Stat(FileName name, Optional<String> token) implements Command {}

  /** {@code LIST prefix}. */
  record List(String prefix, Optional<String> after, Optional<String> token) implements Command {}

  /** {@code DELETE name}. */
  record Delete(FileName name, Optional<String> ifIdentity, Optional<String> token)
      implements Command {}

  /** {@code END}: a PUT without Size is at its end. */
  record End(long size, Optional<String> sha256) implements ClientMessage {}

  /** {@code ALIVE}. */
  record Alive() implements ClientMessage {}

  /** Reads a client's INFO text. */
  static ClientMessage parse(String text) throws ProtocolException {
    // the verb comes first: what follows it is read only where the verb is known
    int end = 0;
    while (end < text.length() && text.charAt(end) != ' ' && text.charAt(end) != '\n') {
      end++;
    }
    String verb = text.substring(0, end);
    return switch (verb) {
      case "GET" -> get(command(text));
      case "PUT" -> put(command(text));
      case "STAT" -> stat(command(text));
      case "LIST" -> list(command(text));
      case "DELETE" -> delete(command(text));
      case "END" -> end(Info.parse(text));
      case "ALIVE" -> {
        Info.parse(text);
        yield new Alive();
      }
      default ->
          throw new ProtocolException(
              ErrorCode.BAD_PACKET,
              "verb "
                  + Texts.quote(verb)
                  + " (expected: GET, PUT, STAT, LIST, DELETE, END or ALIVE)");
    };
  }

  private static Info command(String text) throws ProtocolException {
    Info info = Info.parse(text);
    OptionalLong version = info.number("Version");
    if (version.isPresent() && version.getAsLong() != VERSION) {
      throw new ProtocolException(
          ErrorCode.VERSION, "Version: " + version.getAsLong() + " (expected: " + VERSION + ")");
    }
    return info;
  }

  private static Get get(Info info) throws ProtocolException {
    return new Get(
        FileName.parse(info.argument()),
        info.number("Offset").orElse(0),
        info.number("Window", 1),
        info.number("Max-Data", 1),
        info.oneOf("Consumer", "rewindable", "stream").orElse("rewindable").equals("stream"),
        info.uuid("Session"),
        identity(info, "Identity", false),
        port(info),
        info.text("Token"));
  }

  private static Put put(Info info) throws ProtocolException {
    OptionalLong size = info.number("Size");
    long offset = info.number("Offset").orElse(0);
    if (size.isPresent() && offset > size.getAsLong()) {
      throw new ProtocolException(
          ErrorCode.BAD_OFFSET,
          "Offset: " + offset + " (expected: at most the Size, " + size.getAsLong() + ")");
    }
    return new Put(
        FileName.parse(info.argument()),
        size,
        info.oneOf("Producer", "rewindable", "stream").orElse("rewindable").equals("stream"),
        info.uuid("Session"),
        offset,
        info.sha256("SHA-256"),
        identity(info, "If-Identity", true),
        modified(info),
        port(info),
        info.text("Token"));
  }

  private static Stat stat(Info info) throws ProtocolException {
    return new Stat(FileName.parse(info.argument()), info.text("Token"));
  }

  private static List list(Info info) throws ProtocolException {
    Optional<String> after = info.untrimmed("After");
    if (after.isPresent()) {
      FileName.parse(after.get());
    }
    return new List(FileName.prefix(info.argument()), after, info.text("Token"));
  }

  private static Delete delete(Info info) throws ProtocolException {
    return new Delete(
        FileName.parse(info.argument()), identity(info, "If-Identity", false), info.text("Token"));
  }

  private static End end(Info info) throws ProtocolException {
    OptionalLong size = info.number("Size");
    if (size.isEmpty()) {
      throw new ProtocolException(ErrorCode.BAD_FIELD, "END without Size (expected: Size: bytes)");
    }
    return new End(size.getAsLong(), info.sha256("SHA-256"));
  }

  private static Optional<String> identity(Info info, String field, boolean noneAllowed)
      throws ProtocolException {
    Optional<String> value = info.identity(field);
    if (!noneAllowed && value.isPresent() && value.get().equals("none")) {
      throw Info.bad(field, "none", "the identity of a file");
    }
    return value;
  }

  private static OptionalLong port(Info info) throws ProtocolException {
    OptionalLong port = info.number("Migrate-Port", 1);
    if (port.isPresent() && port.getAsLong() > 65_535) {
      throw Info.bad("Migrate-Port", String.valueOf(port.getAsLong()), "1 to 65535");
    }
    return port;
  }

  private static Optional<Instant> modified(Info info) throws ProtocolException {
    Optional<String> value = info.text("Modified");
    if (value.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(Instant.parse(value.get()));
    } catch (DateTimeParseException e) {
      throw Info.bad("Modified", value.get(), "RFC 3339 in UTC, like 2026-01-31T12:00:00Z");
    }
  }
}
