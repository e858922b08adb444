package io.theseus.store;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * The CRC32C of each block of 1 MiB of a growing file: 4 bytes for each. One thread at a time adds
 * to it; any thread may read those of whole blocks meanwhile.
 */
final class BlockSums {
  static final int BLOCK_BYTES = 1 << 20;

  private final CRC32C crc = new CRC32C();
  private int inBlock;

  /** What is in it is told by {@link #whole}. */
  private volatile int[] sums = new int[1];

  private volatile int whole;

  /** Takes what is between position and limit, and leaves both. */
  void update(ByteBuffer data) {
    ByteBuffer rest = data.duplicate();
    while (rest.hasRemaining()) {
      int n = Math.min(rest.remaining(), BLOCK_BYTES - inBlock);
      ByteBuffer piece = rest.duplicate().limit(rest.position() + n);
      crc.update(piece);
      rest.position(rest.position() + n);
      inBlock += n;
      if (inBlock == BLOCK_BYTES) {
        add((int) crc.getValue());
      }
    }
  }

  private void add(int sum) {
    int count = whole;
    int[] into = sums;
    if (count == into.length) {
      into = Arrays.copyOf(into, 2 * count);
      sums = into;
    }
    into[count] = sum;
    whole = count + 1;
    crc.reset();
    inBlock = 0;
  }

  /** Blocks that are whole. */
  int whole() {
    return whole;
  }

  /** Sums of blocks that are whole; by any thread. */
  int[] whole(int first, int count) {
    int known = whole; // read before the array
    if (first < 0 || count < 0 || first + count > known) {
      throw new IndexOutOfBoundsException(
          "blocks " + first + " to " + (first + count) + " (expected: at most " + known + ")");
    }
    return Arrays.copyOfRange(sums, first, first + count);
  }

  /** That of the last block, where it is not whole; 0 where it is. */
  int last() {
    return inBlock > 0 ? (int) crc.getValue() : 0;
  }

  /** The sums so far; the last block may be shorter than the others. */
  int[] toArray() {
    int count = whole;
    int[] all = Arrays.copyOf(sums, inBlock > 0 ? count + 1 : count);
    if (inBlock > 0) {
      all[count] = (int) crc.getValue();
    }
    return all;
  }
}
