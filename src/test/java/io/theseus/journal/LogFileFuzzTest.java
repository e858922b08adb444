package io.theseus.journal;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.theseus.journal.LogFile.Contents;
import io.theseus.testing.Allocation;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;

/**
 * Any file as LevelDB's log, and any damage of a log that was written well.
 *
 * <p>The inputs: a first byte that is even, then the file as it is; or one that is odd, then where
 * to cut (4), which bit to flip (4), and records, each as length (2) and the byte that it repeats
 * (1).
 */
class LogFileFuzzTest {
  private static final int MOST_RECORDS = 12;

  @Tag("fuzz-journal")
  @FuzzTest(maxDuration = "45m")
  void shouldReadNoRecordThatWasNotWritten(byte[] bytes) {
    if (bytes.length == 0) {
      return;
    }
    if (bytes[0] % 2 == 0) {
      readAnything(Arrays.copyOfRange(bytes, 1, bytes.length));
    } else if (bytes.length > 9) {
      ByteBuffer in = ByteBuffer.wrap(bytes, 1, bytes.length - 1);
      readDamaged(in.getInt(), in.getInt(), records(in));
    }
  }

  private static void readAnything(byte[] file) {
    Allocation allocation = Allocation.begin();
    Contents contents = LogFile.read(file);
    allocation.check(file.length);

    assertThat(contents.records().stream().mapToLong(each -> each.length).sum())
        .isLessThanOrEqualTo(contents.wholeEnd());
    assertThat(contents.wholeEnd()).isBetween(0L, (long) file.length);
    if (contents.isDamaged()) {
      assertThat(contents.damagedAt()).isBetween(contents.wholeEnd(), (long) file.length);
    } else {
      assertThat(contents.isCorruptMiddle()).isFalse();
    }
    if (contents.isCorruptMiddle()) {
      assertThat(contents.nextRecordAt()).isGreaterThanOrEqualTo(contents.damagedAt());
    }
    // what is cut off is all that was wrong, and nothing else
    Contents cut = LogFile.read(Arrays.copyOf(file, (int) contents.wholeEnd()));
    assertThat(cut.isDamaged()).isFalse();
    assertThat(cut.records()).containsExactlyElementsOf(contents.records());
  }

  private static void readDamaged(int cutAt, int bit, List<byte[]> records) {
    byte[] file = LogFileTest.write(records);
    if (file.length == 0) {
      return;
    }
    List<Integer> ends = LogFileTest.ends(records);
    assertThat(LogFile.read(file).records()).containsExactlyElementsOf(records);

    int end = Integer.remainderUnsigned(cutAt, file.length + 1);
    Contents torn = LogFile.read(Arrays.copyOf(file, end));
    assertThat(torn.isCorruptMiddle()).as("a torn tail").isFalse();
    assertThat(torn.records())
        .containsExactlyElementsOf(
            records.subList(0, (int) ends.stream().filter(each -> each <= end).count()));

    int at = Integer.remainderUnsigned(bit, file.length);
    byte[] flipped = file.clone();
    flipped[at] ^= (byte) (1 << Integer.remainderUnsigned(bit, 8));
    Contents damaged = LogFile.read(flipped);
    if (damaged.isDamaged()) {
      int hit = (int) ends.stream().filter(each -> each <= at).count();
      assertThat(damaged.records()).containsExactlyElementsOf(records.subList(0, hit));
      assertThat(damaged.isCorruptMiddle()).isEqualTo(hit < records.size() - 1);
    } else {
      // filler at the end of a block
      assertThat(damaged.records()).containsExactlyElementsOf(records);
    }
  }

  private static List<byte[]> records(ByteBuffer in) {
    List<byte[]> records = new ArrayList<>();
    while (in.remaining() >= 3 && records.size() < MOST_RECORDS) {
      byte[] record = new byte[Short.toUnsignedInt(in.getShort())];
      Arrays.fill(record, in.get());
      records.add(record);
    }
    return records;
  }
}
