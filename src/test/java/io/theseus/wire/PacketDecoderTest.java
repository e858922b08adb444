package io.theseus.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.theseus.wire.PacketDecoder.Event;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PacketDecoderTest {
  private static final int MAX_DATA = 4096;

  /** Any packets, split anywhere, come out as they went in; payload is a view of the input. */
  @Property(tries = 300)
  void shouldReadWhatWasWrittenHoweverItIsSplit(
      @ForAll long seed,
      @ForAll boolean betweenMembers,
      @ForAll @IntRange(min = 1, max = 40) int packets)
      throws Exception {
    Random random = new Random(seed);
    ByteArrayOutputStream stream = new ByteArrayOutputStream();
    List<String> written = new ArrayList<>();
    for (int i = 0; i < packets; i++) {
      written.add(
          betweenMembers ? writeAnyBetweenMembers(random, stream) : writeAny(random, stream));
    }
    PacketDecoder decoder = decoder(betweenMembers);
    List<String> read = new ArrayList<>();
    ByteArrayOutputStream payload = new ByteArrayOutputStream();
    StringBuilder what = new StringBuilder(); // of the payload
    byte[] bytes = stream.toByteArray();
    for (int from = 0; from < bytes.length; ) {
      int length = Math.min(bytes.length - from, 1 + random.nextInt(700));
      // not at the beginning of its array, as a pooled buffer is not
      byte[] array = new byte[length + 7];
      System.arraycopy(bytes, from, array, 7, length);
      ByteBuffer in = ByteBuffer.wrap(array, 7, length);
      drain(decoder, in, array, payload, what, read);
      from += length;
    }
    assertThat(read).isEqualTo(written);
    assertThat(decoder.midPacket()).isFalse();
  }

  private static PacketDecoder decoder(boolean betweenMembers) {
    return betweenMembers ? PacketDecoder.betweenMembers(MAX_DATA) : new PacketDecoder(MAX_DATA);
  }

  private static void drain(
      PacketDecoder decoder,
      ByteBuffer in,
      byte[] array,
      ByteArrayOutputStream payload,
      StringBuilder what,
      List<String> read)
      throws ProtocolException {
    Event event;
    while ((event = decoder.next(in)) != Event.NEED_INPUT) {
      switch (event) {
        case BACKUPINFO -> read.add("BACKUPINFO " + decoder.session() + " " + decoder.text());
        case INFO -> read.add("INFO " + decoder.text());
        case ERROR -> read.add("ERROR " + decoder.text());
        case OFFSET -> read.add("OFFSET " + decoder.offset());
        case DATA, BACKUPDATA -> {
          payload.reset();
          what.setLength(0);
          what.append(event).append(' ');
          if (event == Event.BACKUPDATA) {
            what.append(decoder.session()).append(' ');
          }
          what.append(decoder.offset()).append(' ');
        }
        default -> {
          payload.write(array, decoder.payloadPosition(), decoder.payloadLength());
          if (decoder.lastPiece()) {
            read.add(what + HexFormat.of().formatHex(payload.toByteArray()));
          }
        }
      }
    }
  }

  private static String writeAny(Random random, ByteArrayOutputStream stream) {
    long offset = random.nextLong() & (Long.MAX_VALUE >> random.nextInt(60));
    String text = "x\u00e9\ud83d\ude00".repeat(random.nextInt(60));
    return switch (random.nextInt(4)) {
      case 0 -> {
        stream.writeBytes(Packets.info(text).array());
        yield "INFO " + text;
      }
      case 1 -> {
        stream.writeBytes(Packets.error(text).array());
        yield "ERROR " + text;
      }
      case 2 -> {
        ByteBuffer packet = ByteBuffer.allocate(Packets.OFFSET_LENGTH);
        Packets.putOffset(packet, offset);
        stream.writeBytes(packet.array());
        yield "OFFSET " + offset;
      }
      default -> writeData(random, Math.min(offset, Long.MAX_VALUE - MAX_DATA), stream);
    };
  }

  private static String writeAnyBetweenMembers(Random random, ByteArrayOutputStream stream) {
    UUID session = new UUID(random.nextLong(), random.nextLong());
    String text = "x\u00e9\ud83d\ude00".repeat(random.nextInt(60));
    switch (random.nextInt(3)) {
      case 0 -> {
        stream.writeBytes(Packets.error(text).array());
        return "ERROR " + text;
      }
      case 1 -> {
        stream.writeBytes(Packets.backupInfo(session, text).array());
        return "BACKUPINFO " + session + " " + text;
      }
      default -> {
        byte[] data = new byte[1 + random.nextInt(MAX_DATA)];
        random.nextBytes(data);
        long offset = random.nextLong(Long.MAX_VALUE - MAX_DATA);
        ByteBuffer header = ByteBuffer.allocate(Packets.BACKUPDATA_HEADER);
        Packets.putBackupDataHeader(header, session, data.length, offset);
        stream.writeBytes(header.array());
        stream.writeBytes(data);
        return "BACKUPDATA " + session + " " + offset + " " + HexFormat.of().formatHex(data);
      }
    }
  }

  private static String writeData(Random random, long offset, ByteArrayOutputStream stream) {
    byte[] data = new byte[1 + random.nextInt(MAX_DATA)];
    random.nextBytes(data);
    ByteBuffer header = ByteBuffer.allocate(Packets.DATA_HEADER);
    Packets.putDataHeader(header, data.length, offset);
    stream.writeBytes(header.array());
    stream.writeBytes(data);
    return "DATA " + offset + " " + HexFormat.of().formatHex(data);
  }

  /** Refused at the byte that is wrong: nothing behind it is waited for, nothing is allocated. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "00                         | packet type: 0 (expected: 1 to 4)",
        "ff                         | packet type: 255 (expected: 1 to 4)",
        "05 | packet type: 5 (expected: 1 to 4; BACKUP packets travel between members only)",
        "06 | packet type: 6 (expected: 1 to 4; BACKUP packets travel between members only)",
        "03 00000000                | length of DATA: 0 (expected: 1 to 4096)",
        "03 00001001                | length of DATA: 4097 (expected: 1 to 4096)",
        "03 80000000                | length of DATA: 2147483648 (expected: 1 to 4096)",
        "03 ffffffff                | length of DATA: 4294967295 (expected: 1 to 4096)",
        "02 00010001                | length of INFO: 65537 (expected: at most 65536)",
        "01 ffffffff                | length of ERROR: 4294967295 (expected: at most 65536)",
        "04 8000000000000000 | offset of OFFSET: 9223372036854775808 (expected: below 2^63)",
        "03 00000001 ffffffffffffffff"
            + " | offset of DATA: 18446744073709551615 (expected: below 2^63)",
        "03 00000001 7fffffffffffffff"
            + " | end of DATA: 9223372036854775807 + 1 (expected: below 2^63)",
        "02 00000002 c3 28          | text of INFO: not UTF-8 (expected: well-formed UTF-8)",
        "02 00000003 ed a0 80       | text of INFO: not UTF-8 (expected: well-formed UTF-8)",
        "01 00000001 ff             | text of ERROR: not UTF-8 (expected: well-formed UTF-8)",
      })
  void shouldNameWhatIsWrongWithAPacket(String hex, String message) {
    shouldBeRefused(new PacketDecoder(MAX_DATA), hex, message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "02 | packet type: 2 (expected: 1, 5 or 6 between members)",
        "03 | packet type: 3 (expected: 1, 5 or 6 between members)",
        "16 | packet type: 22 (expected: 1, 5 or 6 between members)",
        "05 00010001 | length of BACKUPINFO: 65537 (expected: at most 65536)",
        "06 00000000 | length of BACKUPDATA: 0 (expected: 1 to 4096)",
        "06 ffffffff | length of BACKUPDATA: 4294967295 (expected: 1 to 4096)",
        "06 00000001 00000000000000000000000000000000 8000000000000000"
            + " | offset of BACKUPDATA: 9223372036854775808 (expected: below 2^63)",
        "06 00000001 00000000000000000000000000000000 7fffffffffffffff"
            + " | end of BACKUPDATA: 9223372036854775807 + 1 (expected: below 2^63)",
        "05 00000001 00000000000000000000000000000000 ff"
            + " | text of BACKUPINFO: not UTF-8 (expected: well-formed UTF-8)",
      })
  void shouldNameWhatIsWrongWithAPacketBetweenMembers(String hex, String message) {
    shouldBeRefused(PacketDecoder.betweenMembers(MAX_DATA), hex, message);
  }

  private static void shouldBeRefused(PacketDecoder decoder, String hex, String message) {
    byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
    assertThatThrownBy(
            () -> {
              ByteBuffer in = ByteBuffer.wrap(bytes);
              Event event = decoder.next(in);
              throw new AssertionError("read " + event);
            })
        .isInstanceOfSatisfying(
            ProtocolException.class,
            refusal -> {
              assertThat(refusal.code()).isEqualTo(ErrorCode.BAD_PACKET);
              assertThat(refusal.errorText()).isEqualTo("bad-packet: " + message);
            });
    assertThatThrownBy(() -> decoder.next(ByteBuffer.allocate(1)))
        .isInstanceOf(IllegalStateException.class);
  }

  /** Bytes that mean nothing are refused or read; nothing else ever happens. */
  @Property(tries = 2000)
  void shouldSurviveAnyBytes(@ForAll byte[] bytes, @ForAll boolean betweenMembers) {
    PacketDecoder decoder = decoder(betweenMembers);
    ByteBuffer in = ByteBuffer.wrap(bytes);
    try {
      while (decoder.next(in) != Event.NEED_INPUT) {
        assertThat(in.position()).isLessThanOrEqualTo(bytes.length);
      }
    } catch (ProtocolException e) {
      assertThat(e.code()).isEqualTo(ErrorCode.BAD_PACKET);
    }
  }

  @Test
  void shouldTakeALowerLimitFromTheNextPacketOn() throws Exception {
    PacketDecoder decoder = new PacketDecoder(MAX_DATA);
    decoder.maxData(8);
    ByteBuffer header = ByteBuffer.allocate(Packets.DATA_HEADER);
    Packets.putDataHeader(header, 9, 0);
    assertThatThrownBy(() -> decoder.next(header.flip()))
        .hasMessage("length of DATA: 9 (expected: 1 to 8)");
  }
}
