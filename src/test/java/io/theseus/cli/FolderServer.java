package io.theseus.cli;

import io.theseus.client.NodeAddress;
import io.theseus.wire.ClientMessage;
import io.theseus.wire.FileName;
import io.theseus.wire.Info;
import io.theseus.wire.PacketType;
import io.theseus.wire.Packets;
import io.theseus.wire.ProtocolException;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
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
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A small server of the packet protocol that keeps its files in memory, for tests of the command
 * line: it can refuse, cut connections, hold, and name what no honest server would.
 */
final class FolderServer implements AutoCloseable {
  /** A file as it stands. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Entry(byte[] bytes, Instant modified, String identity) {}

  private static final int MAX_DATA = 16 * 1024;
  private static final int WINDOW = 64 * 1024;
  private static final int PAGE = 3;

  final NavigableMap<String, Entry> files = new ConcurrentSkipListMap<>(FileName::compareBytes);

  /** Lines that LIST adds as they are: {@code size modified identity name}. */
  final List<String> extraLines = new CopyOnWriteArrayList<>();

  /** ERROR texts by {@code VERB name}. */
  final Map<String, String> refusals = new ConcurrentHashMap<>();

  /** Every command that came, its first line. */
  final List<String> commands = new CopyOnWriteArrayList<>();

  /** Every whole text of a command. */
  final List<String> texts = new CopyOnWriteArrayList<>();

  /** How many more connections are cut after {@link #cutAfter} bytes of DATA. */
  final AtomicInteger cuts = new AtomicInteger();

  volatile long cutAfter = Long.MAX_VALUE;
  volatile String unreachable = "";
  volatile boolean holding;
  volatile String wrongHash = "";

  private final Map<UUID, byte[]> parts = new ConcurrentHashMap<>();
  private final AtomicLong identities = new AtomicLong();
  private final ServerSocket listener;
  private final Thread acceptor;
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();

  FolderServer() {
    try {
      listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    acceptor = new Thread(this::accept, "folder-acceptor");
    acceptor.setDaemon(true);
    acceptor.start();
  }

  String address() {
    return new NodeAddress("127.0.0.1", listener.getLocalPort()).toString();
  }

  Entry add(String name, byte[] bytes, String modified) {
    Entry entry = new Entry(bytes, Instant.parse(modified), "id-" + identities.incrementAndGet());
    files.put(name, entry);
    return entry;
  }

  @Override
  public void close() {
    try {
      listener.close();
      acceptor.join(); // from here on nobody is answered
      for (Socket socket : sockets) {
        socket.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
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
      Thread thread = new Thread(() -> serve(socket), "folder-connection");
      thread.setDaemon(true);
      thread.start();
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      socket.setTcpNoDelay(true);
      new Peer(socket).run();
    } catch (IOException e) {
      // the client went, or the test cut the connection
    }
  }

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Packet(byte type, String text, long offset, byte[] data) {}

  /** One connection. */
  private final class Peer {
    private final DataInputStream in;
    private final OutputStream out;
    private final Socket socket;
    private long budget = Long.MAX_VALUE;

    Peer(Socket socket) throws IOException {
      this.socket = socket;
      in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
      out = new BufferedOutputStream(socket.getOutputStream());
    }

    void run() throws IOException {
      while (true) {
        Packet packet = read();
        if (packet == null) {
          return;
        }
        if (packet.type != PacketType.INFO) {
          continue;
        }
        try {
          if (!command(packet.text)) {
            return;
          }
        } catch (ProtocolException e) {
          error(e.errorText());
          return;
        }
      }
    }

    private boolean command(String text) throws IOException, ProtocolException {
      ClientMessage message = ClientMessage.parse(text);
      String first = text.substring(0, text.indexOf('\n'));
      if (message instanceof ClientMessage.Alive || message instanceof ClientMessage.End) {
        return true;
      }
      commands.add(first);
      texts.add(text);
      String refusal = refusals.get(first);
      if (refusal != null) {
        error(refusal);
        return false;
      }
      if (message instanceof ClientMessage.Stat stat) {
        stat(stat.name().value());
      } else if (message instanceof ClientMessage.List list) {
        list(list);
      } else if (message instanceof ClientMessage.Delete delete) {
        Entry entry = files.get(delete.name().value());
        if (entry == null) {
          throw notFound(delete.name().value());
        }
        if (delete.ifIdentity().filter(id -> !id.equals(entry.identity)).isPresent()) {
          error("changed: If-Identity (expected: " + entry.identity + ")");
          return false;
        }
        files.remove(delete.name().value());
        info(Info.of("DELETED").field("Identity", entry.identity).text());
      } else if (message instanceof ClientMessage.Get get) {
        return get(get);
      } else if (message instanceof ClientMessage.Put put) {
        return put(put);
      }
      return true;
    }

    private void stat(String name) throws IOException, ProtocolException {
      Entry entry = files.get(name);
      if (entry == null) {
        throw notFound(name);
      }
      info(
          Info.of("STAT")
              .field("Size", entry.bytes.length)
              .field("Identity", entry.identity)
              .field("Modified", entry.modified)
              .field("SHA-256", sha256(entry.bytes))
              .text());
    }

    private void list(ClientMessage.List list) throws IOException {
      StringBuilder body = new StringBuilder();
      int count = 0;
      boolean more = false;
      for (Map.Entry<String, Entry> file : files.entrySet()) {
        String name = file.getKey();
        boolean after =
            list.after().isEmpty() || FileName.compareBytes(name, list.after().get()) > 0;
        if (!name.startsWith(list.prefix()) || !after) {
          continue;
        }
        if (count++ == PAGE) {
          more = true;
          break;
        }
        Entry entry = file.getValue();
        body.append(entry.bytes.length).append(' ').append(entry.modified).append(' ');
        body.append(entry.identity).append(' ').append(name).append('\n');
      }
      if (!more) {
        extraLines.forEach(line -> body.append(line).append('\n'));
      }
      Info.Builder answer = Info.of("LIST").field("More", more ? "yes" : "no");
      if (!unreachable.isEmpty()) {
        answer.field("Unreachable", unreachable);
      }
      info(answer.body(body));
    }

    private boolean get(ClientMessage.Get get) throws IOException, ProtocolException {
      Entry entry = files.get(get.name().value());
      if (entry == null) {
        throw notFound(get.name().value());
      }
      arm();
      UUID session = get.session().orElseGet(UUID::randomUUID);
      long window = Math.min(get.window().orElse(0), WINDOW);
      int most = (int) Math.min(MAX_DATA, get.maxData().orElse(MAX_DATA));
      Info.Builder ready =
          ready(session)
              .field("Size", entry.bytes.length)
              .field("Identity", entry.identity)
              .field("Producer", "rewindable");
      if (window > 0) {
        ready.field("Window", window);
        most = (int) Math.min(most, window);
      }
      info(ready.text());
      if (holding) {
        info("MODIFYING\nOffset: " + get.offset() + "\n");
        info("RESUMED\nModule: files@2\n");
      }
      long sent = get.offset();
      long told = get.offset();
      if (get.offset() > 0 && !get.identity().equals(Optional.of(entry.identity))) {
        info("RESTART\nIdentity: " + entry.identity + "\nSize: " + entry.bytes.length + "\n");
        Packet answer = read();
        while (answer != null && !(answer.type == PacketType.OFFSET && answer.offset == 0)) {
          answer = read();
        }
        sent = 0;
        told = 0;
      }
      while (told < entry.bytes.length) {
        while (sent < entry.bytes.length && sent - told < Math.max(window, 1)) {
          int length = (int) Math.min(most, entry.bytes.length - sent);
          data(sent, entry.bytes, length);
          sent += length;
        }
        Packet packet = read();
        if (packet == null) {
          return false;
        }
        if (packet.type == PacketType.ERROR) {
          return false;
        }
        if (packet.type == PacketType.OFFSET) {
          told = packet.offset;
        }
      }
      complete(entry);
      return true;
    }

    private boolean put(ClientMessage.Put put) throws IOException, ProtocolException {
      String name = put.name().value();
      Entry before = files.get(name);
      if (put.ifIdentity().isPresent()) {
        String wanted = put.ifIdentity().get();
        if (wanted.equals("none") && before != null) {
          error("exists: " + name + " (expected: a free name)");
          return false;
        }
        if (!wanted.equals("none") && (before == null || !before.identity.equals(wanted))) {
          error("changed: If-Identity: " + wanted + " (expected: another)");
          return false;
        }
      }
      arm();
      UUID session = put.session().orElseGet(UUID::randomUUID);
      byte[] part = parts.getOrDefault(session, new byte[0]);
      info(
          ready(session)
              .field("Consumer", put.streamProducer() ? "stream" : "rewindable")
              .field("Window", WINDOW)
              .field("Keep", 3600)
              .text());
      offset(part.length);
      long size = put.size().orElse(-1);
      while (size < 0 || part.length < size) {
        Packet packet = read();
        if (packet == null || packet.type == PacketType.ERROR) {
          return false;
        }
        if (packet.type == PacketType.DATA) {
          if (packet.offset != part.length) {
            error("bad-offset: " + packet.offset + " (expected: " + part.length + ")");
            return false;
          }
          int at = part.length;
          part = Arrays.copyOf(part, at + packet.data.length);
          System.arraycopy(packet.data, 0, part, at, packet.data.length);
          parts.put(session, part);
          offset(part.length);
        } else if (packet.type == PacketType.INFO && packet.text.startsWith("END")) {
          size = ((ClientMessage.End) ClientMessage.parse(packet.text)).size();
        }
      }
      Entry entry =
          new Entry(
              part, put.modified().orElse(Instant.now()), "id-" + identities.incrementAndGet());
      files.put(name, entry);
      parts.remove(session);
      complete(entry);
      return true;
    }

    private void arm() {
      if (cuts.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
        budget = cutAfter;
      }
    }

    private Info.Builder ready(UUID session) {
      return Info.of("READY")
          .field("Session", session)
          .field("Max-Data", MAX_DATA)
          .field("Idle", 60)
          .field("Module", "files@1")
          .field("Node", address())
          .field("Nodes", address())
          .field("Version", 1);
    }

    private void complete(Entry entry) throws IOException {
      info(
          Info.of("COMPLETE")
              .field("Size", entry.bytes.length)
              .field("Identity", entry.identity)
              .field("SHA-256", wrongHash.isEmpty() ? sha256(entry.bytes) : wrongHash)
              .text());
    }

    private ProtocolException notFound(String name) {
      return new ProtocolException(
          io.theseus.wire.ErrorCode.NOT_FOUND, "\"" + name + "\" (expected: a name that is here)");
    }

    private @Nullable Packet read() throws IOException {
      int type = in.read();
      if (type < 0) {
        return null;
      }
      return switch (type) {
        case PacketType.ERROR, PacketType.INFO -> {
          byte[] bytes = new byte[in.readInt()];
          in.readFully(bytes);
          yield new Packet(
              (byte) type, new String(bytes, StandardCharsets.UTF_8) + "\n", 0, new byte[0]);
        }
        case PacketType.DATA -> {
          byte[] bytes = new byte[in.readInt()];
          long at = in.readLong();
          in.readFully(bytes);
          spend(bytes.length);
          yield new Packet((byte) type, "", at, bytes);
        }
        case PacketType.OFFSET -> new Packet((byte) type, "", in.readLong(), new byte[0]);
        default -> throw new IOException("packet type " + type);
      };
    }

    private void spend(long bytes) throws IOException {
      budget -= bytes;
      if (budget < 0) {
        socket.close();
        throw new EOFException("cut here");
      }
    }

    private void info(String text) throws IOException {
      write(Packets.info(text));
    }

    private void offset(long offset) throws IOException {
      ByteBuffer packet = ByteBuffer.allocate(Packets.OFFSET_LENGTH);
      Packets.putOffset(packet, offset);
      write(packet.flip());
    }

    private void data(long offset, byte[] bytes, int length) throws IOException {
      ByteBuffer packet = ByteBuffer.allocate(Packets.DATA_HEADER + length);
      Packets.putDataHeader(packet, length, offset);
      packet.put(bytes, (int) offset, length);
      write(packet.flip());
      spend(length);
    }

    private void error(String text) throws IOException {
      write(Packets.error(text));
      socket.shutdownOutput();
      while (in.read() >= 0) {
        // what was on its way
      }
    }

    private void write(ByteBuffer packet) throws IOException {
      byte[] bytes = new byte[packet.remaining()];
      packet.get(bytes);
      out.write(bytes);
      out.flush();
    }
  }
}
