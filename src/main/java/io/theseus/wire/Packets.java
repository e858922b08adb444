package io.theseus.wire;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/** Encodes packets. Payload is never copied: only the header before it is written here. */
public final class Packets {
  /** Bytes of an INFO or ERROR packet before its text. */
  public static final int TEXT_HEADER = 5;

  /** Bytes of a BACKUPINFO packet before its text. */
  public static final int BACKUPINFO_HEADER = 21;

  /** Bytes of a BACKUPDATA packet before its data. */
  public static final int BACKUPDATA_HEADER = 29;

  /** Bytes of a DATA packet before its data. */
  public static final int DATA_HEADER = 13;

  /** Bytes of an OFFSET packet. */
  public static final int OFFSET_LENGTH = 9;

  /** Most bytes of text in an INFO, BACKUPINFO or ERROR packet. */
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

  /** Writes the header of a BACKUPDATA packet; {@code length} data bytes must follow it. */
  public static void putBackupDataHeader(ByteBuffer out, UUID session, int length, long offset) {
    out.put(PacketType.BACKUPDATA).putInt(length);
    putSession(out, session);
    out.putLong(offset);
  }

  /** A BACKUPINFO packet; throws if the text is over 64 KiB. */
  public static ByteBuffer backupInfo(UUID session, String text) {
    byte[] bytes = textBytes("BACKUPINFO", text);
    ByteBuffer out = ByteBuffer.allocate(BACKUPINFO_HEADER + bytes.length);
    out.put(PacketType.BACKUPINFO).putInt(bytes.length);
    putSession(out, session);
    return out.put(bytes).flip();
  }

  private static void putSession(ByteBuffer out, UUID session) {
    out.putLong(session.getMostSignificantBits()).putLong(session.getLeastSignificantBits());
  }

  /** An INFO packet; throws if the text is over 64 KiB. */
  public static ByteBuffer info(String text) {
    byte[] bytes = textBytes("INFO", text);
    return text(PacketType.INFO, bytes, bytes.length);
  }

  private static byte[] textBytes(String packet, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (bytes.length > MAX_TEXT) {
      throw new IllegalArgumentException(
          packet + " text: " + bytes.length + " bytes (expected: at most " + MAX_TEXT + ")");
    }
    return bytes;
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
    ByteBuffer out = ByteBuffer.allocate(TEXT_HEADER + length);
    out.put(type).putInt(length).put(bytes, 0, length);
    return out.flip();
  }
}
