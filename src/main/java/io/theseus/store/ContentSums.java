package io.theseus.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * The SHA-256 of a growing file, the sums of its blocks, and the SHA-256 of what was received for
 * it, which costs something only where that is something else. One thread at a time.
 */
final class ContentSums {
  private static final int READ_BACK_BYTES = 256 << 10;

  /** Null where only blocks are summed. */
  private final @Nullable MessageDigest sha256;

  private final BlockSums blocks = new BlockSums();

  /** Of what was received, from the first byte on that is not what is stored. */
  private @Nullable MessageDigest received;

  private @Nullable ByteBuffer readBack;

  /** Of nothing yet. */
  ContentSums(UploadRequest.Hashing hashing) {
    this.sha256 = hashing == UploadRequest.Hashing.SHA256 ? newSha256() : null;
  }

  /** Takes what is between position and limit. */
  void update(ByteBuffer data) {
    update(data, null);
  }

  /**
   * Takes what is between position and limit.
   *
   * @param instead what was received instead; null where that is the same
   */
  void update(ByteBuffer data, @Nullable ByteBuffer instead) {
    blocks.update(data);
    MessageDigest stored = sha256;
    if (stored == null) {
      return;
    }
    if (instead != null && received == null) {
      received = copy(stored); // up to here it was the same
    }
    MessageDigest digest = received;
    if (digest != null) {
      digest.update(instead == null ? data.duplicate() : instead);
    }
    stored.update(data);
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

  /** Of what is stored, in lower case hex. */
  String sha256() {
    return hex(digest());
  }

  /** Of what was received, in lower case hex. */
  String received() {
    return hex(received == null ? digest() : received);
  }

  private MessageDigest digest() {
    if (sha256 == null) {
      throw new IllegalStateException("only blocks are summed");
    }
    return sha256;
  }

  private static String hex(MessageDigest digest) {
    return HexFormat.of().formatHex(copy(digest).digest());
  }

  private static MessageDigest copy(MessageDigest digest) {
    try {
      return (MessageDigest) digest.clone();
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException("SHA-256 has no copy (expected: any Java's has)", e);
    }
  }

  BlockSums blocks() {
    return blocks;
  }

  private static MessageDigest newSha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is missing (expected: any Java runtime has it)", e);
    }
  }
}
