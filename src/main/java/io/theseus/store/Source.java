package io.theseus.store;

import io.theseus.wire.ProtocolException;
import java.io.Closeable;
import java.nio.channels.FileChannel;
import java.util.Optional;

/**
 * Content that is copied elsewhere, perhaps while it is being written. By any thread; {@link
 * #close} ends the use of its descriptor.
 */
public interface Source extends Closeable {
  /** Bytes of a block, of which there is one sum for each. */
  int BLOCK_BYTES = BlockSums.BLOCK_BYTES;

  /** To send from; closed by {@link #close} alone. */
  FileChannel channel();

  /** Bytes that are there, from the first one on. Never falls. */
  long available();

  /** Whole blocks whose sums are known. Never falls. */
  int summed();

  /**
   * The CRC32C of whole blocks.
   *
   * @param firstBlock number of the first, from 0
   * @param count together at most {@link #summed}
   */
  int[] sums(int firstBlock, int count);

  /** What is before an offset is not asked for any more; at first that is 0. */
  default void from(long offset) {}

  /** Why nothing more comes; empty while all is well. */
  Optional<ProtocolException> failure();

  /**
   * Sets who is told, by any thread and in no time, that there is more, or a failure.
   *
   * @param watcher the only one from now on
   */
  void onChange(Runnable watcher);

  @Override
  void close();
}
