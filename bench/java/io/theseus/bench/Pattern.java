package io.theseus.bench;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * The bytes of every file: a pattern of xorshift64 again and again, file {@code i} beginning at
 * byte {@code i * STEP} of it. {@code bench/native/load_put.c} sends the same.
 *
 * <p>Its length is no part of the lengths that a server works in, so that bytes at a wrong place,
 * or in a wrong file, are found.
 */
public final class Pattern {
  private static final int LENGTH = 2053 << 12;
  private static final int STEP = 4093;
  private static final byte[] BYTES = make();

  private Pattern() {}

  private static byte[] make() {
    ByteBuffer words = ByteBuffer.allocate(LENGTH).order(ByteOrder.LITTLE_ENDIAN);
    long state = 88172645463325252L;
    while (words.hasRemaining()) {
      state ^= state << 13;
      state ^= state >>> 7;
      state ^= state << 17;
      words.putLong(state);
    }
    return words.array();
  }

  /** Takes pieces of bytes. */
  @FunctionalInterface
  public interface Sink {
    void take(byte[] bytes, int from, int length) throws IOException;
  }

  /**
   * Gives bytes of a file.
   *
   * @param position of the first
   */
  public static void each(int index, long position, long bytes, Sink sink) throws IOException {
    int at = (int) (((long) index * STEP + position) % LENGTH);
    long left = bytes;
    while (left > 0) {
      int length = (int) Math.min(LENGTH - at, left);
      sink.take(BYTES, at, length);
      left -= length;
      at = 0;
    }
  }

  /** Writes a file. */
  public static void write(Path file, int index, long size) throws IOException {
    try (OutputStream out = Files.newOutputStream(file)) {
      each(index, /* position= */ 0, size, out::write);
    }
  }

  /** The SHA-256 of a file, as it has to be. */
  public static String sha256(int index, long size) throws IOException {
    MessageDigest digest = sha256();
    each(index, /* position= */ 0, size, digest::update);
    return HexFormat.of().formatHex(digest.digest());
  }

  /** A digest that every Java has. */
  public static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
