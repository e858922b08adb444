package io.theseus.wire;

import java.nio.charset.StandardCharsets;

/**
 * The name of a file as the protocol has it: taken byte for byte, confined by construction.
 *
 * <p>The only canonicaliser: 1 to 1024 bytes of UTF-8, components of 1 to 255 bytes separated by
 * {@code /}, no component {@code .} or {@code ..}, no leading or trailing {@code /}, no backslash,
 * no control character. Ordered by bytes.
 */
public record FileName(String value) implements Comparable<FileName> {
  public static final int MAX_BYTES = 1024;
  public static final int MAX_COMPONENT_BYTES = 255;

  public FileName {
    try {
      check(value);
    } catch (ProtocolException e) {
      throw new IllegalArgumentException(e.errorText(), e);
    }
  }

  /** The name, or ERROR {@code bad-name} that quotes it and says what is expected. */
  public static FileName parse(String text) throws ProtocolException {
    try {
      return new FileName(text);
    } catch (IllegalArgumentException e) {
      if (e.getCause() instanceof ProtocolException refusal) {
        throw refusal;
      }
      throw e;
    }
  }

  /** A leading part of a name, perhaps empty, perhaps with a {@code /} at its end. */
  public static String prefix(String text) throws ProtocolException {
    if (!text.isEmpty()) {
      // a part of a name is what some letters make a name of
      int slash = text.lastIndexOf('/');
      String last = text.substring(slash + 1);
      boolean open = last.isEmpty() || last.equals(".") || last.equals("..");
      check(open ? text.substring(0, slash + 1) + "x" : text);
    }
    return text;
  }

  /** The components, from the outermost folder to the file. */
  public String[] components() {
    return value.split("/", -1);
  }

  @Override
  public int compareTo(FileName other) {
    return compareBytes(value, other.value);
  }

  @Override
  public String toString() {
    return value;
  }

  /** Compares two texts by their UTF-8 bytes, which is the order of LIST. */
  public static int compareBytes(String a, String b) {
    int length = Math.min(a.length(), b.length());
    for (int i = 0; i < length; i++) {
      char x = a.charAt(i);
      char y = b.charAt(i);
      if (x != y) {
        // UTF-16 differs from UTF-8 order only where surrogates meet U+E000 to U+FFFF
        if (Character.isSurrogate(x) != Character.isSurrogate(y)) {
          return Character.isSurrogate(x) ? 1 : -1;
        }
        return Character.compare(x, y);
      }
    }
    return Integer.compare(a.length(), b.length());
  }

  private static void check(String text) throws ProtocolException {
    int bytes = text.getBytes(StandardCharsets.UTF_8).length;
    if (bytes < 1 || bytes > MAX_BYTES) {
      throw bad("name of " + bytes + " bytes", "1 to " + MAX_BYTES + " bytes");
    }
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < 0x20 || (c >= 0x7F && c <= 0x9F)) {
        throw bad(quote(text), "no control character, found U+" + String.format("%04X", (int) c));
      }
      if (c == '\\') {
        throw bad(quote(text), "no backslash");
      }
    }
    if (text.startsWith("/") || text.endsWith("/")) {
      throw bad(quote(text), "no leading or trailing /");
    }
    for (String component : text.split("/", -1)) {
      if (component.isEmpty()) {
        throw bad(quote(text), "no empty component");
      }
      if (component.equals(".") || component.equals("..")) {
        throw bad(quote(text), "no component . or ..");
      }
      if (component.getBytes(StandardCharsets.UTF_8).length > MAX_COMPONENT_BYTES) {
        throw bad(quote(text), "components of at most " + MAX_COMPONENT_BYTES + " bytes");
      }
    }
  }

  private static ProtocolException bad(String value, String expected) {
    return new ProtocolException(ErrorCode.BAD_NAME, value + " (expected: " + expected + ")");
  }

  private static String quote(String text) {
    return Texts.quote(text);
  }
}
