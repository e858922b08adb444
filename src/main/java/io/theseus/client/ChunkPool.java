package io.theseus.client;

import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;

/** Keeps a few chunks for reuse: direct memory is slow to allocate and slow to be given back. */
final class ChunkPool {
  private static final int KEPT = 24;

  private final ConcurrentLinkedDeque<Chunk> free = new ConcurrentLinkedDeque<>();
  private final AtomicInteger kept = new AtomicInteger();

  /** An empty chunk with one reference, the caller's. */
  Chunk take() {
    // last in, first out: the chunk that is still in the cache
    Chunk chunk = free.pollFirst();
    if (chunk == null) {
      chunk = new Chunk(this, ByteBuffer.allocateDirect(Chunk.BYTES));
    } else {
      kept.decrementAndGet();
    }
    chunk.buffer().clear();
    return chunk.retain();
  }

  void back(Chunk chunk) {
    if (kept.incrementAndGet() <= KEPT) {
      free.addFirst(chunk);
    } else {
      kept.decrementAndGet();
    }
  }
}
