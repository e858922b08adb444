package io.theseus.peer;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.Future;
import io.theseus.wire.Epoch;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node's end of the data plane between members: listens for those who want bytes from here, and
 * asks others. Outlives actor systems. By any thread.
 */
@SuppressWarnings("FutureReturnValueIgnored") // connections that end by themselves
public final class PeerPort implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(PeerPort.class);
  private static final int RECEIVE_BYTES = 256 * 1024;
  private static final int CONNECT_MILLIS = 5000;

  /** One thread is enough for a network card: what it does is system calls. */
  private static final int THREADS = 1;

  private final PeerSettings settings;
  private final Sources sources;
  private final Executor disk;
  private final @Nullable PeerTls tls;
  private final EventLoopGroup group;
  private final Channel listening;

  /** Connections to others, by their node and address. */
  private final Map<Address, Line> lines = new ConcurrentHashMap<>();

  /** Bytes that came and are not released. */
  private final AtomicLong held = new AtomicLong();

  /** Bytes that came from other nodes. */
  private final LongAdder copied = new LongAdder();

  /** Where a node is. */
  public record Address(String node, String host, int port) {}

  /**
   * Binds and accepts.
   *
   * @param disk runs what may wait for files
   * @param tls null for none
   * @throws IOException where the address can't be bound
   */
  public static PeerPort open(
      PeerSettings settings, Sources sources, Executor disk, @Nullable PeerTls tls)
      throws IOException {
    return new PeerPort(settings, sources, disk, tls);
  }

  private PeerPort(PeerSettings settings, Sources sources, Executor disk, @Nullable PeerTls tls)
      throws IOException {
    this.settings = settings;
    this.sources = sources;
    this.disk = disk;
    this.tls = tls;
    this.group =
        new MultiThreadIoEventLoopGroup(
            THREADS,
            new DefaultThreadFactory(settings.nodeId() + "-peers", /* daemon= */ true),
            Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
    boolean bound = false;
    try {
      listening = bind();
      bound = true;
    } finally {
      if (!bound) {
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
      }
    }
  }

  private Channel bind() throws IOException {
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(group)
            .channel(
                Epoll.isAvailable() ? EpollServerSocketChannel.class : NioServerSocketChannel.class)
            .option(ChannelOption.SO_REUSEADDR, true)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.SO_KEEPALIVE, true)
            .childHandler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    PeerTls encrypting = tls;
                    if (encrypting != null) {
                      channel.pipeline().addLast(new SslHandler(encrypting.server()));
                    }
                    channel
                        .pipeline()
                        .addLast(new Giver(channel, settings, sources, disk, encrypting));
                  }
                });
    try {
      return bootstrap.bind(settings.host(), settings.port()).syncUninterruptibly().channel();
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Exception e) {
      throw new IOException(e);
    }
  }

  /** The port that is bound. */
  public int port() {
    return ((InetSocketAddress) listening.localAddress()).getPort();
  }

  /** Where others reach this node's. */
  public Address address() {
    String advertise = settings.advertise();
    int colon = advertise.lastIndexOf(':');
    return colon < 0
        ? new Address(settings.nodeId(), settings.host(), port())
        : new Address(
            settings.nodeId(),
            advertise.substring(0, colon).replaceAll("[\\[\\]]", ""),
            Integer.parseInt(advertise.substring(colon + 1)));
  }

  /**
   * Asks a node for bytes of a session, which come once the node has them. The intake hears of
   * nothing but what it asked for; one that asks again goes on where its last range ended.
   *
   * @param from first byte
   * @param to behind the last byte
   */
  public void pull(Address node, UUID session, Epoch epoch, long from, long to, Intake intake) {
    PeerMessage.Pull pull = new PeerMessage.Pull(epoch, from, to);
    lines.computeIfAbsent(node, Line::new).tell(taker -> taker.pull(session, pull, intake), intake);
  }

  /** Asks for nothing more: what comes yet is dropped. */
  public void stop(Address node, UUID session, Intake intake) {
    Line line = lines.get(node);
    if (line != null) {
      line.tell(taker -> taker.stop(session, intake), null);
    }
  }

  private void readAgain() {
    lines.values().forEach(line -> line.tell(Taker::readOrNot, null));
  }

  /** Bytes that came from other nodes and are not written yet. */
  public long heldBytes() {
    return held.get();
  }

  /** Bytes of files that came from other nodes since the start, whatever became of them. */
  public long copiedBytes() {
    return copied.sum();
  }

  /** A connection to another node: made when it is used first, gone when it is lost. */
  private final class Line {
    private final Address node;
    private final EventLoop loop = group.next();

    // of the loop alone
    private @Nullable Taker taker;

    Line(Address node) {
      this.node = node;
      loop.execute(this::connect);
    }

    void tell(Consumer<Taker> what, @Nullable Intake asking) {
      try {
        loop.execute(
            () -> {
              Taker connected = taker;
              if (connected != null) {
                what.accept(connected);
              } else if (asking != null) {
                asking.lost("no connection can be made");
              }
            });
      } catch (RejectedExecutionException e) {
        if (asking != null) {
          asking.lost("this node stops");
        }
      }
    }

    private void connect() {
      new Bootstrap()
          .group(loop)
          .channel(Epoll.isAvailable() ? EpollSocketChannel.class : NioSocketChannel.class)
          .option(ChannelOption.TCP_NODELAY, true)
          .option(ChannelOption.SO_KEEPALIVE, true)
          .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS)
          .option(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(RECEIVE_BYTES))
          .handler(
              new ChannelInitializer<>() {
                @Override
                protected void initChannel(Channel channel) {
                  PeerTls encrypting = tls;
                  if (encrypting != null) {
                    channel
                        .pipeline()
                        .addLast(new SslHandler(encrypting.client(node.host(), node.port())));
                  }
                  Taker made =
                      new Taker(
                          channel,
                          settings.nodeId(),
                          node.node(),
                          copied,
                          held,
                          settings.mostHeldBytes(),
                          PeerPort.this::readAgain,
                          Line.this::forget);
                  taker = made;
                  channel.pipeline().addLast(made);
                }
              })
          .connect(node.host(), node.port())
          .addListener(connected -> onConnected(connected));
    }

    private void onConnected(Future<?> connected) {
      Taker made = taker;
      if (connected.isSuccess()) {
        return;
      }
      String reason = String.valueOf(connected.cause().getMessage());
      if (made == null) {
        LOG.warn("data plane: no connection to node {}: {}", node.node(), reason);
        forget();
      } else {
        made.end(reason);
      }
    }

    private void forget() {
      lines.remove(node, this);
    }
  }

  /** Ends the connections; files that were being sent are closed before it returns. */
  @Override
  public void close() {
    group.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(5000);
  }
}
