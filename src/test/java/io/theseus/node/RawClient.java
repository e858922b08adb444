package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.testing.PacketSocket;
import io.theseus.testing.PacketSocket.Data;
import io.theseus.testing.PacketSocket.Offset;
import io.theseus.testing.PacketSocket.Packet;
import io.theseus.testing.PacketSocket.Refused;
import io.theseus.testing.PacketSocket.Said;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLSocketFactory;

/** A client of the packet port that does what it is told, byte by byte, right or wrong. */
final class RawClient implements AutoCloseable {
  private static final int PATIENCE_MILLIS = 60_000;
  private static final int OFFSET_LENGTH = 9;
  private static final int PIECE = 128 << 10;

  private final PacketSocket socket;
  private final List<String> notes = new ArrayList<>();

  private RawClient(PacketSocket socket) {
    this.socket = socket;
  }

  static RawClient connect(Node node) throws IOException {
    String address = node.packetsAddress().orElseThrow();
    PacketSocket socket =
        new PacketSocket(
            new InetSocketAddress(
                InetAddress.getLoopbackAddress(),
                Integer.parseInt(address.substring(address.lastIndexOf(':') + 1))));
    socket.socket().setSoTimeout(PATIENCE_MILLIS);
    return new RawClient(socket);
  }

  /** Connects to the port for TLS. */
  static RawClient connect(Node node, SSLSocketFactory tls) throws IOException {
    String address = node.tlsAddress().orElseThrow();
    PacketSocket socket =
        new PacketSocket(
            new InetSocketAddress(
                InetAddress.getLoopbackAddress(),
                Integer.parseInt(address.substring(address.lastIndexOf(':') + 1))),
            tls);
    socket.socket().setSoTimeout(PATIENCE_MILLIS);
    return new RawClient(socket);
  }

  Socket socket() {
    return socket.socket();
  }

  /** MODIFYING, RESUMED and NOTICE that came, in order. */
  List<String> notes() {
    return notes;
  }

  RawClient send(byte[] bytes) throws IOException {
    socket.send(bytes);
    return this;
  }

  RawClient info(String text) throws IOException {
    socket.info(text);
    return this;
  }

  RawClient offset(long offset) throws IOException {
    socket.offset(offset);
    return this;
  }

  RawClient data(long offset, byte[] content, int from, int length) throws IOException {
    socket.data(offset, content, from, length);
    return this;
  }

  /** The next packet but ALIVE and what is noted. */
  Packet next() throws IOException {
    while (true) {
      Packet packet = socket.next();
      if (!noted(packet)) {
        return packet;
      }
    }
  }

  private boolean noted(Packet packet) {
    if (!PacketSocket.isRemark(packet)) {
      return false;
    }
    Said said = (Said) packet;
    if (!said.verb().equals("ALIVE")) {
      notes.add(said.text());
    }
    return true;
  }

  Said expect(String verb) throws IOException {
    Packet packet = next();
    assertThat(packet).isInstanceOf(Said.class);
    Said said = (Said) packet;
    assertThat(said.text()).startsWith(verb);
    return said;
  }

  Offset expectOffset() throws IOException {
    Packet packet = next();
    assertThat(packet).isInstanceOf(Offset.class);
    return (Offset) packet;
  }

  Data expectData() throws IOException {
    Packet packet = next();
    assertThat(packet).isInstanceOf(Data.class);
    return (Data) packet;
  }

  /** The text of the ERROR that comes, behind whatever comes before it; then end of stream. */
  String error() throws IOException {
    while (true) {
      if (next() instanceof Refused refused) {
        assertThat(socket.ended()).as("nothing behind an ERROR").isTrue();
        return refused.text();
      }
    }
  }

  /** Whether the server has ended the connection without a word. */
  boolean cutOff() throws IOException {
    try {
      while (true) {
        if (next() instanceof Refused) {
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
      Data data = expectData();
      assertThat(data.offset()).isEqualTo(at);
      System.arraycopy(data.bytes(), 0, into, (int) at, data.bytes().length);
      at += data.bytes().length;
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
    Said ready = expect("READY");
    return new Sending(expectOffset().offset(), ready.number("Window"));
  }

  /** Sends within the window until so much is sent. */
  void write(Sending sending, byte[] content, long upTo) throws IOException {
    write(sending, upTo, (offset, length) -> data(offset, content, (int) offset, length));
  }

  /** Sends some bytes of a content. */
  @FunctionalInterface
  interface Piece {
    void send(long offset, int length) throws IOException;
  }

  /** The same of what is not in memory; no piece goes over a multiple of 128 KiB. */
  void write(Sending sending, long upTo, Piece piece) throws IOException {
    while (sending.sent < upTo) {
      long most = PIECE - sending.sent % PIECE;
      int length = (int) Math.min(most, upTo - sending.sent);
      while (sending.sent + length > sending.acked + sending.window
          || socket.available() >= OFFSET_LENGTH) {
        // one packet alone: behind a remark nothing more needs to come
        take(sending, socket.next());
      }
      piece.send(sending.sent, length);
      sending.sent += length;
    }
  }

  /** Reads OFFSETs up to an offset. */
  void awaitAcked(Sending sending, long upTo) throws IOException {
    while (sending.acked < upTo) {
      take(sending, socket.next());
    }
  }

  private void take(Sending sending, Packet packet) {
    if (noted(packet)) {
      return;
    }
    assertThat(packet).isInstanceOf(Offset.class);
    long offset = ((Offset) packet).offset();
    assertThat(offset).isGreaterThan(sending.acked).isLessThanOrEqualTo(sending.sent);
    sending.acked = offset;
  }

  /** Reads OFFSETs up to the size, and COMPLETE. */
  Said complete(Sending sending, long size) throws IOException {
    awaitAcked(sending, size);
    return expect("COMPLETE");
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
