package io.theseus.store;

import io.theseus.wire.ProtocolException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.zip.CRC32C;

/**
 * A rotten file, of which most blocks are as they should be: who repairs it takes those whose sums
 * are the same elsewhere.
 */
public final class Salvage {
  /** Opens the file. */
  interface Opening {
    FileChannel open() throws ProtocolException;
  }

  private final Opening file;
  private final int[] sums;

  Salvage(Opening file, int[] sums) {
    this.file = file;
    this.sums = sums;
  }

  /** Whether a block had that sum when it was read last. */
  public boolean has(int block, int sum) {
    return block < sums.length && sums[block] == sum;
  }

  /**
   * Reads a whole block; waits for the disk.
   *
   * @throws IOException also where it is something else than when it was read last
   */
  public ByteBuffer read(int block) throws IOException, ProtocolException {
    ByteBuffer into = ByteBuffer.allocateDirect(Source.BLOCK_BYTES);
    long from = (long) block * Source.BLOCK_BYTES;
    try (FileChannel channel = file.open()) {
      while (into.hasRemaining()) {
        if (channel.read(into, from + into.position()) < 0) {
          throw new EOFException("ends in block " + block + " (expected: behind it)");
        }
      }
    }
    into.flip();
    CRC32C sum = new CRC32C();
    sum.update(into.duplicate());
    if ((int) sum.getValue() != sums[block]) {
      throw new IOException("block " + block + " changed (expected: what it was)");
    }
    return into;
  }
}
