package io.theseus.store;

import io.theseus.wire.ProtocolException;
import java.io.Closeable;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A live source as one reader sees it: those of its bytes that came and are kept. Any thread may
 * call any method; none waits for the source.
 */
public sealed interface LiveStream extends Closeable permits LiveWindow, SpoolReader {
  /** The same for the same bytes; empty for a stream that is the reader's own. */
  Optional<String> identity();

  /** Whether the reader may go back, and others read beside it. */
  boolean isRewindable();

  /** The oldest byte that is kept. */
  long base();

  /** The bytes that came so far. */
  long end();

  /** The size, once the source has ended well. */
  OptionalLong size();

  /** Why the source ended before its end. */
  Optional<ProtocolException> failure();

  /**
   * Copies what there is at an offset; 0 where there is nothing yet. Of a stream that others read,
   * too, what was there may be gone by now: then {@link #base} is beyond the offset.
   *
   * @throws IllegalArgumentException outside {@link #base} to {@link #end} of a stream of its own
   */
  int read(long offset, ByteBuffer into);

  /**
   * The reader needs nothing before an offset any more.
   *
   * @throws IllegalArgumentException beyond {@link #end}
   */
  void release(long upTo);

  /** Asks the system to have a range at hand; may wait for the disk. */
  default void willNeed(long offset, long length) {}

  /**
   * Called after each change of end, size or failure, by the thread that made it. Replaces the one
   * before; look once after setting it, since nothing is repeated.
   */
  void onChange(Runnable newListener);

  /** Ends the reading; a source that nobody else reads ends, too, unless it is spooled. */
  @Override
  void close();
}
