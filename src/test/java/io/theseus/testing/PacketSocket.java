package io.theseus.testing;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;

/** One connection to a node: packets in, packets out, one at a time; blocking. */
public final class PacketSocket implements Closeable {
  private static final int CONNECT_MILLIS = 30_000;
  private static final int SILENCE_MILLIS = 120_000;
  private static final byte ERROR = 1;
  private static final byte INFO = 2;
  private static final byte DATA = 3;
  private static final byte OFFSET = 4;

  /** What a node sent. */
  public sealed interface Packet {}

  /** An INFO; in {@code fields} the names are in lower case. */
  public record Said(String text, String verb, Map<String, String> fields, String body)
      implements Packet {
    public String field(String name) {
      String value = fields.get(name.toLowerCase(Locale.ROOT));
      if (value == null) {
        throw new AssertionError(verb + " has no " + name + ": " + fields);
      }
      return value;
    }

    public long number(String name) {
      return Long.parseLong(field(name));
    }
  }

  /** An ERROR. */
  public record Refused(String text) implements Packet {}

  /** An OFFSET. */
  public record Offset(long offset) implements Packet {}

  /** A DATA. */
  @SuppressWarnings("ArrayRecordComponent") // passed on, never compared
  public record Data(long offset, byte[] bytes) implements Packet {}

  /** A node said ERROR where the test expects none. */
  public static final class RefusedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public RefusedException(String text) {
      super(text);
    }
  }

  private final Socket socket;
  private final DataInputStream in;
  private final DataOutputStream out;

  /** Connects. */
  public PacketSocket(InetSocketAddress node) throws IOException {
    this(node, null);
  }

  /** Connects, over TLS where a factory is given; the name of the host is not checked. */
  public PacketSocket(InetSocketAddress node, @Nullable SSLSocketFactory tls) throws IOException {
    Socket connected = new Socket();
    try {
      connected.setTcpNoDelay(true);
      connected.connect(node, CONNECT_MILLIS);
      connected.setSoTimeout(SILENCE_MILLIS);
      if (tls == null) {
        socket = connected;
      } else {
        SSLSocket secured =
            (SSLSocket)
                tls.createSocket(
                    connected, node.getHostString(), node.getPort(), /* autoClose= */ true);
        secured.startHandshake();
        socket = secured;
      }
      in = new DataInputStream(new BufferedInputStream(socket.getInputStream(), 1 << 16));
      out = new DataOutputStream(socket.getOutputStream());
    } catch (IOException e) {
      connected.close();
      throw e;
    }
  }

  public Socket socket() {
    return socket;
  }

  // ---- out

  /** Sends bytes as they are. */
  public void send(byte[] bytes) throws IOException {
    out.write(bytes);
  }

  /** Sends an INFO. */
  public void info(String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.write(
        ByteBuffer.allocate(5 + bytes.length).put(INFO).putInt(bytes.length).put(bytes).array());
  }

  /** Sends an OFFSET. */
  public void offset(long offset) throws IOException {
    out.write(ByteBuffer.allocate(9).put(OFFSET).putLong(offset).array());
  }

  /** Sends a DATA with the bytes from {@code offset} on. */
  public void data(Content content, long offset, int length) throws IOException {
    data(offset, content.bytes(), Math.toIntExact(offset), length);
  }

  /** Sends a DATA with any bytes at any offset. */
  public void data(long offset, byte[] bytes, int from, int length) throws IOException {
    out.write(
        ByteBuffer.allocate(13 + length)
            .put(DATA)
            .putInt(length)
            .putLong(offset)
            .put(bytes, from, length)
            .array());
  }

  // ---- in

  /** The next packet; {@link EOFException} at the end of the stream. */
  public Packet next() throws IOException {
    byte type = in.readByte();
    return switch (type) {
      case ERROR -> new Refused(text());
      case INFO -> said(text());
      case DATA -> data();
      case OFFSET -> new Offset(in.readLong());
      default -> throw new AssertionError("type of packet: " + type + " (expected: 1 to 4)");
    };
  }

  /**
   * The next packet that is no sign of life and no remark; an ERROR is thrown.
   *
   * @throws RefusedException for an ERROR
   */
  public Packet take() throws IOException {
    while (true) {
      Packet packet = next();
      if (packet instanceof Refused refused) {
        throw new RefusedException(refused.text());
      }
      if (!isRemark(packet)) {
        return packet;
      }
    }
  }

  /** Whether a packet asks for nothing: a sign of life, or what a client may ignore. */
  public static boolean isRemark(Packet packet) {
    return packet instanceof Said said
        && switch (said.verb()) {
          case "ALIVE", "NOTICE", "MODIFYING", "RESUMED" -> true;
          default -> false;
        };
  }

  /** Bytes that came and were not taken; 0 does not say that none will come. */
  public int available() throws IOException {
    return in.available();
  }

  /** Whether the node has ended the stream, with nothing more in it. */
  public boolean ended() throws IOException {
    return in.read() < 0;
  }

  /** The INFO with this verb, which has to come now. */
  public Said take(String verb) throws IOException {
    Packet packet = take();
    if (packet instanceof Said said && said.verb().equals(verb)) {
      return said;
    }
    throw new AssertionError("expected " + verb + ", but there came " + packet);
  }

  /** Sends one command on a connection of its own and gives the answer. */
  public static Packet ask(InetSocketAddress node, String command) throws IOException {
    try (PacketSocket socket = new PacketSocket(node)) {
      socket.info(command);
      return socket.next();
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  private String text() throws IOException {
    byte[] bytes = new byte[in.readInt()];
    in.readFully(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private Data data() throws IOException {
    int length = in.readInt();
    long offset = in.readLong();
    byte[] bytes = new byte[length];
    in.readFully(bytes);
    return new Data(offset, bytes);
  }

  private static Said said(String text) {
    int blank = text.indexOf("\n\n");
    String head = blank < 0 ? text : text.substring(0, blank);
    String[] lines = head.split("\n", -1);
    Map<String, String> fields = new LinkedHashMap<>();
    for (int i = 1; i < lines.length; i++) {
      int colon = lines[i].indexOf(':');
      if (colon > 0) {
        fields.put(
            lines[i].substring(0, colon).strip().toLowerCase(Locale.ROOT),
            lines[i].substring(colon + 1).strip());
      }
    }
    int space = lines[0].indexOf(' ');
    return new Said(
        text,
        space < 0 ? lines[0] : lines[0].substring(0, space),
        fields,
        blank < 0 ? "" : text.substring(blank + 2));
  }
}
