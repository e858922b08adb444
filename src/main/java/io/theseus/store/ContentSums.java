package io.theseus.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/** The SHA-256 of a growing file, and the sums of its blocks. One thread at a time. */
final class ContentSums {
  private static final int READ_BACK_BYTES = 256 << 10;

  private final MessageDigest sha256 = newSha256();
  private final BlockSums blocks = new BlockSums();
  private @Nullable ByteBuffer readBack;

  /** Takes what is between position and limit. */
  void update(ByteBuffer data) {
    blocks.update(data);
    sha256.update(data);
  }

  /** Takes some of what is staged already, up to an offset; gives how many bytes. */
  int readBack(PartFile part, long from, long upTo) throws IOException {
    ByteBuffer into = readBack;
    if (into == null) {
      into = ByteBuffer.allocateDirect(READ_BACK_BYTES);
      readBack = into;
    }
    into.clear().limit((int) Math.min(into.capacity(), upTo - from));
    int n = part.read(into, from);
    if (n <= 0) {
      throw new IOException("the part ends at " + from + " (expected: >= " + upTo + ")");
    }
    update(into.flip());
    return n;
  }

  /** Nothing more is read back: its buffer can go. */
  void readBackIsOver() {
    readBack = null;
  }

  /** In lower case hex; the last call on this. */
  String sha256() {
    return HexFormat.of().formatHex(sha256.digest());
  }

  int[] blocks() {
    return blocks.toArray();
  }

  private static MessageDigest newSha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is missing (expected: any Java runtime has it)", e);
    }
  }
}
