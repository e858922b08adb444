package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.wire.Packets;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A client of the packet port that does what it is told, byte by byte, right or wrong. */
final class RawClient implements AutoCloseable {
  private static final int PATIENCE_MILLIS = 60_000;
  private static final int DATA = 3;
  private static final int OFFSET = 4;

  /** A packet of the server; {@code data} is empty for all but DATA. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Packet(int type, String text, long offset, byte[] data) {
    boolean isData() {
      return type == DATA;
    }

    boolean isOffset() {
      return type == OFFSET;
    }

    boolean isError() {
      return type == 1;
    }

    /** The value of a field of an INFO. */
    String field(String name) {
      return text.lines()
          .filter(line -> line.startsWith(name + ": "))
          .map(line -> line.substring(name.length() + 2))
          .findFirst()
          .orElseThrow(() -> new AssertionError(name + " in " + text));
    }
  }

  private final Socket socket;
  private final DataInputStream in;
  private final List<String> notes = new ArrayList<>();

  private RawClient(Socket socket) throws IOException {
    this.socket = socket;
    this.in = new DataInputStream(new BufferedInputStream(socket.getInputStream(), 1 << 16));
  }

  static RawClient connect(Node node) throws IOException {
    String address = node.packetsAddress().orElseThrow();
    Socket socket =
        new Socket(
            InetAddress.getLoopbackAddress(),
            Integer.parseInt(address.substring(address.lastIndexOf(':') + 1)));
    socket.setSoTimeout(PATIENCE_MILLIS);
    return new RawClient(socket);
  }

  Socket socket() {
    return socket;
  }

  /** MODIFYING, RESUMED and NOTICE that came, in order. */
  List<String> notes() {
    return notes;
  }

  RawClient send(byte[] bytes) throws IOException {
    socket.getOutputStream().write(bytes);
    return this;
  }

  RawClient info(String text) throws IOException {
    ByteBuffer packet = Packets.info(text);
    byte[] bytes = new byte[packet.remaining()];
    packet.get(bytes);
    return send(bytes);
  }

  RawClient offset(long offset) throws IOException {
    return send(ByteBuffer.allocate(9).put((byte) OFFSET).putLong(offset).array());
  }

  RawClient data(long offset, byte[] content, int from, int length) throws IOException {
    return send(
        ByteBuffer.allocate(13 + length)
            .put((byte) DATA)
            .putInt(length)
            .putLong(offset)
            .put(content, from, length)
            .array());
  }

  /** The next packet but ALIVE and what is noted. */
  Packet next() throws IOException {
    while (true) {
      int type = in.readUnsignedByte();
      if (type == OFFSET) {
        return new Packet(type, "", in.readLong(), new byte[0]);
      }
      int length = in.readInt();
      if (type == DATA) {
        long offset = in.readLong();
        return new Packet(type, "", offset, in.readNBytes(length));
      }
      String text = new String(in.readNBytes(length), StandardCharsets.UTF_8);
      String verb = text.lines().findFirst().orElse("");
      if (verb.equals("MODIFYING") || verb.equals("RESUMED") || verb.equals("NOTICE")) {
        notes.add(text);
      } else if (!verb.equals("ALIVE")) {
        return new Packet(type, text, -1, new byte[0]);
      }
    }
  }

  Packet expect(String verb) throws IOException {
    Packet packet = next();
    assertThat(packet.text()).as("expected %s", verb).startsWith(verb);
    return packet;
  }

  /** The text of the ERROR that comes, behind whatever comes before it; then end of stream. */
  String error() throws IOException {
    Packet packet = next();
    while (!packet.isError()) {
      packet = next();
    }
    assertThat(in.read()).as("nothing behind an ERROR").isEqualTo(-1);
    return packet.text();
  }

  /** Whether the server has ended the connection without a word. */
  boolean cutOff() throws IOException {
    try {
      while (true) {
        Packet packet = next();
        if (packet.isError()) {
          return false;
        }
      }
    } catch (EOFException | SocketException e) {
      return true;
    }
  }

  /** Reads and acknowledges DATA up to an offset. */
  long read(byte[] into, long from, long upTo) throws IOException {
    long at = from;
    while (at < upTo) {
      Packet packet = next();
      assertThat(packet.isData()).as("DATA, not %s", packet.text()).isTrue();
      assertThat(packet.offset()).isEqualTo(at);
      System.arraycopy(packet.data(), 0, into, (int) at, packet.data().length);
      at += packet.data().length;
      offset(at);
    }
    return at;
  }

  /** Where a PUT stands. */
  static final class Sending {
    private long sent;
    private long acked;
    private final long window;

    Sending(long from, long window) {
      this.sent = from;
      this.acked = from;
      this.window = window;
    }

    long acked() {
      return acked;
    }
  }

  /** Begins a PUT: READY and the first OFFSET. */
  Sending put(String command) throws IOException {
    info(command);
    Packet ready = expect("READY");
    Packet first = next();
    assertThat(first.isOffset()).as("OFFSET, not %s", first.text()).isTrue();
    return new Sending(first.offset(), Long.parseLong(ready.field("Window")));
  }

  /** Sends within the window until so much is sent. */
  void write(Sending sending, byte[] content, long upTo) throws IOException {
    while (sending.sent < upTo) {
      int length = (int) Math.min(128 << 10, upTo - sending.sent);
      while (sending.sent + length > sending.acked + sending.window || in.available() >= 9) {
        acknowledged(sending);
      }
      data(sending.sent, content, (int) sending.sent, length);
      sending.sent += length;
    }
  }

  private void acknowledged(Sending sending) throws IOException {
    Packet packet = next();
    assertThat(packet.isOffset()).as("OFFSET, not %s", packet.text()).isTrue();
    assertThat(packet.offset()).isGreaterThan(sending.acked).isLessThanOrEqualTo(sending.sent);
    sending.acked = packet.offset();
  }

  /** Reads OFFSETs up to the size, and COMPLETE. */
  void complete(Sending sending, long size) throws IOException {
    while (sending.acked < size) {
      acknowledged(sending);
    }
    // a checkpoint just before END may have said OFFSET(size) once already
    Packet packet = next();
    if (packet.isOffset()) {
      assertThat(packet.offset()).isEqualTo(size);
      packet = next();
    }
    assertThat(packet.text()).startsWith("COMPLETE");
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
