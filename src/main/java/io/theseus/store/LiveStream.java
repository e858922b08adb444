package io.theseus.store;

import io.theseus.wire.ProtocolException;
import java.io.Closeable;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A live source that is being read: a window of its bytes. The source waits while the window is
 * full. Any thread may call any method; none waits for the source.
 */
public final class LiveStream implements Closeable {
  /** The oldest byte that is kept. */
  public long base() {
    return Pending.value();
  }

  /** The bytes that came so far. */
  public long end() {
    return Pending.value();
  }

  /** The size, once the source has ended well. */
  public OptionalLong size() {
    return Pending.value();
  }

  /** Why the source ended before its end. */
  public Optional<ProtocolException> failure() {
    return Pending.value();
  }

  /**
   * Copies what there is at an offset; 0 where there is nothing yet.
   *
   * @throws IllegalArgumentException outside {@link #base} to {@link #end}
   */
  public int read(long offset, ByteBuffer into) {
    return Pending.value();
  }

  /** Lets the bytes before an offset go. */
  public void release(long upTo) {
    Pending.value();
  }

  /** Called after each change of end, size or failure, by the thread that made it; replaces. */
  public void onChange(Runnable listener) {
    Pending.value();
  }

  @Override
  public void close() {
    Pending.value();
  }
}
