package io.theseus.wire;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Encodes packets. Payload of DATA is never copied: only its 13-byte header is written here. */
public final class Packets {
  /** Bytes of a DATA packet before its data. */
  public static final int DATA_HEADER = 13;

  /** Bytes of an OFFSET packet. */
  public static final int OFFSET_LENGTH = 9;

  /** Most bytes of text in an INFO or ERROR packet. */
  public static final int MAX_TEXT = 64 * 1024;

  /** Bounds of Max-Data as a server may announce it. */
  public static final int MIN_MAX_DATA = 4 * 1024;

  public static final int MAX_MAX_DATA = 16 * 1024 * 1024;

  private Packets() {}

  /** Writes the header of a DATA packet; {@code length} data bytes must follow it. */
  public static void putDataHeader(ByteBuffer out, int length, long offset) {
    out.put(PacketType.DATA).putInt(length).putLong(offset);
  }

  /** Writes an OFFSET packet. */
  public static void putOffset(ByteBuffer out, long offset) {
    out.put(PacketType.OFFSET).putLong(offset);
  }

  /** An INFO packet; throws if the text is over 64 KiB. */
  public static ByteBuffer info(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (bytes.length > MAX_TEXT) {
      throw new IllegalArgumentException(
          "INFO text: " + bytes.length + " bytes (expected: at most " + MAX_TEXT + ")");
    }
    return text(PacketType.INFO, bytes, bytes.length);
  }

  /** An ERROR packet; a text over 64 KiB is cut at a character. */
  public static ByteBuffer error(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int length = bytes.length;
    if (length > MAX_TEXT) {
      length = MAX_TEXT;
      while (length > 0 && (bytes[length] & 0xC0) == 0x80) {
        length--;
      }
    }
    return text(PacketType.ERROR, bytes, length);
  }

  private static ByteBuffer text(byte type, byte[] bytes, int length) {
    ByteBuffer out = ByteBuffer.allocate(5 + length);
    out.put(type).putInt(length).put(bytes, 0, length);
    return out.flip();
  }
}
