package io.theseus.wire;

/** Text from the other end, made safe for messages and logs. */
public final class Texts {
  private static final int MOST = 200;

  private Texts() {}

  /** Quoted, cut to 200 characters, with control and format (right-to-left) characters escaped. */
  public static String quote(String text) {
    return '"' + escape(text) + '"';
  }

  /** The same without the quotes. */
  public static String escape(String text) {
    StringBuilder out = new StringBuilder(Math.min(text.length(), MOST) + 2);
    int count = 0;
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      if (count++ == MOST) {
        return out.append('…').toString();
      }
      switch (Character.getType(c)) {
        case Character.CONTROL,
            Character.FORMAT,
            Character.SURROGATE,
            Character.LINE_SEPARATOR,
            Character.PARAGRAPH_SEPARATOR,
            Character.UNASSIGNED ->
            out.append(String.format("\\u%04X", c));
        default -> out.appendCodePoint(c);
      }
    }
    return out.toString();
  }
}
