package io.theseus.net;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.internal.PlatformDependent;
import io.theseus.control.Control;
import io.theseus.session.Counters;
import io.theseus.steps.Steps;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** The TCP listener of a node and its connections. Plain objects: it outlives actor systems. */
@SuppressWarnings("FutureReturnValueIgnored") // tasks of event loops that end with them
public final class Door implements Closeable {
  private static final int BACKLOG = 4096;
  private static final int READ_LEAST = 512;
  private static final int READ_FIRST = 2048;
  private static final int READ_MOST = 256 * 1024;

  private final EventLoopGroup acceptor;
  private final List<Future<?>> ticks = new ArrayList<>();
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
      NetSettings settings, Loops loops, Control control, Steps steps, Counters counters)
      throws IOException {
    return new Door(settings, loops, control, steps, counters);
  }

  private Door(NetSettings settings, Loops loops, Control control, Steps steps, Counters counters)
      throws IOException {
    Class<? extends ServerChannel> type =
        Epoll.isAvailable() ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
    acceptor = loops.acceptor();
    DoorContext context =
        new DoorContext(
            this::advertised,
            settings.keep().toSeconds(),
            steps,
            new AtomicLong(),
            counters,
            this::removed);
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(acceptor, loops.group())
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
                    int lane = loops.indexOf(channel.eventLoop());
                    Connection connection =
                        new Connection(
                            channel,
                            lane,
                            loops.disks().get(lane),
                            loops.late(lane),
                            settings,
                            control,
                            context);
                    added(connection);
                    counters.add(Counters.Count.CONNECTIONS_ACCEPTED);
                    channel.pipeline().addLast(connection);
                  }
                });
    for (EventLoop loop : loops.all()) {
      connections.put(loop, new HashSet<>());
      ticks.add(loop.scheduleWithFixedDelay(() -> tick(loop), 1, 1, TimeUnit.SECONDS));
    }
    try {
      listener = bootstrap.bind(settings.host(), settings.port()).syncUninterruptibly().channel();
    } catch (RuntimeException | Error e) {
      stopAccepting();
      throw e;
    } catch (Exception e) {
      stopAccepting();
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

  /** Memory outside the heap that buffers of all connections of this process take. */
  public static long bufferBytes() {
    return Math.max(0, PlatformDependent.usedDirectMemory());
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

  /** Stops accepting, ends every connection with care; what they still do, their loops see to. */
  @Override
  public void close() {
    listener.close().syncUninterruptibly();
    stopAccepting();
    connections.forEach(
        (loop, own) -> loop.execute(() -> List.copyOf(own).forEach(Connection::stop)));
  }

  private void stopAccepting() {
    ticks.forEach(tick -> tick.cancel(false));
    acceptor.shutdownGracefully(0, 2, TimeUnit.SECONDS);
  }
}
