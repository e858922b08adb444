package io.theseus.testing;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.SplittableRandom;

/** Bytes that nothing else looks like, with their SHA-256. */
public final class Content {
  private final byte[] bytes;
  private final String sha256;

  private Content(byte[] bytes) {
    this.bytes = bytes;
    this.sha256 = HexFormat.of().formatHex(sha256().digest(bytes));
  }

  /** Random bytes; the same for the same seed. */
  public static Content random(long seed, int size) {
    byte[] bytes = new byte[size];
    new SplittableRandom(seed).nextBytes(bytes);
    return new Content(bytes);
  }

  public int size() {
    return bytes.length;
  }

  /** In lower-case hex. */
  public String sha256Hex() {
    return sha256;
  }

  /** The bytes themselves; nobody changes them. */
  byte[] bytes() {
    return bytes;
  }

  /** Some of the bytes. */
  public byte[] bytes(long from, int length) {
    return Arrays.copyOfRange(bytes, (int) from, (int) from + length);
  }

  /** The SHA-256 of a file, in lower-case hex. */
  public static String sha256HexOf(Path file) throws IOException {
    MessageDigest digest = sha256();
    try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
      in.transferTo(java.io.OutputStream.nullOutputStream());
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public String toString() {
    return bytes.length + " bytes " + sha256.substring(0, 8);
  }
}
