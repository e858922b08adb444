package io.theseus.journal;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * A reader of LevelDB's log format, used by its write-ahead logs and by its MANIFEST.
 *
 * <p>A file is a row of 32 KiB blocks, a block a row of fragments, numbers little-endian:
 *
 * <pre>
 * checksum (4): masked CRC32C of type and data | length (2) | type (1) | data
 * type: 1 whole record, 2 first, 3 middle, 4 last fragment of a record
 * </pre>
 *
 * <p>A fragment doesn't cross a block; fewer than 7 bytes at the end of a block are filler.
 * leveldbjni and the Java port write through mapped memory that they extend ahead of time, so zeros
 * up to the end of the file are the normal look of a log that wasn't closed. Source: {@code
 * doc/log_format.md}, {@code db/log_reader.cc} and {@code util/crc32c.h} of LevelDB.
 *
 * <p><b>Torn or corrupt.</b> Each record is synced before the next one begins. So where no record
 * <em>begins</em> behind the first damage, the damaged record is the last one, its sync can't have
 * been acknowledged for all that the file shows, and it is a torn tail; later fragments of that
 * same record may well have reached the disk before the earlier ones. Where a record begins behind
 * it, the damaged one had been synced: a corrupt middle. Lengths behind the damage can't be
 * trusted, therefore each byte is tried as the begin of a fragment.
 */
final class LogFile {
  private static final int BLOCK = 32 * 1024;
  private static final int HEADER = 7;
  private static final int FULL = 1;
  private static final int FIRST = 2;
  private static final int MIDDLE = 3;
  private static final int LAST = 4;
  private static final int MASK_DELTA = 0xa282ead8;
  private static final long NOWHERE = -1;

  private LogFile() {}

  /**
   * What a log was found to be.
   *
   * @param records data of the whole records before any damage
   * @param wholeEnd offset behind the last whole record
   * @param damagedAt offset of the first damage, or -1
   * @param nextRecordAt offset at which a record begins behind the damage, or -1
   */
  record Contents(List<byte[]> records, long wholeEnd, long damagedAt, long nextRecordAt) {
    boolean isDamaged() {
      return damagedAt != NOWHERE;
    }

    boolean isCorruptMiddle() {
      return nextRecordAt != NOWHERE;
    }
  }

  static Contents read(byte[] file) {
    List<byte[]> records = new ArrayList<>();
    ByteArrayOutputStream fragments = new ByteArrayOutputStream();
    int wholeEnd = 0;
    boolean inRecord = false;
    int position = 0;
    while (position < file.length) {
      int left = BLOCK - position % BLOCK;
      if (left < HEADER) {
        position += left;
        continue;
      }
      if (isZeroFrom(file, position)) {
        break;
      }
      int length = fragmentLength(file, position);
      int type = length < 0 ? 0 : file[position + 6];
      boolean begins = type == FULL || type == FIRST;
      if (length < 0 || begins == inRecord) {
        return damaged(file, records, wholeEnd, position);
      }
      fragments.write(file, position + HEADER, length);
      position += HEADER + length;
      inRecord = type == FIRST || type == MIDDLE;
      if (!inRecord) {
        records.add(fragments.toByteArray());
        fragments.reset();
        wholeEnd = position;
      }
    }
    return inRecord
        ? new Contents(records, wholeEnd, wholeEnd, NOWHERE)
        : new Contents(records, wholeEnd, NOWHERE, NOWHERE);
  }

  /** LevelDB's masked CRC32C, which it stores so that a checksum over checksums is still good. */
  static int masked(CRC32C crc) {
    return Integer.rotateRight((int) crc.getValue(), 15) + MASK_DELTA;
  }

  private static Contents damaged(byte[] file, List<byte[]> records, int wholeEnd, int position) {
    for (int at = position; at < file.length; at++) {
      boolean mayBegin =
          at + HEADER <= file.length && (file[at + 6] == FULL || file[at + 6] == FIRST);
      // at the damage itself only where the fragment is good and stands in the wrong place
      if (mayBegin && fragmentLength(file, at) >= 0) {
        return new Contents(records, wholeEnd, position, at);
      }
    }
    return new Contents(records, wholeEnd, position, NOWHERE);
  }

  /** Length of the data of a good fragment, or -1 where there is none. */
  private static int fragmentLength(byte[] file, int position) {
    int left = Math.min(BLOCK - position % BLOCK, file.length - position);
    if (left < HEADER) {
      return -1;
    }
    ByteBuffer header = ByteBuffer.wrap(file, position, HEADER).order(ByteOrder.LITTLE_ENDIAN);
    int stored = header.getInt();
    int length = Short.toUnsignedInt(header.getShort());
    int type = header.get();
    if (type < FULL || type > LAST || HEADER + length > left) {
      return -1;
    }
    CRC32C crc = new CRC32C();
    crc.update(file, position + 6, 1 + length);
    return masked(crc) == stored ? length : -1;
  }

  private static boolean isZeroFrom(byte[] file, int position) {
    // a fragment never begins with seven zeros, so this ends at once nearly always
    for (int at = position; at < file.length; at++) {
      if (file[at] != 0) {
        return false;
      }
    }
    return true;
  }
}
