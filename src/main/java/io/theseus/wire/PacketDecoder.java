package io.theseus.wire;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;

/**
 * Reads packets from a stream that may be split at any byte, between clients and nodes or between
 * members of a cluster; both ends.
 *
 * <p>A pull parser: call {@link #next} until it says {@link Event#NEED_INPUT}. Payload of DATA is
 * never copied: {@link Event#PAYLOAD} names the range of the input buffer in which it lies. A
 * length is checked as soon as it is read, before anything is sized by it. After a {@link
 * ProtocolException} the stream is out of step and the decoder refuses further use.
 */
public final class PacketDecoder {
  /** What {@link #next} found. */
  public enum Event {
    /** The input is used up; nothing is pending but what the decoder keeps itself. */
    NEED_INPUT,
    /** A whole ERROR: {@link #text}. */
    ERROR,
    /** A whole INFO: {@link #text}. */
    INFO,
    /** A whole OFFSET: {@link #offset}. */
    OFFSET,
    /** The header of a DATA: {@link #offset}, {@link #length}; its payload follows. */
    DATA,
    /** A whole BACKUPINFO, between members: {@link #session}, {@link #text}. */
    BACKUPINFO,
    /**
     * The header of a BACKUPDATA, between members: {@link #session}, {@link #offset}, {@link
     * #length}; its payload follows.
     */
    BACKUPDATA,
    /** A piece of payload: {@link #payloadPosition}, {@link #payloadLength}, {@link #lastPiece}. */
    PAYLOAD
  }

  /** The first byte of what a TLS client says. */
  private static final int TLS_HANDSHAKE = 22;

  private final boolean betweenMembers;
  private final byte[] header;
  private int headerFilled;
  private byte[] textBytes = new byte[0];
  private int textFilled;
  private int maxData;

  private byte type;
  private int length;
  private UUID session = new UUID(0, 0);
  private long offset;
  private String text = "";
  private boolean inText;
  private int payloadLeft;
  private int payloadPosition;
  private int payloadLength;
  private boolean broken;

  /** For a client port. */
  public PacketDecoder(int maxData) {
    this(maxData, /* betweenMembers= */ false);
  }

  private PacketDecoder(int maxData, boolean betweenMembers) {
    this.maxData = maxData;
    this.betweenMembers = betweenMembers;
    this.header = new byte[betweenMembers ? Packets.BACKUPDATA_HEADER : Packets.DATA_HEADER];
  }

  /** For a connection between members: BACKUPINFO and BACKUPDATA, and ERROR before its end. */
  public static PacketDecoder betweenMembers(int maxData) {
    return new PacketDecoder(maxData, /* betweenMembers= */ true);
  }

  /** Sets the longest DATA that is taken from the next packet on. */
  public void maxData(int bytes) {
    maxData = bytes;
  }

  /** Whether the stream stands within a packet. */
  public boolean midPacket() {
    return headerFilled > 0 || inText || payloadLeft > 0;
  }

  /** Session of the last BACKUPINFO or BACKUPDATA. */
  public UUID session() {
    return session;
  }

  /** Offset of the last DATA, BACKUPDATA or OFFSET. */
  public long offset() {
    return offset;
  }

  /** Bytes of data in the last DATA or BACKUPDATA. */
  public int length() {
    return length;
  }

  /** Text of the last INFO, BACKUPINFO or ERROR. */
  public String text() {
    return text;
  }

  /** Where in the input, as an absolute position, the piece of payload begins. */
  public int payloadPosition() {
    return payloadPosition;
  }

  /** Bytes of the piece of payload, at least 1. */
  public int payloadLength() {
    return payloadLength;
  }

  /** Whether the piece of payload ends its DATA or BACKUPDATA. */
  public boolean lastPiece() {
    return payloadLeft == 0;
  }

  /** Takes the next event from the input, whose position moves past all that was used. */
  public Event next(ByteBuffer in) throws ProtocolException {
    if (broken) {
      throw new IllegalStateException("decoder used after a framing error");
    }
    try {
      return read(in);
    } catch (ProtocolException e) {
      broken = true;
      throw e;
    }
  }

  private Event read(ByteBuffer in) throws ProtocolException {
    if (payloadLeft > 0) {
      if (!in.hasRemaining()) {
        return Event.NEED_INPUT;
      }
      payloadPosition = in.position();
      payloadLength = Math.min(payloadLeft, in.remaining());
      payloadLeft -= payloadLength;
      in.position(payloadPosition + payloadLength);
      return Event.PAYLOAD;
    }
    if (inText) {
      return readText(in);
    }
    if (headerFilled == 0) {
      if (!in.hasRemaining()) {
        return Event.NEED_INPUT;
      }
      type = in.get();
      checkType();
      header[headerFilled++] = type;
    }
    if (type == PacketType.OFFSET) {
      if (!fillHeader(in, Packets.OFFSET_LENGTH)) {
        return Event.NEED_INPUT;
      }
      headerFilled = 0;
      offset = number(header, 1, "offset of OFFSET");
      return Event.OFFSET;
    }
    if (headerFilled < Packets.TEXT_HEADER) {
      if (!fillHeader(in, Packets.TEXT_HEADER)) {
        return Event.NEED_INPUT;
      }
      checkLength(ByteBuffer.wrap(header).getInt(1));
    }
    int whole = headerLength();
    if (headerFilled < whole && !fillHeader(in, whole)) {
      return Event.NEED_INPUT;
    }
    headerFilled = 0;
    if (type == PacketType.BACKUPINFO || type == PacketType.BACKUPDATA) {
      ByteBuffer fields = ByteBuffer.wrap(header);
      session =
          new UUID(
              fields.getLong(Packets.TEXT_HEADER),
              fields.getLong(Packets.TEXT_HEADER + Long.BYTES));
    }
    if (isData()) {
      offset = number(header, whole - Long.BYTES, "offset of " + typeName());
      if (offset + length < 0) {
        throw new ProtocolException(
            ErrorCode.BAD_PACKET,
            "end of " + typeName() + ": " + offset + " + " + length + " (expected: below 2^63)");
      }
      payloadLeft = length;
      return type == PacketType.DATA ? Event.DATA : Event.BACKUPDATA;
    }
    inText = true;
    textFilled = 0;
    return readText(in);
  }

  private Event readText(ByteBuffer in) throws ProtocolException {
    int piece = Math.min(length - textFilled, in.remaining());
    if (textFilled + piece > textBytes.length) {
      // grows with what has really come, up to the checked length
      textBytes =
          Arrays.copyOf(
              textBytes, Math.min(length, Math.max(textFilled + piece, textBytes.length * 2)));
    }
    in.get(textBytes, textFilled, piece);
    textFilled += piece;
    if (textFilled < length) {
      return Event.NEED_INPUT;
    }
    inText = false;
    text = decode();
    if (textBytes.length > 1024) {
      textBytes = new byte[0];
    }
    return switch (type) {
      case PacketType.INFO -> Event.INFO;
      case PacketType.BACKUPINFO -> Event.BACKUPINFO;
      default -> Event.ERROR;
    };
  }

  private boolean isData() {
    return type == PacketType.DATA || type == PacketType.BACKUPDATA;
  }

  private int headerLength() {
    return switch (type) {
      case PacketType.DATA -> Packets.DATA_HEADER;
      case PacketType.BACKUPINFO -> Packets.BACKUPINFO_HEADER;
      case PacketType.BACKUPDATA -> Packets.BACKUPDATA_HEADER;
      default -> Packets.TEXT_HEADER;
    };
  }

  private String decode() throws ProtocolException {
    if (isAscii()) {
      return new String(textBytes, 0, length, StandardCharsets.US_ASCII); // nearly all of them
    }
    try {
      CharBuffer chars =
          StandardCharsets.UTF_8
              .newDecoder()
              .onMalformedInput(CodingErrorAction.REPORT)
              .onUnmappableCharacter(CodingErrorAction.REPORT)
              .decode(ByteBuffer.wrap(textBytes, 0, length));
      return chars.toString();
    } catch (CharacterCodingException e) {
      throw new ProtocolException(
          ErrorCode.BAD_PACKET,
          "text of " + typeName() + ": not UTF-8 (expected: well-formed UTF-8)");
    }
  }

  private boolean isAscii() {
    for (int i = 0; i < length; i++) {
      if (textBytes[i] < 0) {
        return false;
      }
    }
    return true;
  }

  private boolean fillHeader(ByteBuffer in, int wanted) {
    int piece = Math.min(wanted - headerFilled, in.remaining());
    in.get(header, headerFilled, piece);
    headerFilled += piece;
    return headerFilled == wanted;
  }

  private void checkType() throws ProtocolException {
    if (betweenMembers) {
      if (type != PacketType.ERROR
          && type != PacketType.BACKUPINFO
          && type != PacketType.BACKUPDATA) {
        throw new ProtocolException(
            ErrorCode.BAD_PACKET,
            "packet type: " + (type & 0xFF) + " (expected: 1, 5 or 6 between members)");
      }
      return;
    }
    if (type == PacketType.BACKUPINFO || type == PacketType.BACKUPDATA) {
      throw new ProtocolException(
          ErrorCode.BAD_PACKET,
          "packet type: "
              + type
              + " (expected: 1 to 4; BACKUP packets travel between members only)");
    }
    if (type == TLS_HANDSHAKE) {
      throw new ProtocolException(
          ErrorCode.BAD_PACKET,
          "packet type: 22 (expected: 1 to 4; TLS begins so, and has a port of its own)");
    }
    if (type < PacketType.ERROR || type > PacketType.OFFSET) {
      throw new ProtocolException(
          ErrorCode.BAD_PACKET, "packet type: " + (type & 0xFF) + " (expected: 1 to 4)");
    }
  }

  private void checkLength(int raw) throws ProtocolException {
    long unsigned = Integer.toUnsignedLong(raw);
    if (isData()) {
      if (unsigned < 1 || unsigned > maxData) {
        throw new ProtocolException(
            ErrorCode.BAD_PACKET,
            "length of " + typeName() + ": " + unsigned + " (expected: 1 to " + maxData + ")");
      }
    } else if (unsigned > Packets.MAX_TEXT) {
      throw new ProtocolException(
          ErrorCode.BAD_PACKET,
          "length of "
              + typeName()
              + ": "
              + unsigned
              + " (expected: at most "
              + Packets.MAX_TEXT
              + ")");
    }
    length = (int) unsigned;
  }

  private String typeName() {
    return switch (type) {
      case PacketType.INFO -> "INFO";
      case PacketType.DATA -> "DATA";
      case PacketType.BACKUPINFO -> "BACKUPINFO";
      case PacketType.BACKUPDATA -> "BACKUPDATA";
      default -> "ERROR";
    };
  }

  private static long number(byte[] bytes, int at, String what) throws ProtocolException {
    long value = ByteBuffer.wrap(bytes).getLong(at);
    if (value < 0) {
      throw new ProtocolException(
          ErrorCode.BAD_PACKET,
          what + ": " + Long.toUnsignedString(value) + " (expected: below 2^63)");
    }
    return value;
  }
}
