package io.theseus.net;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import io.theseus.control.Control;
import io.theseus.steps.Steps;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The TCP listener of a node and the event loops behind it.
 *
 * <p>Native epoll where there is one, NIO elsewhere. Plain objects: it outlives actor systems.
 */
@SuppressWarnings("FutureReturnValueIgnored") // tasks of event loops that end with them
public final class Door implements Closeable {
  private static final int BACKLOG = 4096;

  /** So many may take their time to read that they can't stay. */
  private static final int MOST_TURNED_AWAY = 64;

  private static final int READ_LEAST = 512;
  private static final int READ_FIRST = 2048;
  private static final int READ_MOST = 256 * 1024;

  private final EventLoopGroup acceptor;
  private final EventLoopGroup loops;
  private final Channel listener;
  private final Map<EventExecutor, Set<Connection>> connections = new ConcurrentHashMap<>();
  private final AtomicInteger count = new AtomicInteger();
  private final String advertised;

  /**
   * Binds and accepts.
   *
   * @throws IOException where the address can't be bound
   */
  public static Door open(
      NetSettings settings, Control control, Executor disk, Steps steps, String nodeId)
      throws IOException {
    return new Door(settings, control, disk, steps, nodeId);
  }

  private Door(NetSettings settings, Control control, Executor disk, Steps steps, String nodeId)
      throws IOException {
    boolean epoll = Epoll.isAvailable();
    IoHandlerFactory io = epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    Class<? extends ServerChannel> type =
        epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
    acceptor =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory(nodeId + "-accept", /* daemon= */ true), io);
    loops =
        new MultiThreadIoEventLoopGroup(
            settings.eventLoops(),
            new DefaultThreadFactory(nodeId + "-loop", /* daemon= */ true),
            io);
    DoorContext context =
        new DoorContext(
            this::advertised,
            settings.keep().toSeconds(),
            disk,
            steps,
            new AtomicLong(),
            this::removed);
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(acceptor, loops)
            .channel(type)
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .option(ChannelOption.SO_REUSEADDR, true)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
            .childOption(
                ChannelOption.RECVBUF_ALLOCATOR,
                new AdaptiveRecvByteBufAllocator(READ_LEAST, READ_FIRST, READ_MOST))
            .childHandler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    Connection connection = new Connection(channel, settings, control, context);
                    added(connection);
                    int beyond = count.get() - settings.mostConnections();
                    if (beyond > 0) {
                      connection.turnAway(
                          settings.mostConnections()
                              + " connections are open (expected: no more, by the limit of open"
                              + " files)",
                          /* atOnce= */ beyond > MOST_TURNED_AWAY);
                    }
                    channel.pipeline().addLast(connection);
                  }
                });
    for (EventExecutor loop : loops) {
      connections.put(loop, new HashSet<>());
      loop.scheduleWithFixedDelay(() -> tick(loop), 1, 1, TimeUnit.SECONDS);
    }
    try {
      listener = bootstrap.bind(settings.host(), settings.port()).syncUninterruptibly().channel();
    } catch (RuntimeException | Error e) {
      shutDownLoops();
      throw e;
    } catch (Exception e) {
      shutDownLoops();
      throw new IOException(e);
    }
    InetSocketAddress bound = (InetSocketAddress) listener.localAddress();
    String host = bound.getAddress().getHostAddress();
    advertised =
        settings.advertise().isEmpty()
            ? (host.contains(":") ? "[" + host + "]" : host) + ":" + bound.getPort()
            : settings.advertise();
  }

  /** {@code host:port} as clients reach this node. */
  public String advertised() {
    return advertised;
  }

  /** The port that is bound. */
  public int port() {
    return ((InetSocketAddress) listener.localAddress()).getPort();
  }

  /** Connections that are open. */
  public int connections() {
    return count.get();
  }

  private void added(Connection connection) {
    count.incrementAndGet();
    of(connection.channel().eventLoop()).add(connection);
  }

  private void removed(Connection connection) {
    if (of(connection.channel().eventLoop()).remove(connection)) {
      count.decrementAndGet();
    }
  }

  private Set<Connection> of(EventLoop loop) {
    Set<Connection> own = connections.get(loop);
    if (own == null) {
      throw new IllegalStateException("unknown event loop");
    }
    return own;
  }

  private void tick(EventExecutor loop) {
    long now = System.nanoTime();
    // a copy: a deadline closes connections, which leave the set
    for (Connection connection : List.copyOf(connections.getOrDefault(loop, Set.of()))) {
      connection.tick(now);
    }
  }

  /** Stops accepting, ends every connection with care, then the event loops. */
  @Override
  public void close() {
    listener.close().syncUninterruptibly();
    connections.forEach(
        (loop, own) -> loop.execute(() -> List.copyOf(own).forEach(Connection::stop)));
    shutDownLoops();
  }

  private void shutDownLoops() {
    acceptor.shutdownGracefully(0, 2, TimeUnit.SECONDS);
    loops.shutdownGracefully(100, 5000, TimeUnit.MILLISECONDS).awaitUninterruptibly(6000);
  }
}
