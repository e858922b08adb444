package io.theseus.client;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A direct buffer shared by the threads that work on it; the last {@link #release} gives it back.
 *
 * <p>Bytes are written once by the transfer's thread before a piece of them is handed on, so
 * readers need no lock.
 */
final class Chunk {
  /** Fits the second-level cache, and is large enough that a system call for each is cheap. */
  static final int BYTES = 512 * 1024;

  private final ChunkPool pool;
  private final ByteBuffer buffer;
  private final AtomicInteger references = new AtomicInteger();

  Chunk(ChunkPool pool, ByteBuffer buffer) {
    this.pool = pool;
    this.buffer = buffer;
  }

  /** The whole buffer; its position and limit belong to the transfer's thread. */
  ByteBuffer buffer() {
    return buffer;
  }

  /** A piece of it with a position and limit of its own. */
  ByteBuffer piece(int position, int length) {
    return buffer.slice(position, length);
  }

  Chunk retain() {
    references.incrementAndGet();
    return this;
  }

  /** Whether the caller, who holds a reference, is the only one. */
  boolean unshared() {
    return references.get() == 1;
  }

  void release() {
    int left = references.decrementAndGet();
    if (left == 0) {
      pool.back(this);
    } else if (left < 0) {
      throw new IllegalStateException("chunk references: " + left + " (expected: >= 0)");
    }
  }
}
