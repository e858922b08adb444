package io.theseus.wire;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;

/**
 * The text of an INFO packet: a verb, an argument where the verb takes one, fields, a body.
 *
 * <p>Reading keeps every field as it was written; which fields a verb knows, and what values they
 * take, is asked when a field is looked up: a known field that was given twice, or has a bad value,
 * is ERROR {@code bad-field} naming it, and fields that nobody looks up are ignored.
 */
public final class Info {
  private static final int MAX_DIGITS = 19;
  private static final int UUID_LENGTH = 36;

  /** The longest text that is written often, READY, fits: it grows no buffer. */
  private static final int USUAL_LENGTH = 512;

  private final String verb;
  private final String argument;
  private final Map<String, String> fields = new LinkedHashMap<>();
  private final Set<String> repeated = new java.util.HashSet<>();
  private final String body;

  private Info(String verb, String argument, String body) {
    this.verb = verb;
    this.argument = argument;
    this.body = body;
  }

  /** A field line as it goes out. */
  public static Builder of(String verb) {
    return new Builder(verb);
  }

  /** Reads an INFO text. Text behind an empty line is the body. */
  public static Info parse(String text) throws ProtocolException {
    int at = text.indexOf('\n');
    String first = at < 0 ? text : text.substring(0, at);
    int space = first.indexOf(' ');
    String verb = space < 0 ? first : first.substring(0, space);
    String argument = space < 0 ? "" : first.substring(space + 1);
    int rest = at < 0 ? text.length() : at + 1;
    int blank = text.startsWith("\n", rest) ? rest : text.indexOf("\n\n", rest) + 1;
    boolean hasBody = blank > 0 && text.startsWith("\n", blank);
    String body = hasBody ? text.substring(blank + 1) : "";
    Info info = new Info(verb, argument, body);
    String lines = hasBody ? text.substring(rest, blank) : text.substring(rest);
    int from = 0;
    while (from < lines.length()) {
      int end = lines.indexOf('\n', from);
      if (end < 0) {
        end = lines.length();
      }
      String line = lines.substring(from, end);
      from = end + 1;
      int colon = line.indexOf(':');
      if (colon < 0) {
        throw new ProtocolException(
            ErrorCode.BAD_FIELD, "line " + Texts.quote(line) + " (expected: Field: value)");
      }
      String name = trim(line.substring(0, colon)).toLowerCase(Locale.ROOT);
      if (info.fields.putIfAbsent(name, line.substring(colon + 1)) != null) {
        info.repeated.add(name);
      }
    }
    return info;
  }

  public String verb() {
    return verb;
  }

  /** What follows the verb and one space, untouched. */
  public String argument() {
    return argument;
  }

  /** What follows the empty line (LIST). */
  public String body() {
    return body;
  }

  /** The value of a field, trimmed of spaces. */
  public Optional<String> text(String field) throws ProtocolException {
    return raw(field).map(Info::trim);
  }

  /** The value of a field, less the one space behind the colon, otherwise untrimmed. */
  public Optional<String> untrimmed(String field) throws ProtocolException {
    return raw(field).map(value -> value.startsWith(" ") ? value.substring(1) : value);
  }

  /** A number of 1 to 19 decimal digits below 2^63. */
  public OptionalLong number(String field) throws ProtocolException {
    Optional<String> value = text(field);
    if (value.isEmpty()) {
      return OptionalLong.empty();
    }
    return OptionalLong.of(parseNumber(field, value.get()));
  }

  /** A number that is at least {@code least}. */
  public OptionalLong number(String field, long least) throws ProtocolException {
    OptionalLong value = number(field);
    if (value.isPresent() && value.getAsLong() < least) {
      throw bad(field, String.valueOf(value.getAsLong()), "at least " + least);
    }
    return value;
  }

  /** A session id. */
  public Optional<UUID> uuid(String field) throws ProtocolException {
    Optional<String> value = text(field);
    if (value.isEmpty()) {
      return Optional.empty();
    }
    String text = value.get();
    if (text.length() == UUID_LENGTH) {
      try {
        UUID uuid = UUID.fromString(text);
        if (uuid.toString().equals(text.toLowerCase(Locale.ROOT))) {
          return Optional.of(uuid);
        }
      } catch (IllegalArgumentException e) {
        // said below
      }
    }
    throw bad(field, text, "a uuid, 8-4-4-4-12 hex digits");
  }

  /** 64 hex digits, given back in lower case. */
  public Optional<String> sha256(String field) throws ProtocolException {
    Optional<String> value = text(field);
    if (value.isPresent() && !value.get().matches("[0-9a-fA-F]{64}")) {
      throw bad(field, value.get(), "64 hex digits");
    }
    return value.map(text -> text.toLowerCase(Locale.ROOT));
  }

  /** An identity: 1 to 128 visible ASCII characters. */
  public Optional<String> identity(String field) throws ProtocolException {
    Optional<String> value = text(field);
    if (value.isPresent() && !value.get().matches("[!-~]{1,128}")) {
      throw bad(field, value.get(), "1 to 128 visible ASCII characters");
    }
    return value;
  }

  /** One of the given words. */
  public Optional<String> oneOf(String field, String... words) throws ProtocolException {
    Optional<String> value = text(field);
    if (value.isPresent() && !Set.of(words).contains(value.get())) {
      throw bad(field, value.get(), String.join(" or ", words));
    }
    return value;
  }

  /** The refusal of a field's value. */
  public static ProtocolException bad(String field, String value, String expected) {
    return new ProtocolException(
        ErrorCode.BAD_FIELD, field + ": " + Texts.quote(value) + " (expected: " + expected + ")");
  }

  /** Reads a number as the protocol writes it. */
  public static long parseNumber(String field, String text) throws ProtocolException {
    boolean digits = !text.isEmpty() && text.length() <= MAX_DIGITS;
    for (int i = 0; digits && i < text.length(); i++) {
      digits = text.charAt(i) >= '0' && text.charAt(i) <= '9';
    }
    if (digits) {
      try {
        return Long.parseLong(text);
      } catch (NumberFormatException e) {
        // 19 digits may be over 2^63; said below
      }
    }
    throw bad(field, text, "1 to 19 decimal digits, below 2^63");
  }

  private Optional<String> raw(String field) throws ProtocolException {
    String key = field.toLowerCase(Locale.ROOT);
    if (repeated.contains(key)) {
      throw new ProtocolException(ErrorCode.BAD_FIELD, field + ": given twice (expected: once)");
    }
    return Optional.ofNullable(fields.get(key));
  }

  private static String trim(String text) {
    int from = 0;
    int to = text.length();
    while (from < to && text.charAt(from) == ' ') {
      from++;
    }
    while (to > from && text.charAt(to - 1) == ' ') {
      to--;
    }
    return text.substring(from, to);
  }

  /** Writes an INFO text. */
  public static final class Builder {
    private final StringBuilder text;

    private Builder(String firstLine) {
      text = new StringBuilder(USUAL_LENGTH).append(firstLine).append('\n');
    }

    /** Adds a field. */
    public Builder field(String name, Object value) {
      text.append(name).append(": ").append(value).append('\n');
      return this;
    }

    /** Adds a field where there is a value. */
    public Builder field(String name, Optional<?> value) {
      value.ifPresent(present -> field(name, present));
      return this;
    }

    /** Adds a number where there is one. */
    public Builder field(String name, OptionalLong value) {
      value.ifPresent(present -> field(name, present));
      return this;
    }

    /** The text with an empty line and a body. */
    public String body(CharSequence body) {
      return text.append('\n').append(body).toString();
    }

    /** The text. */
    public String text() {
      return text.toString();
    }
  }
}
