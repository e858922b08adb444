package io.theseus.journal;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * A checker of LevelDB's table files: each block of the file against its checksum.
 *
 * <p>A table ends in a footer of 48 bytes: handles (offset and size, varints) of the metaindex and
 * of the index block, filler, and a magic number. Behind each block stand its type (1: 0 plain, 1
 * Snappy) and the masked CRC32C of block and type (4). The index block is a row of entries (varints
 * shared, unshared and value length, then key suffix and value) whose values are the handles of the
 * data blocks, then its restart offsets (4 each) and their count (4). Source: {@code
 * doc/table_format.md} and {@code table/format.cc} of LevelDB.
 */
final class TableFile {
  private static final int FOOTER = 48;
  private static final int TRAILER = 5;
  private static final long MAGIC = 0xdb4775248b80fb57L;

  private final ByteBuffer file;

  private TableFile(byte[] file) {
    this.file = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** What is wrong with a table, or nothing. */
  static Optional<String> damageOf(byte[] file) {
    try {
      new TableFile(file).check();
      return Optional.empty();
    } catch (DamageException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  private void check() {
    int size = file.limit();
    if (size < FOOTER) {
      throw new DamageException("size: " + size + " (expected: >= " + FOOTER + ")");
    }
    long magic = file.getLong(size - 8);
    if (magic != MAGIC) {
      throw new DamageException("magic number: %016x (expected: %016x)".formatted(magic, MAGIC));
    }
    try {
      ByteBuffer footer = slice(size - FOOTER, FOOTER);
      block(footer);
      ByteBuffer index = block(footer);
      int restarts = index.getInt(index.limit() - 4);
      int end = index.limit() - 4 - 4 * restarts;
      while (index.position() < end) {
        varint(index);
        long keyLength = varint(index);
        long valueLength = varint(index);
        if (keyLength < 0 || keyLength > end || valueLength < 0 || valueLength > end) {
          throw new IndexOutOfBoundsException();
        }
        int value = index.position() + (int) keyLength;
        // the Java port fills a handle up to its greatest length
        block(index.slice(value, (int) valueLength));
        index.position(value + (int) valueLength);
      }
    } catch (BufferUnderflowException | IndexOutOfBoundsException | IllegalArgumentException e) {
      throw new DamageException("a block's address points outside of the file", e);
    }
  }

  /** Reads a handle and checks the block that it names. */
  private ByteBuffer block(ByteBuffer handle) {
    long offset = varint(handle);
    long size = varint(handle);
    if (offset < 0 || size < 0 || offset > file.limit() || size > file.limit() - offset - TRAILER) {
      throw new DamageException(
          "block of " + size + " bytes at offset " + offset + " ends outside of the file");
    }
    int start = (int) offset;
    int length = (int) size;
    CRC32C crc = new CRC32C();
    crc.update(slice(start, length + 1));
    int stored = file.getInt(start + length + 1);
    int computed = LogFile.masked(crc);
    if (stored != computed) {
      throw new DamageException(
          "block of %d bytes at offset %d: checksum: %08x (expected: %08x)"
              .formatted(length, start, stored, computed));
    }
    return slice(start, length);
  }

  private ByteBuffer slice(int offset, int length) {
    return file.slice(offset, length).order(ByteOrder.LITTLE_ENDIAN);
  }

  static long varint(ByteBuffer in) {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      byte next = in.get();
      value |= (long) (next & 0x7f) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw new IllegalArgumentException("varint: more than 10 bytes (expected: <= 10)");
  }

  private static final class DamageException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    DamageException(String message) {
      super(message);
    }

    DamageException(String message, Throwable cause) {
      super(message, cause);
    }
  }
}
