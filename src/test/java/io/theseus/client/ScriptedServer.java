package io.theseus.client;

import io.theseus.wire.Info;
import io.theseus.wire.ProtocolException;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A server on a loopback socket that says what a test tells it to say.
 *
 * <p>The n-th connection runs the n-th script; the last script serves all further ones. A script
 * that fails (an expectation, or an end of stream where none was expected) is reported by {@link
 * #close}.
 */
final class ScriptedServer implements AutoCloseable {
  /** What one connection does. */
  @FunctionalInterface
  interface Script {
    void run(Peer peer) throws IOException, ProtocolException;
  }

  /** A packet as it came. */
  static final class Packet {
    private final byte type;
    private final String text;
    private final long offset;
    private final byte[] data;

    Packet(byte type, String text, long offset, byte[] data) {
      this.type = type;
      this.text = text;
      this.offset = offset;
      this.data = data;
    }

    byte type() {
      return type;
    }

    String text() {
      return text;
    }

    long offset() {
      return offset;
    }

    byte[] data() {
      return data;
    }
  }

  private final ServerSocket listener;
  private final List<Script> scripts;
  private final AtomicInteger accepted = new AtomicInteger();
  private final List<Throwable> failures = new CopyOnWriteArrayList<>();
  private final List<Thread> threads = new CopyOnWriteArrayList<>();
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();

  private ScriptedServer(List<Script> scripts) throws IOException {
    this.scripts = scripts;
    listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread acceptor = new Thread(this::accept, "scripted-acceptor");
    acceptor.setDaemon(true);
    acceptor.start();
  }

  static ScriptedServer start(Script... scripts) {
    try {
      return new ScriptedServer(List.of(scripts));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  NodeAddress address() {
    return new NodeAddress("127.0.0.1", listener.getLocalPort());
  }

  int connections() {
    return accepted.get();
  }

  private void accept() {
    while (true) {
      Socket socket;
      try {
        socket = listener.accept();
      } catch (IOException e) {
        return;
      }
      sockets.add(socket);
      int index = accepted.getAndIncrement();
      Script script = scripts.get(Math.min(index, scripts.size() - 1));
      Thread thread = new Thread(() -> serve(script, socket), "scripted-" + index);
      thread.setDaemon(true);
      threads.add(thread);
      thread.start();
    }
  }

  private void serve(Script script, Socket socket) {
    try (socket) {
      socket.setTcpNoDelay(true);
      script.run(new Peer(socket));
    } catch (Throwable e) {
      failures.add(e);
    }
  }

  /** Stops, and fails where a script failed. */
  @Override
  public void close() {
    try {
      listener.close();
      // a script that has all that it expected has ended; a stuck one is ended here
      for (Thread thread : threads) {
        thread.join(2_000);
      }
      for (Socket socket : sockets) {
        socket.close();
      }
      for (Thread thread : threads) {
        thread.join(2_000);
      }
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
    if (!failures.isEmpty()) {
      AssertionError error = new AssertionError("script: " + failures.get(0));
      failures.forEach(error::addSuppressed);
      throw error;
    }
  }

  /** The script's end of one connection. */
  static final class Peer {
    private final Socket socket;
    private final DataInputStream in;
    private final OutputStream out;
    private long sendBudget = Long.MAX_VALUE;
    private long receiveBudget = Long.MAX_VALUE;
    private long sentBytes;
    private long receivedBytes;

    Peer(Socket socket) throws IOException {
      this.socket = socket;
      in = new DataInputStream(new BufferedInputStream(socket.getInputStream(), 1 << 16));
      out = socket.getOutputStream();
    }

    /** Thrown by a peer whose budget of bytes is used up; the connection is cut there. */
    static final class Cut extends IOException {
      private static final long serialVersionUID = 1L;

      Cut() {
        super("cut here");
      }
    }

    /** The connection ends after this many bytes in either direction. */
    void cutAfter(long sendBytes, long receiveBytes) {
      sendBudget = sendBytes;
      receiveBudget = receiveBytes;
    }

    long sentBytes() {
      return sentBytes;
    }

    long receivedBytes() {
      return receivedBytes;
    }

    // ---- reading

    /** The next packet, ALIVE left out; null at the end of the stream. */
    @Nullable Packet read() throws IOException {
      while (true) {
        Packet packet = readAny();
        if (packet == null || packet.type() != 2 || !packet.text().startsWith("ALIVE")) {
          return packet;
        }
      }
    }

    /** The next packet of any kind; null at the end of the stream. */
    @Nullable Packet readAny() throws IOException {
      int type;
      take(1);
      type = in.read();
      if (type < 0) {
        return null;
      }
      switch (type) {
        case 1, 2 -> {
          take(4);
          byte[] bytes = new byte[in.readInt()];
          take(bytes.length);
          in.readFully(bytes);
          return new Packet((byte) type, new String(bytes, StandardCharsets.UTF_8), 0, new byte[0]);
        }
        case 3 -> {
          take(12);
          byte[] bytes = new byte[in.readInt()];
          long offset = in.readLong();
          take(bytes.length);
          in.readFully(bytes);
          return new Packet((byte) type, "", offset, bytes);
        }
        case 4 -> {
          take(8);
          return new Packet((byte) type, "", in.readLong(), new byte[0]);
        }
        default -> throw new IOException("packet type: " + type);
      }
    }

    private void take(long bytes) throws Cut {
      receivedBytes += bytes;
      receiveBudget -= bytes;
      if (receiveBudget < 0) {
        throw new Cut();
      }
    }

    boolean somethingToRead() throws IOException {
      return in.available() > 0;
    }

    Info expectInfo(String verb) throws IOException, ProtocolException {
      Packet packet = read();
      if (packet == null || packet.type() != 2 || !packet.text().startsWith(verb)) {
        throw new AssertionError("expected INFO " + verb + ", got " + describe(packet));
      }
      return Info.parse(packet.text());
    }

    long expectOffset() throws IOException {
      Packet packet = read();
      if (packet == null || packet.type() != 4) {
        throw new AssertionError("expected OFFSET, got " + describe(packet));
      }
      return packet.offset();
    }

    void expectOffset(long offset) throws IOException {
      long came = expectOffset();
      if (came != offset) {
        throw new AssertionError("expected OFFSET " + offset + ", got " + came);
      }
    }

    Packet expectData() throws IOException {
      Packet packet = read();
      if (packet == null || packet.type() != 3) {
        throw new AssertionError("expected DATA, got " + describe(packet));
      }
      return packet;
    }

    /** Reads DATA from one offset up to another and gives all of it. */
    byte[] expectData(long from, long to) throws IOException {
      ByteBuffer all = ByteBuffer.allocate((int) (to - from));
      while (all.hasRemaining()) {
        Packet packet = expectData();
        if (packet.offset() != from + all.position()) {
          throw new AssertionError(
              "expected DATA at " + (from + all.position()) + ", got " + describe(packet));
        }
        all.put(packet.data());
      }
      return all.array();
    }

    String expectError() throws IOException {
      Packet packet = read();
      while (packet != null && packet.type() != 1) {
        // what was under way when the client gave up
        packet = read();
      }
      if (packet == null) {
        throw new AssertionError("expected ERROR, got the end of the stream");
      }
      return packet.text();
    }

    /** The end of the stream, and nothing but ALIVE before it. */
    void expectEnd() throws IOException {
      Packet packet;
      try {
        packet = read();
      } catch (EOFException | java.net.SocketException e) {
        return;
      }
      if (packet != null) {
        throw new AssertionError("expected the end of the stream, got " + describe(packet));
      }
    }

    // ---- writing

    void info(String... lines) throws IOException {
      text(2, String.join("\n", lines) + "\n");
    }

    void error(String message) throws IOException {
      text(1, message);
      socket.shutdownOutput();
      byte[] dropped = new byte[8192];
      try {
        while (in.read(dropped) >= 0) {
          // until the client closes
        }
      } catch (IOException e) {
        // it closed with something unread
      }
    }

    /** ERROR, and a reset right behind it. */
    void errorAndReset(String message) throws IOException {
      text(1, message);
      socket.setSoLinger(true, 0);
      socket.close();
    }

    private void text(int type, String text) throws IOException {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      byte[] packet = new byte[5 + bytes.length];
      ByteBuffer.wrap(packet).put((byte) type).putInt(bytes.length).put(bytes);
      write(packet);
    }

    void data(long offset, byte[] bytes) throws IOException {
      byte[] packet = new byte[13 + bytes.length];
      ByteBuffer.wrap(packet).put((byte) 3).putInt(bytes.length).putLong(offset).put(bytes);
      write(packet);
    }

    /** DATA with the bytes of a content from one offset to another. */
    void data(byte[] content, int from, int to) throws IOException {
      data(from, java.util.Arrays.copyOfRange(content, from, to));
    }

    void offset(long offset) throws IOException {
      byte[] packet = new byte[9];
      ByteBuffer.wrap(packet).put((byte) 4).putLong(offset);
      write(packet);
    }

    void raw(byte... bytes) throws IOException {
      write(bytes);
    }

    private void write(byte[] packet) throws IOException {
      int length = (int) Math.min(packet.length, sendBudget);
      out.write(packet, 0, length);
      sentBytes += length;
      sendBudget -= length;
      if (length < packet.length) {
        throw new Cut();
      }
    }

    /** READY to a GET. */
    void readyGet(Info command, long size, String identity, String... more)
        throws IOException, ProtocolException {
      List<String> lines = new ArrayList<>();
      lines.add("READY");
      lines.add("Session: " + command.uuid("Session").orElseThrow());
      lines.add("Max-Data: 65536");
      lines.add("Idle: 60");
      lines.add("Module: direct@1");
      lines.add("Node: 127.0.0.1:" + socket.getLocalPort());
      lines.add("Nodes: 127.0.0.1:" + socket.getLocalPort());
      lines.add("Version: 1");
      lines.add("Size: " + (size < 0 ? "unknown" : String.valueOf(size)));
      lines.add("Identity: " + identity);
      lines.add("Producer: rewindable");
      command.number("Window").ifPresent(window -> lines.add("Window: " + window));
      lines.addAll(List.of(more));
      info(lines.toArray(new String[0]));
    }

    /** READY to a PUT. */
    void readyPut(Info command, long window, String... more) throws IOException, ProtocolException {
      List<String> lines = new ArrayList<>();
      lines.add("READY");
      lines.add("Session: " + command.uuid("Session").orElseThrow());
      lines.add("Max-Data: 65536");
      lines.add("Idle: 60");
      lines.add("Module: direct@1");
      lines.add("Node: 127.0.0.1:" + socket.getLocalPort());
      lines.add("Nodes: 127.0.0.1:" + socket.getLocalPort());
      lines.add("Version: 1");
      lines.add("Consumer: rewindable");
      lines.add("Window: " + window);
      lines.add("Keep: 3600");
      lines.addAll(List.of(more));
      info(lines.toArray(new String[0]));
    }

    void complete(long size, String identity, byte[] content) throws IOException {
      info("COMPLETE", "Size: " + size, "Identity: " + identity, "SHA-256: " + sha256(content));
    }

    static String describe(@Nullable Packet packet) {
      if (packet == null) {
        return "the end of the stream";
      }
      return switch (packet.type()) {
        case 1 -> "ERROR " + packet.text();
        case 2 -> "INFO " + packet.text();
        case 3 -> "DATA " + packet.offset() + " +" + packet.data().length;
        default -> "OFFSET " + packet.offset();
      };
    }
  }

  static String sha256(byte[] content) {
    var digest = FileHash.sha256();
    digest.update(content);
    return FileHash.hex(digest);
  }
}
