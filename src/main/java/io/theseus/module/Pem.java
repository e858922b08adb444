package io.theseus.module;

import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Keys as text (RFC 7468): one block between BEGIN and END. */
final class Pem {
  static final String PRIVATE_KEY = "PRIVATE KEY";
  static final String PUBLIC_KEY = "PUBLIC KEY";

  private static final int MOST_BYTES = 8192;
  private static final int LINE = 64;

  private Pem() {}

  static String text(String type, byte[] content) {
    return "-----BEGIN "
        + type
        + "-----\n"
        + Base64.getMimeEncoder(LINE, new byte[] {'\n'}).encodeToString(content)
        + "\n-----END "
        + type
        + "-----\n";
  }

  /** What stands in the block of this type; it never shows what is in the file. */
  static byte[] read(Path file, String type) throws IOException, ModuleException {
    String text = "";
    if (Files.size(file) <= MOST_BYTES) {
      text = Files.readString(file, StandardCharsets.ISO_8859_1);
    }
    Matcher block =
        Pattern.compile("-----BEGIN " + type + "-----\\s+([A-Za-z0-9+/=\\s]+)-----END " + type)
            .matcher(text);
    if (!block.find()) {
      throw new ModuleException(
          "key: "
              + Texts.quote(file.toString())
              + " (expected: a file in PEM, -----BEGIN "
              + type
              + "-----)");
    }
    try {
      return Base64.getMimeDecoder().decode(block.group(1));
    } catch (IllegalArgumentException e) {
      throw new ModuleException(
          "key: " + Texts.quote(file.toString()) + ": no Base64 (expected: a file in PEM)");
    }
  }
}
