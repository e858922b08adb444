package io.theseus.journal;

import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.journal.LogFile.Contents;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class LogFileTest {
  @Property(tries = 200)
  void shouldReadWhatAReferenceWriterWrote(
      @ForAll @Size(max = 12) List<@IntRange(max = 70_000) Integer> sizes,
      @ForAll long seed,
      @ForAll @IntRange(max = 70_000) int zeros) {
    List<byte[]> records = records(sizes, seed);
    byte[] file = write(records);

    Contents contents = LogFile.read(Arrays.copyOf(file, file.length + zeros));

    assertThat(contents.isDamaged()).isFalse();
    assertThat(contents.wholeEnd()).isEqualTo(file.length);
    assertThat(contents.records()).containsExactlyElementsOf(records);
  }

  @Property(tries = 500)
  void shouldTellTornFromCorruptWhereverABitFlips(
      @ForAll @Size(min = 1, max = 5) List<@IntRange(min = 1, max = 40_000) Integer> sizes,
      @ForAll long seed) {
    List<byte[]> records = records(sizes, seed);
    List<Integer> ends = ends(records);
    byte[] file = write(records);
    int at = new Random(seed).nextInt(file.length);
    file[at] ^= (byte) (1 << (at % 8));
    int damagedRecord = 0;
    while (ends.get(damagedRecord) <= at) {
      damagedRecord++;
    }

    Contents contents = LogFile.read(file);

    if (contents.isDamaged()) {
      assertThat(contents.records()).hasSize(damagedRecord);
      boolean isLast = damagedRecord == records.size() - 1;
      assertThat(contents.isCorruptMiddle()).isEqualTo(!isLast);
    } else {
      // the flip hit filler at the end of a block
      assertThat(contents.records()).containsExactlyElementsOf(records);
    }
  }

  @Test
  void shouldTakeTheRestOfATornRecordForTorn() {
    // 100 KB: first, middle, middle, last; only the first one didn't reach the disk
    byte[] file = write(records(List.of(10, 100_000), 1));
    Arrays.fill(file, 17, 32 * 1024, (byte) 0);

    Contents contents = LogFile.read(file);

    assertThat(contents.damagedAt()).isEqualTo(17);
    assertThat(contents.wholeEnd()).isEqualTo(17);
    assertThat(contents.isCorruptMiddle()).isFalse();
  }

  @Test
  void shouldTakeZerosBeforeARecordForACorruptMiddle() {
    byte[] file = write(records(List.of(10, 10, 10), 1));
    Arrays.fill(file, 17, 34, (byte) 0);

    Contents contents = LogFile.read(file);

    assertThat(contents.damagedAt()).isEqualTo(17);
    assertThat(contents.nextRecordAt()).isEqualTo(34);
  }

  @Test
  void shouldTakeARecordWithinARecordForACorruptMiddle() {
    // the last fragment of the first record is gone, as if the file had been cut and appended to
    byte[] first = Arrays.copyOf(write(records(List.of(40_000), 1)), 32 * 1024);
    byte[] second = write(records(List.of(10), 2));
    byte[] file = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, file, first.length, second.length);

    Contents contents = LogFile.read(file);

    assertThat(contents.records()).isEmpty();
    assertThat(contents.nextRecordAt()).isEqualTo(32 * 1024);
  }

  @Test
  void shouldFindNothingInAnEmptyFile() {
    assertThat(LogFile.read(new byte[0]).isDamaged()).isFalse();
    assertThat(LogFile.read(new byte[100_000]).wholeEnd()).isZero();
  }

  private static List<byte[]> records(List<Integer> sizes, long seed) {
    Random random = new Random(seed);
    List<byte[]> records = new ArrayList<>();
    for (int size : sizes) {
      byte[] record = new byte[size];
      random.nextBytes(record);
      records.add(record);
    }
    return records;
  }

  static List<Integer> ends(List<byte[]> records) {
    List<Integer> ends = new ArrayList<>();
    for (int count = 1; count <= records.size(); count++) {
      ends.add(write(records.subList(0, count)).length);
    }
    return ends;
  }

  /** LevelDB's log_writer.cc, in small. */
  static byte[] write(List<byte[]> records) {
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    for (byte[] record : records) {
      int from = 0;
      boolean begin = true;
      do {
        int left = 32 * 1024 - file.size() % (32 * 1024);
        if (left < 7) {
          file.write(new byte[left], 0, left);
          left = 32 * 1024;
        }
        int length = Math.min(left - 7, record.length - from);
        boolean end = from + length == record.length;
        int type = begin ? (end ? 1 : 2) : (end ? 4 : 3);
        begin = false; // its first fragment may be empty, at the end of a block
        CRC32C crc = new CRC32C();
        crc.update(type);
        crc.update(record, from, length);
        byte[] header =
            ByteBuffer.allocate(7)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(LogFile.masked(crc))
                .putShort((short) length)
                .put((byte) type)
                .array();
        file.write(header, 0, 7);
        file.write(record, from, length);
        from += length;
        if (end) {
          break;
        }
      } while (true);
    }
    return file.toByteArray();
  }
}
