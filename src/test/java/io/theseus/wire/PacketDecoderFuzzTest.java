package io.theseus.wire;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.theseus.testing.Allocation;
import io.theseus.wire.PacketDecoder.Event;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;

/**
 * Any bytes at all, on a client port and between members. The inputs are streams of packets as they
 * are on the wire.
 *
 * <p>However they are split they mean the same; what was decoded encodes to the very bytes; the
 * only refusal is {@code bad-packet}; nothing is sized by a length that was not checked.
 */
class PacketDecoderFuzzTest {
  private static final int MAX_DATA = 4096;

  @Tag("fuzz-packets")
  @FuzzTest(maxDuration = "45m")
  void shouldDecodeTheSameHoweverItIsSplit(byte[] bytes) {
    shouldDecodeTheSame(bytes, () -> new PacketDecoder(MAX_DATA));
  }

  @Tag("fuzz-members")
  @FuzzTest(maxDuration = "45m")
  void shouldDecodeTheSameBetweenMembers(byte[] bytes) {
    shouldDecodeTheSame(bytes, () -> PacketDecoder.betweenMembers(MAX_DATA));
  }

  private static void shouldDecodeTheSame(byte[] bytes, Supplier<PacketDecoder> decoders) {
    Allocation allocation = Allocation.begin();
    Decoded whole = decode(decoders.get(), bytes, bytes.length);
    allocation.check(bytes.length);

    byte[] again = whole.encoded();
    assertThat(Arrays.copyOf(bytes, again.length)).as("what was decoded").isEqualTo(again);
    if (whole.error().isEmpty()) {
      assertThat(whole.midPacket()).isEqualTo(again.length < bytes.length);
    } else {
      assertThat(whole.error()).startsWith("bad-packet: ").contains(" (expected: ");
    }
    assertThat(decode(decoders.get(), bytes, 1)).as("byte by byte").isEqualTo(whole);
    assertThat(decode(decoders.get(), bytes, 30)).as("split").isEqualTo(whole);
  }

  /** A whole packet; {@code content} is text, for DATA and BACKUPDATA a char for each byte. */
  private record Packet(Event type, UUID session, long offset, String content) {}

  private record Decoded(List<Packet> packets, String error, boolean midPacket) {
    byte[] encoded() {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      for (Packet packet : packets) {
        ByteBuffer encoded = encoded(packet);
        byte[] piece = new byte[encoded.remaining()];
        encoded.get(piece);
        out.writeBytes(piece);
      }
      return out.toByteArray();
    }

    private static ByteBuffer encoded(Packet packet) {
      return switch (packet.type) {
        case INFO -> Packets.info(packet.content);
        case ERROR -> Packets.error(packet.content);
        case OFFSET -> {
          ByteBuffer out = ByteBuffer.allocate(Packets.OFFSET_LENGTH);
          Packets.putOffset(out, packet.offset);
          yield out.flip();
        }
        case BACKUPINFO -> Packets.backupInfo(packet.session, packet.content);
        case BACKUPDATA -> {
          byte[] data = packet.content.getBytes(StandardCharsets.ISO_8859_1);
          ByteBuffer out = ByteBuffer.allocate(Packets.BACKUPDATA_HEADER + data.length);
          Packets.putBackupDataHeader(out, packet.session, data.length, packet.offset);
          yield out.put(data).flip();
        }
        default -> {
          byte[] data = packet.content.getBytes(StandardCharsets.ISO_8859_1);
          ByteBuffer out = ByteBuffer.allocate(Packets.DATA_HEADER + data.length);
          Packets.putDataHeader(out, data.length, packet.offset);
          yield out.put(data).flip();
        }
      };
    }
  }

  /** Decodes in pieces of 1 to {@code most} bytes, each in an array of its own. */
  private static Decoded decode(PacketDecoder decoder, byte[] bytes, int most) {
    List<Packet> packets = new ArrayList<>();
    StringBuilder payload = new StringBuilder();
    Random random = new Random(bytes.length);
    try {
      for (int from = 0; from < bytes.length; ) {
        int length =
            Math.min(bytes.length - from, most == bytes.length ? most : 1 + random.nextInt(most));
        // not at the beginning of its array, as a pooled buffer is not
        byte[] array = new byte[length + 3];
        System.arraycopy(bytes, from, array, 3, length);
        drain(decoder, ByteBuffer.wrap(array, 3, length), array, payload, packets);
        from += length;
      }
      return new Decoded(packets, "", decoder.midPacket());
    } catch (ProtocolException e) {
      return new Decoded(packets, e.errorText(), false);
    }
  }

  private static void drain(
      PacketDecoder decoder,
      ByteBuffer in,
      byte[] array,
      StringBuilder payload,
      List<Packet> packets)
      throws ProtocolException {
    UUID none = new UUID(0, 0);
    Event event;
    while ((event = decoder.next(in)) != Event.NEED_INPUT) {
      switch (event) {
        case INFO, ERROR -> packets.add(new Packet(event, none, 0, decoder.text()));
        case OFFSET -> packets.add(new Packet(event, none, decoder.offset(), ""));
        case BACKUPINFO -> packets.add(new Packet(event, decoder.session(), 0, decoder.text()));
        case DATA, BACKUPDATA -> {
          assertThat(decoder.length()).isBetween(1, MAX_DATA);
          payload.setLength(0);
          payload.append(event == Event.DATA ? 'D' : 'B');
        }
        default -> {
          payload.append(
              new String(
                  array,
                  decoder.payloadPosition(),
                  decoder.payloadLength(),
                  StandardCharsets.ISO_8859_1));
          if (decoder.lastPiece()) {
            assertThat(payload).hasSize(1 + decoder.length());
            boolean backup = payload.charAt(0) == 'B';
            packets.add(
                new Packet(
                    backup ? Event.BACKUPDATA : Event.DATA,
                    backup ? decoder.session() : none,
                    decoder.offset(),
                    payload.substring(1)));
          }
        }
      }
    }
    assertThat(in.hasRemaining()).as("input left where more is needed").isFalse();
  }
}
