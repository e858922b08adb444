package io.theseus.store;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32C;

/** The CRC32C of each block of 1 MiB of a growing file: 4 bytes for each. One thread at a time. */
final class BlockSums {
  static final int BLOCK_BYTES = 1 << 20;

  private final CRC32C crc = new CRC32C();
  private int[] sums = new int[1];
  private int whole;
  private int inBlock;

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
        if (whole == sums.length) {
          sums = Arrays.copyOf(sums, 2 * whole);
        }
        sums[whole++] = (int) crc.getValue();
        crc.reset();
        inBlock = 0;
      }
    }
  }

  /** The sums so far; the last block may be shorter than the others. */
  int[] toArray() {
    int[] all = Arrays.copyOf(sums, inBlock > 0 ? whole + 1 : whole);
    if (inBlock > 0) {
      all[whole] = (int) crc.getValue();
    }
    return all;
  }
}
