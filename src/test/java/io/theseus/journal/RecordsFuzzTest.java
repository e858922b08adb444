package io.theseus.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.theseus.journal.Records.DamagedRecordException;
import io.theseus.testing.Allocation;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Tag;

/**
 * Keys, records, edits of a MANIFEST and index blocks of a table whose checksums hold, whatever is
 * in them: a checksum keeps a fuzzer out, not a mistake. They are read as they were written, or
 * refused.
 *
 * <p>The inputs: a byte that says which (modulo 4: key, record, edit, index block), then it.
 */
class RecordsFuzzTest {
  private static final byte[] KEY = Keys.event("session-1", 7);

  static {
    // the first of all loads logging and Akka's classes, which allocates more than any input
    new DirectoryCheck.Manifest().apply(new byte[0]);
    assertThatThrownBy(() -> Records.Event.from(KEY, sealed(KEY, new byte[0])))
        .isInstanceOf(DamagedRecordException.class);
  }

  @Tag("fuzz-records")
  @FuzzTest(maxDuration = "45m")
  void shouldReadOrRefuseWhatHasAGoodChecksum(byte[] bytes) {
    if (bytes.length == 0) {
      return;
    }
    byte[] rest = Arrays.copyOfRange(bytes, 1, bytes.length);
    switch (Math.floorMod(bytes[0], 4)) {
      case 0 -> readKey(rest);
      case 1 -> readRecord(rest);
      case 2 -> readEdit(rest);
      default -> readTable(rest);
    }
  }

  private static void readKey(byte[] key) {
    if (!Keys.wellFormed(key)) {
      assertThatThrownBy(() -> Records.body(key, new byte[10]))
          .isInstanceOf(DamagedRecordException.class);
      return;
    }
    String id = Keys.id(key);
    byte[] again =
        switch (Keys.kind(key)) {
          case Keys.HEAD -> Keys.head(id);
          case Keys.EVENT -> Keys.event(id, Keys.sequenceNr(key));
          default -> Keys.snapshot(id, Keys.sequenceNr(key), Keys.timestamp(key));
        };
    assertThat(Keys.sameId(key, key)).isTrue();
    if (id.indexOf('\uFFFD') < 0) {
      assertThat(again).isEqualTo(key);
    }
  }

  private static void readRecord(byte[] body) {
    byte[] value = sealed(KEY, body);
    Allocation allocation = Allocation.begin();
    try {
      Records.Event event = Records.Event.from(KEY, value);
      allocation.check(body.length);
      assertThat(event.value(KEY)).isEqualTo(value);
    } catch (DamagedRecordException e) {
      allocation.check(body.length);
      assertThat(e).hasMessageStartingWith("event 7 of session-1 ");
    }
    for (int at = 0; at < value.length; at += 1 + value.length / 8) {
      byte[] flipped = value.clone();
      flipped[at] ^= 0x10;
      assertThatThrownBy(() -> Records.body(KEY, flipped))
          .isInstanceOf(DamagedRecordException.class)
          .hasMessageStartingWith("event 7 of session-1 has ");
    }
  }

  private static void readEdit(byte[] edit) {
    Allocation allocation = Allocation.begin();
    try {
      new DirectoryCheck.Manifest().apply(edit);
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      // refused in words by whoever knows the file
    }
    allocation.check(edit.length);
  }

  private static void readTable(byte[] index) {
    ByteBuffer file =
        ByteBuffer.allocate(index.length + 10 + 48).order(ByteOrder.LITTLE_ENDIAN).put(index);
    seal(file, 0, index.length);
    seal(file, index.length + 5, 0); // the metaindex, which is not looked into
    putVarint(file, index.length + 5);
    putVarint(file, 0);
    putVarint(file, 0);
    putVarint(file, index.length);
    file.putLong(file.limit() - 8, 0xdb4775248b80fb57L);
    byte[] bytes = new byte[file.limit()];
    file.get(0, bytes);

    Allocation allocation = Allocation.begin();
    Optional<String> found = TableFile.damageOf(bytes);
    allocation.check(bytes.length);
    found.ifPresent(damage -> assertThat(damage).isNotEmpty());
  }

  /** A trailer behind a block: its type, its checksum. */
  private static void seal(ByteBuffer file, int start, int length) {
    CRC32C crc = new CRC32C();
    crc.update(file.slice(start, length + 1));
    file.put(start + length, (byte) 0);
    file.putInt(start + length + 1, LogFile.masked(crc));
    file.position(start + length + 5);
  }

  private static void putVarint(ByteBuffer out, int value) {
    int left = value;
    while (left > 0x7f) {
      out.put((byte) (left | 0x80));
      left >>>= 7;
    }
    out.put((byte) left);
  }

  private static byte[] sealed(byte[] key, byte[] body) {
    byte[] value = ByteBuffer.allocate(5 + body.length).put((byte) 1).putInt(0).put(body).array();
    CRC32C crc = new CRC32C();
    crc.update(key);
    crc.update(value, 0, 1);
    crc.update(value, 5, body.length);
    ByteBuffer.wrap(value).putInt(1, (int) crc.getValue());
    return value;
  }
}
