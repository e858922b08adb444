package io.theseus.net;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.internal.PlatformDependent;
import io.theseus.access.Access;
import io.theseus.access.Callers;
import io.theseus.access.Rights;
import io.theseus.access.Source;
import io.theseus.control.Control;
import io.theseus.names.Place;
import io.theseus.session.Counters;
import io.theseus.steps.Steps;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The TCP listeners of a node, plain and for TLS, and their connections. Plain objects: it outlives
 * actor systems.
 */
@SuppressWarnings("FutureReturnValueIgnored") // tasks of event loops that end with them
public final class Door implements Closeable {
  /** After a failure, which the loop reports. */
  private static final Duration SOON = Duration.ofMillis(10);

  private static final int BACKLOG = 4096;

  /**
   * So many may take their time to read that they can't stay; no more, because each has a
   * descriptor of those that are kept for files.
   */
  private static final int MOST_TURNED_AWAY = 64;

  private static final int READ_LEAST = 512;
  private static final int READ_FIRST = 2048;
  private static final int READ_MOST = 256 * 1024;

  private final NetSettings settings;
  private final Control control;
  private final Steps steps;
  private final EventLoopGroup acceptor;
  private final Loops loops;
  private final Counters counters;
  private volatile boolean closed;
  private final AtomicLong backlog = new AtomicLong();
  private final Map<EventExecutor, Rounds<Connection>> connections = new ConcurrentHashMap<>();
  private final Access access;
  private final Callers callers;

  /** Connections that are told, just now, that they may not stay. */
  private final AtomicInteger turnedAway = new AtomicInteger();

  private final Listener plain;
  private volatile @Nullable Listener encrypted;

  /** A port that is listened on, and how clients reach it. */
  private record Listener(Channel channel, String advertised) {
    static Listener of(Channel channel, String advertise) {
      InetSocketAddress bound = (InetSocketAddress) channel.localAddress();
      String host = bound.getAddress().getHostAddress();
      return new Listener(
          channel,
          advertise.isEmpty()
              ? (host.contains(":") ? "[" + host + "]" : host) + ":" + bound.getPort()
              : advertise);
    }

    int port() {
      return ((InetSocketAddress) channel.localAddress()).getPort();
    }
  }

  /**
   * Binds and accepts.
   *
   * @throws IOException where the address can't be bound
   */
  public static Door open(
      NetSettings settings,
      Loops loops,
      Control control,
      Access access,
      Steps steps,
      Counters counters)
      throws IOException {
    return new Door(settings, loops, control, access, steps, counters);
  }

  private Door(
      NetSettings settings,
      Loops loops,
      Control control,
      Access access,
      Steps steps,
      Counters counters)
      throws IOException {
    this.settings = settings;
    this.loops = loops;
    this.access = access;
    this.callers =
        new Callers(
            settings.maxConnections(),
            settings.maxConnectionsBy(),
            settings.maxConnectionsPerSource());
    this.control = control;
    this.steps = steps;
    this.counters = counters;
    acceptor = loops.acceptor();
    for (EventLoop loop : loops.all()) {
      Rounds<Connection> rounds = new Rounds<>(Connection::tick, System.nanoTime());
      connections.put(loop, rounds);
      loop.execute(() -> step(loop, rounds));
    }
    DoorContext context = context(this::advertised, Place::plain, settings.anonymous());
    try {
      plain =
          Listener.of(
              bind(
                  settings.host(),
                  settings.port(),
                  new SpareReceive(receiving()),
                  channel ->
                      connection(channel, context)
                          .ifPresent(connection -> channel.pipeline().addLast(connection))),
              settings.advertise());
    } catch (RuntimeException | IOException e) {
      stopAccepting();
      throw e;
    }
  }

  /**
   * Binds the port for TLS, and accepts there too.
   *
   * @throws IOException where the address can't be bound
   */
  public void listen(TlsSettings tls) throws IOException {
    DoorContext context =
        context(() -> advertisedEncrypted().orElseThrow(), Place::encrypted, tls.anonymous());
    encrypted =
        Listener.of(
            bind(
                tls.host(),
                tls.port(),
                receiving(), // TLS has buffers of its own, and may keep what it was given
                channel ->
                    connection(channel, context)
                        .ifPresent(
                            connection ->
                                channel
                                    .pipeline()
                                    .addLast(new TlsBeginning(connection, tls), connection))),
            tls.advertise());
  }

  private DoorContext context(
      Supplier<String> node, Function<Place, String> address, Rights anonymous) {
    return new DoorContext(
        node,
        () -> nodes(node.get(), address),
        new Admission(access, anonymous),
        settings.keep().toSeconds(),
        steps,
        backlog,
        counters,
        this::removed);
  }

  /** The connection of a channel; empty where it gets not even words. */
  /** This node, and the others that can be reached, as far as they serve such clients. */
  private String nodes(String own, Function<Place, String> address) {
    StringBuilder nodes = new StringBuilder(own);
    for (Place place : control.names().reachable()) {
      String there = address.apply(place);
      if (!there.isEmpty()) {
        nodes.append(", ").append(there);
      }
    }
    return nodes.toString();
  }

  private Optional<Connection> connection(Channel channel, DoorContext context) {
    Source source = Source.of(channel.remoteAddress());
    String unwelcome = callers.enter(source).orElse(null);
    if (unwelcome != null && turnedAway.incrementAndGet() > MOST_TURNED_AWAY) {
      // words take time and memory too: under a flood there are none
      turnedAway.decrementAndGet();
      channel.config().setOption(ChannelOption.SO_LINGER, 0);
      channel.unsafe().closeForcibly();
      return Optional.empty();
    }
    int lane = loops.indexOf(channel.eventLoop());
    Connection connection =
        new Connection(
            channel,
            lane,
            loops.disks().get(lane),
            loops.late(lane),
            settings,
            control,
            context,
            source,
            unwelcome);
    of(channel.eventLoop()).add(connection);
    if (unwelcome == null) {
      counters.add(Counters.Count.CONNECTIONS_ACCEPTED);
    }
    return Optional.of(connection);
  }

  private static RecvByteBufAllocator receiving() {
    return new AdaptiveRecvByteBufAllocator(READ_LEAST, READ_FIRST, READ_MOST);
  }

  private Channel bind(
      String host, int port, RecvByteBufAllocator receiving, Consumer<Channel> begin)
      throws IOException {
    Class<? extends ServerChannel> type =
        Epoll.isAvailable() ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
    AcceptPace pace = new AcceptPace();
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(acceptor, loops.group())
            .channel(type)
            .handler(pace)
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .option(ChannelOption.SO_REUSEADDR, true)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
            .childOption(ChannelOption.RECVBUF_ALLOCATOR, receiving)
            .childHandler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    pace.begun(channel);
                    begin.accept(channel);
                  }
                });
    try {
      return bootstrap.bind(host, port).syncUninterruptibly().channel();
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Exception e) {
      throw new IOException(e);
    }
  }

  /** {@code host:port} as clients reach this node. */
  public String advertised() {
    return plain.advertised();
  }

  /** The same for clients that speak TLS; empty where there is no port for them. */
  public Optional<String> advertisedEncrypted() {
    return Optional.ofNullable(encrypted).map(Listener::advertised);
  }

  /** The port that is bound. */
  public int port() {
    return plain.port();
  }

  /** Memory outside the heap that buffers of all connections of this process take. */
  public static long bufferBytes() {
    return Math.max(0, PlatformDependent.usedDirectMemory());
  }

  /** The connections that are open, and how many were refused. */
  public Callers callers() {
    return callers;
  }

  private void removed(Connection connection) {
    if (of(connection.channel().eventLoop()).remove(connection)) {
      if (connection.isWelcome()) {
        callers.leave(connection.source());
      } else {
        turnedAway.decrementAndGet();
      }
    }
  }

  private Rounds<Connection> of(EventLoop loop) {
    Rounds<Connection> own = connections.get(loop);
    if (own == null) {
      throw new IllegalStateException("unknown event loop");
    }
    return own;
  }

  @SuppressWarnings("FutureReturnValueIgnored") // it ends when the door is closed
  private void step(EventLoop loop, Rounds<Connection> rounds) {
    if (!closed) {
      long delay = SOON.toNanos();
      try {
        delay = rounds.step(System.nanoTime());
      } finally {
        loop.schedule(() -> step(loop, rounds), delay, TimeUnit.NANOSECONDS);
      }
    }
  }

  /** Stops accepting, ends every connection with care; what they still do, their loops see to. */
  @Override
  public void close() {
    plain.channel().close().syncUninterruptibly();
    Listener other = encrypted;
    if (other != null) {
      other.channel().close().syncUninterruptibly();
    }
    stopAccepting();
    connections.forEach((loop, own) -> loop.execute(() -> own.all().forEach(Connection::stop)));
  }

  private void stopAccepting() {
    closed = true;
    acceptor.shutdownGracefully(0, 2, TimeUnit.SECONDS);
  }
}
