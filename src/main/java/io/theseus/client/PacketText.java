package io.theseus.client;

import io.theseus.wire.Texts;
import java.util.Locale;

/** INFO and ERROR text on one line, for the trace. */
final class PacketText {
  private PacketText() {}

  /** The lines joined by {@code |}, escaped, secrets left out. */
  static String info(String text) {
    StringBuilder line = new StringBuilder();
    for (String part : text.split("\n", -1)) {
      if (line.length() > 0 && !part.isEmpty()) {
        line.append(" | ");
      }
      line.append(
          part.toLowerCase(Locale.ROOT).startsWith("token") ? "Token: ..." : Texts.escape(part));
    }
    return line.toString();
  }
}
