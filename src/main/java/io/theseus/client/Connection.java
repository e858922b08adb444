package io.theseus.client;

import io.theseus.wire.PacketDecoder;
import io.theseus.wire.Packets;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * One socket to a node: packets out of a queue, packets in to a handler; all on one thread.
 *
 * <p>Only {@link #wakeup} may be called from other threads. What is queued is whole packets, so an
 * ERROR can always follow. Where writing fails, what the server sent before is still read: it may
 * be the ERROR that says why.
 */
final class Connection implements AutoCloseable {
  private static final int GATHERED = 16;
  // reads without a look at timers in between
  private static final int READS_IN_A_ROW = 8;

  private record Outgoing(ByteBuffer bytes, @Nullable Chunk chunk) {}

  private final NodeAddress node;
  private final ClientSettings settings;
  private final Cancellation cancellation;
  private final ChunkPool pool;
  private final @Nullable PacketTrace trace;
  private final SocketChannel channel;
  private final Selector selector;
  private final SelectionKey key;
  private final Transport transport;
  private final PacketDecoder decoder = new PacketDecoder(Packets.MAX_MAX_DATA);
  private final ArrayDeque<Outgoing> outgoing = new ArrayDeque<>();
  private final ByteBuffer[] gathered = new ByteBuffer[GATHERED];
  private Chunk incoming;

  private boolean moreLikely;
  private boolean answered;
  private boolean open = true;
  private @Nullable String writeFailure;
  private long writeFailedNanos;
  private long lastSentNanos;
  private long lastReceivedNanos;
  private Duration idle;

  private Connection(
      NodeAddress node,
      ClientSettings settings,
      Cancellation cancellation,
      ChunkPool pool,
      SocketChannel channel,
      Selector selector,
      SelectionKey key) {
    this.node = node;
    this.settings = settings;
    this.cancellation = cancellation;
    this.pool = pool;
    this.trace = settings.trace().orElse(null);
    this.channel = channel;
    this.selector = selector;
    this.key = key;
    this.transport =
        settings
            .tls()
            .<Transport>map(tls -> new TlsTransport(channel, tls.engine(node)))
            .orElseGet(() -> new Transport.Plain(channel));
    incoming = pool.take();
    idle = settings.idle();
    lastSentNanos = System.nanoTime();
    lastReceivedNanos = lastSentNanos;
  }

  /**
   * Connects, to each address that the node's name has, in turn; over TLS where it is asked for.
   */
  static Connection open(
      NodeAddress node, ClientSettings settings, Cancellation cancellation, ChunkPool pool)
      throws AttemptException, TransferException {
    InetAddress[] addresses;
    try {
      addresses = InetAddress.getAllByName(node.host());
    } catch (UnknownHostException e) {
      throw AttemptException.unreachable(node + ": unknown host");
    }
    String failure = "no address";
    for (InetAddress address : addresses) {
      try {
        return open(node, address, settings, cancellation, pool);
      } catch (SSLException e) {
        throw AttemptException.untrusted(node + ": " + reason(e));
      } catch (IOException e) {
        failure = String.valueOf(e.getMessage());
      }
    }
    throw AttemptException.unreachable(node + ": " + failure);
  }

  /** An alert, or what {@link ClientTls} said of the certificate. */
  private static String reason(SSLException failure) {
    String message = String.valueOf(failure.getMessage()).replaceFirst("^\\(\\w+\\) ", "");
    return Texts.escape(message);
  }

  private static Connection open(
      NodeAddress node,
      InetAddress address,
      ClientSettings settings,
      Cancellation cancellation,
      ChunkPool pool)
      throws IOException, TransferException {
    SocketChannel channel = SocketChannel.open();
    Selector selector = null;
    Connection connection = null;
    boolean connected = false;
    try {
      channel.configureBlocking(false);
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
      selector = Selector.open();
      SelectionKey key = channel.register(selector, SelectionKey.OP_CONNECT);
      connection = new Connection(node, settings, cancellation, pool, channel, selector, key);
      connection.connect(new InetSocketAddress(address, node.port()));
      connected = true;
      return connection;
    } finally {
      if (!connected) {
        if (connection != null) {
          connection.close();
        } else {
          channel.close();
          if (selector != null) {
            selector.close();
          }
        }
      }
    }
  }

  private void connect(InetSocketAddress address) throws IOException, TransferException {
    cancellation.wakes(this);
    long deadline = System.nanoTime() + settings.connectTimeout().toNanos();
    if (!channel.connect(address)) {
      do {
        cancellation.check();
        long left = deadline - System.nanoTime();
        if (left <= 0) {
          throw new IOException("no connection within " + text(settings.connectTimeout()));
        }
        select(left);
      } while (!channel.finishConnect());
    }
    if (transport instanceof TlsTransport tls) {
      int waitsFor;
      while ((waitsFor = tls.handshake()) != 0) {
        cancellation.check();
        long left = deadline - System.nanoTime();
        if (left <= 0) {
          throw new IOException("no TLS handshake within " + text(settings.connectTimeout()));
        }
        key.interestOps(waitsFor);
        select(left);
      }
    }
    key.interestOps(SelectionKey.OP_READ);
  }

  NodeAddress node() {
    return node;
  }

  /** Begins an exchange: from here on it counts whether anything answered. */
  void beginExchange() {
    answered = false;
    moreLikely = false;
    lastReceivedNanos = System.nanoTime();
    idle = settings.idle();
    decoder.maxData(Packets.MAX_MAX_DATA);
    cancellation.wakes(this);
  }

  /** What READY said of this connection. */
  void agreed(int maxData, Duration serverIdle) {
    decoder.maxData(maxData);
    idle = serverIdle;
  }

  boolean isOpen() {
    return open;
  }

  /** Lets a thread that waits in {@link #pump} look around. From any thread. */
  void wakeup() {
    selector.wakeup();
  }

  // ---- out

  void sendInfo(String text) {
    if (trace != null) {
      trace.packet("> INFO " + PacketText.info(text));
    }
    outgoing.add(new Outgoing(Packets.info(text), null));
  }

  void sendOffset(long offset) {
    if (trace != null) {
      trace.packet("> OFFSET " + offset);
    }
    ByteBuffer packet = ByteBuffer.allocate(Packets.OFFSET_LENGTH);
    Packets.putOffset(packet, offset);
    outgoing.add(new Outgoing(packet.flip(), null));
  }

  /** Queues a DATA; the reference to the chunk, where there is one, becomes the connection's. */
  void sendData(long offset, ByteBuffer data, @Nullable Chunk chunk) {
    if (trace != null) {
      trace.packet("> DATA " + offset + " +" + data.remaining());
    }
    ByteBuffer header = ByteBuffer.allocate(Packets.DATA_HEADER);
    Packets.putDataHeader(header, data.remaining(), offset);
    outgoing.add(new Outgoing(header.flip(), null));
    outgoing.add(new Outgoing(data, chunk));
  }

  /** Packets that wait to be written; a DATA counts twice. */
  int queued() {
    return outgoing.size();
  }

  /** Writes as much as the socket takes. */
  void flush() {
    try {
      while (!allSent() && writeFailure == null) {
        int count = 0;
        for (Outgoing next : outgoing) {
          gathered[count++] = next.bytes();
          if (count == GATHERED) {
            break;
          }
        }
        long written = transport.write(gathered, count);
        if (written == 0) {
          return;
        }
        lastSentNanos = System.nanoTime();
        Outgoing head = outgoing.peekFirst();
        while (head != null && !head.bytes().hasRemaining()) {
          outgoing.removeFirst();
          if (head.chunk() != null) {
            head.chunk().release();
          }
          head = outgoing.peekFirst();
        }
      }
    } catch (IOException e) {
      writeFailure = String.valueOf(e.getMessage());
      writeFailedNanos = System.nanoTime();
    }
  }

  private boolean allSent() {
    return outgoing.isEmpty() && transport.flushed();
  }

  // ---- in

  /**
   * Writes, waits until something can be done or until the deadline, reads, and hands packets over.
   *
   * @param untilNanos on the clock of {@link System#nanoTime}
   */
  void pump(PacketHandler handler, long untilNanos)
      throws AttemptException, ProtocolException, TransferException {
    flush();
    boolean reads = handler.mayRead();
    try {
      if (!moreLikely || !reads) {
        int ops = reads ? SelectionKey.OP_READ : 0;
        if (!allSent() && writeFailure == null) {
          ops |= SelectionKey.OP_WRITE;
        }
        if (key.interestOps() != ops) {
          key.interestOps(ops);
        }
        select(untilNanos - System.nanoTime());
        flush();
      }
      cancellation.check();
      if (reads) {
        read(handler);
      } else {
        // nobody can be called silent who isn't listened to
        heard();
      }
    } catch (IOException e) {
      throw AttemptException.lost(node + ": " + e.getMessage());
    }
    if (writeFailure != null
        && System.nanoTime() - writeFailedNanos > settings.errorLinger().toNanos()) {
      throw AttemptException.lost(node + ": " + writeFailure);
    }
  }

  private void select(long nanos) throws IOException {
    if (nanos <= 0) {
      selector.selectNow();
    } else {
      selector.select(TimeUnit.NANOSECONDS.toMillis(nanos) + 1);
    }
    selector.selectedKeys().clear();
  }

  private void read(PacketHandler handler)
      throws IOException, AttemptException, ProtocolException, TransferException {
    moreLikely = false;
    for (int i = 0; i < READS_IN_A_ROW; i++) {
      ByteBuffer into = incoming.buffer();
      if (incoming.unshared()) {
        into.clear();
      } else if (!into.hasRemaining()) {
        incoming.release();
        incoming = pool.take();
        into = incoming.buffer();
      }
      int from = into.position();
      int room = into.remaining();
      int read = transport.read(into);
      if (read < 0) {
        throw ended();
      }
      if (read == 0) {
        return;
      }
      lastReceivedNanos = System.nanoTime();
      decode(handler, into.duplicate().position(from).limit(from + read));
      if (read < room) {
        return;
      }
      if (!handler.mayRead()) {
        // the socket would not tell of what has left it already
        moreLikely = transport.buffered();
        return;
      }
    }
    moreLikely = true;
  }

  private void decode(PacketHandler handler, ByteBuffer input)
      throws AttemptException, ProtocolException, TransferException {
    while (true) {
      switch (decoder.next(input)) {
        case NEED_INPUT -> {
          return;
        }
        case ERROR -> {
          answered = true;
          if (trace != null) {
            trace.packet("< ERROR " + PacketText.info(decoder.text()));
          }
          throw AttemptException.refused(decoder.text());
        }
        case INFO -> {
          answered = true;
          if (trace != null) {
            trace.packet("< INFO " + PacketText.info(decoder.text()));
          }
          handler.onInfo(decoder.text());
        }
        case OFFSET -> {
          answered = true;
          if (trace != null) {
            trace.packet("< OFFSET " + decoder.offset());
          }
          handler.onOffset(decoder.offset());
        }
        case DATA -> {
          answered = true;
          if (trace != null) {
            trace.packet("< DATA " + decoder.offset() + " +" + decoder.length());
          }
          handler.onData(decoder.offset(), decoder.length());
        }
        case BACKUPINFO, BACKUPDATA ->
            throw new IllegalStateException("a packet between members was let through");
        case PAYLOAD ->
            handler.onPayload(
                incoming, decoder.payloadPosition(), decoder.payloadLength(), decoder.lastPiece());
      }
    }
  }

  private AttemptException ended() {
    if (writeFailure != null) {
      return AttemptException.lost(node + ": " + writeFailure);
    }
    if (!answered && !decoder.midPacket()) {
      return AttemptException.notTakenUp(node + ": closed without an answer");
    }
    return AttemptException.lost(node + ": connection closed by the server");
  }

  // ---- life

  /** Whether the last packet is still on its way. */
  boolean midPacket() {
    return decoder.midPacket();
  }

  /** When an ALIVE is to leave where nothing else does. */
  long aliveDueNanos() {
    return lastSentNanos + idle.toNanos() / 3;
  }

  /** Sends ALIVE, unless something is on its way already. */
  void alive() {
    if (outgoing.isEmpty()) {
      sendInfo("ALIVE\n");
    }
    // where the socket takes nothing, asking again at once would be a busy loop
    lastSentNanos = System.nanoTime();
  }

  /** The server's silence counts from now on. */
  void heard() {
    lastReceivedNanos = System.nanoTime();
  }

  /** When a server that owes us something is taken for dead. */
  long silentAtNanos() {
    long limit = Math.min(settings.silenceLimit().toNanos(), idle.toNanos());
    if (decoder.midPacket()) {
      // ALIVE can't come within a packet
      limit = Math.max(limit, idle.toNanos());
    }
    return lastReceivedNanos + limit;
  }

  /** What is said where {@link #silentAtNanos} has passed. */
  AttemptException silent() {
    long silentNanos = System.nanoTime() - lastReceivedNanos;
    return AttemptException.silent(
        node + ": no sign of life for " + text(Duration.ofNanos(silentNanos)));
  }

  /**
   * Says ERROR, then waits for the other end to close, so that the text arrives; then closes.
   *
   * @param errorText {@code code: what was wrong and what was expected}
   */
  void giveUp(String errorText) {
    if (!open) {
      return;
    }
    if (trace != null) {
      trace.packet("> ERROR " + PacketText.info(errorText));
    }
    outgoing.add(new Outgoing(Packets.error(errorText), null));
    long deadline = System.nanoTime() + settings.errorLinger().toNanos();
    try {
      ByteBuffer dropped = ByteBuffer.allocate(8192);
      boolean shut = false;
      while (System.nanoTime() < deadline && !cancellation.isCancelled()) {
        flush();
        if (allSent() && !shut) {
          transport.shutdownOutput();
          shut = true;
        }
        if (writeFailure != null) {
          break;
        }
        int read = channel.read(dropped.clear());
        if (read < 0) {
          break;
        }
        if (read == 0) {
          key.interestOps(SelectionKey.OP_READ | (shut ? 0 : SelectionKey.OP_WRITE));
          select(deadline - System.nanoTime());
          if (Thread.currentThread().isInterrupted()) {
            break;
          }
        }
      }
    } catch (IOException e) {
      // the other end is gone: nobody is left to be told
    }
    close();
  }

  /** Looks at a connection that was kept: what came between sessions is dropped. */
  boolean stillGood() {
    if (!open || writeFailure != null) {
      return false;
    }
    try {
      pump(BetweenSessions.INSTANCE, System.nanoTime());
      return !decoder.midPacket() && allSent();
    } catch (AttemptException | ProtocolException | TransferException e) {
      return false;
    }
  }

  @Override
  public void close() {
    if (!open) {
      return;
    }
    open = false;
    for (Outgoing left : outgoing) {
      if (left.chunk() != null) {
        left.chunk().release();
      }
    }
    outgoing.clear();
    incoming.release();
    cancellation.wakes(null);
    try {
      channel.close();
      selector.close();
    } catch (IOException e) {
      // nothing depends on a socket that is being left
    }
  }

  static String text(Duration duration) {
    return duration.toMillis() < 10_000 ? duration.toMillis() + " ms" : duration.toSeconds() + " s";
  }

  /** Takes nothing but what may come late. */
  private enum BetweenSessions implements PacketHandler {
    INSTANCE;

    @Override
    public void onInfo(String text) {}

    @Override
    public void onOffset(long offset) throws AttemptException {
      throw AttemptException.lost("OFFSET " + offset + " between sessions");
    }

    @Override
    public void onData(long offset, int length) throws AttemptException {
      throw AttemptException.lost("DATA between sessions");
    }

    @Override
    public void onPayload(Chunk chunk, int position, int length, boolean last) {}
  }
}
