package io.theseus.store;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Bytes on their way, with the number of lanes that still need them. */
final class Chunk {
  private static final Logger LOG = LoggerFactory.getLogger(Chunk.class);

  final ByteBuffer toWrite;
  final ByteBuffer toHash;

  /** What was received instead of what is stored; null where that is the same. */
  final @Nullable ByteBuffer received;

  private final Runnable release;
  private final AtomicInteger holds;

  /** {@code release} is called once, by the last of the lanes. */
  Chunk(ByteBuffer data, @Nullable ByteBuffer received, Runnable release, int holds) {
    this.toWrite = data.duplicate();
    this.toHash = data.duplicate();
    this.received = received == null ? null : received.duplicate();
    this.release = release;
    this.holds = new AtomicInteger(holds);
  }

  void hold() {
    holds.incrementAndGet();
  }

  void drop() {
    if (holds.decrementAndGet() == 0) {
      try {
        release.run();
      } catch (RuntimeException e) {
        LOG.error("release of a buffer failed", e);
      }
    }
  }
}
