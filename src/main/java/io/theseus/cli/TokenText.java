package io.theseus.cli;

import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.Set;

/** The token in a file, which nobody else may read. */
final class TokenText {
  private static final int MOST_BYTES = 4096;
  private static final Set<PosixFilePermission> OTHERS =
      EnumSet.of(
          PosixFilePermission.GROUP_READ,
          PosixFilePermission.GROUP_WRITE,
          PosixFilePermission.OTHERS_READ,
          PosixFilePermission.OTHERS_WRITE);

  private TokenText() {}

  /** Reads it; what is wrong is an IllegalArgumentException that never shows what is in it. */
  static String read(Path file) {
    String name = "--token-file: " + Texts.quote(file.toString());
    try {
      PosixFileAttributeView permissions =
          Files.getFileAttributeView(file, PosixFileAttributeView.class);
      if (permissions != null
          && permissions.readAttributes().permissions().stream().anyMatch(OTHERS::contains)) {
        throw new IllegalArgumentException(
            name + ": others may read it (expected: only its owner: chmod 600 " + file + ")");
      }
      if (Files.size(file) > MOST_BYTES) {
        throw new IllegalArgumentException(name + ": no token (expected: one line)");
      }
      String token = Files.readString(file, StandardCharsets.UTF_8).strip();
      if (token.isEmpty() || token.chars().anyMatch(Character::isWhitespace)) {
        throw new IllegalArgumentException(name + ": no token (expected: one line)");
      }
      return token;
    } catch (IOException e) {
      throw new IllegalArgumentException(
          name + ": can't be read (expected: a file with a token): " + Failure.reason(e), e);
    }
  }
}
