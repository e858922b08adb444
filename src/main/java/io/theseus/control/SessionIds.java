package io.theseus.control;

import java.nio.ByteBuffer;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.UUID;

/**
 * Random ids from the system's secure source, taken a block at a time; for one thread.
 *
 * <p>{@link UUID#randomUUID} mixes each id with a digest of its own, under a lock of the whole
 * process: a seventh of all that opening and closing a session costs, and on the one thread that
 * all sessions pass.
 */
final class SessionIds {
  private static final int BLOCK_BYTES = 4096;

  /** Reads the system's source without mixing; elsewhere than on Unix there is none. */
  private static final String SYSTEM_SOURCE = "NativePRNGNonBlocking";

  private final SecureRandom random;
  private final boolean direct;
  private ByteBuffer block = ByteBuffer.allocate(0);

  SessionIds() {
    SecureRandom source;
    boolean found = true;
    try {
      source = SecureRandom.getInstance(SYSTEM_SOURCE);
    } catch (NoSuchAlgorithmException e) {
      source = new SecureRandom();
      found = false;
    }
    random = source;
    direct = found;
  }

  /** A new id: version 4, RFC 9562. */
  UUID next() {
    if (!block.hasRemaining()) {
      block = ByteBuffer.wrap(bytes());
    }
    long most = (block.getLong() & ~0xf000L) | 0x4000L;
    long least = (block.getLong() & ~(3L << 62)) | (1L << 63);
    return new UUID(most, least);
  }

  private byte[] bytes() {
    if (direct) {
      return random.generateSeed(BLOCK_BYTES);
    }
    byte[] bytes = new byte[BLOCK_BYTES];
    random.nextBytes(bytes);
    return bytes;
  }
}
