package io.theseus.net;

import io.netty.channel.DefaultSelectStrategyFactory;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import io.theseus.os.Native;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The threads that move packets: native epoll where there is one, NIO elsewhere. The sessions of a
 * loop's connections live on its thread, too, so they outlive the doors and are closed last.
 */
@SuppressWarnings("FutureReturnValueIgnored") // of threads that end
public final class Loops implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(Loops.class);

  /**
   * Connections that have their turn before tasks have theirs: hundreds that take all they can get
   * would keep the sessions of all, and timers, waiting for as many fillings of a socket.
   */
  private static final int EVENTS = 16;

  private final IoHandlerFactory io =
      Epoll.isAvailable()
          ? EpollIoHandler.newFactory(EVENTS, DefaultSelectStrategyFactory.INSTANCE)
          : NioIoHandler.newFactory();
  private final String nodeId;
  private final EventLoopGroup group;
  private final List<EventLoop> all = new ArrayList<>();
  private final List<Executor> disks;
  private final List<LateFlush> lates;

  /**
   * Starts threads.
   *
   * @param nice their nice value; where they may not have it, that is logged
   * @param disk runs what may block on files
   */
  public Loops(int count, int nice, String nodeId, Executor disk) {
    this.nodeId = nodeId;
    group =
        new MultiThreadIoEventLoopGroup(
            count, new DefaultThreadFactory(nodeId + "-loop", /* daemon= */ true), io);
    for (EventExecutor each : group) {
      all.add((EventLoop) each);
    }
    if (nice != 0) {
      AtomicBoolean told = new AtomicBoolean();
      all.forEach(loop -> loop.execute(() -> setNice(nice, told)));
    }
    // now: later there may be no thread and no memory to be had
    all.forEach(loop -> loop.execute(SpareReceive::prepare));
    lates = all.stream().map(LateFlush::new).toList();
    disks = all.stream().<Executor>map(loop -> new LoopDisk(loop, disk)).toList();
  }

  private static void setNice(int nice, AtomicBoolean told) {
    try {
      Native.setNice(nice);
    } catch (IOException e) {
      if (!told.getAndSet(true)) {
        LOG.warn(
            "theseus.threads.event-loop-nice = {}: not done: {} (expected: root, or a limit that"
                + " allows it, as LimitNICE={} of systemd)",
            nice,
            e.getMessage(),
            nice);
      }
    }
  }

  /** Each runs tasks on one of the threads. */
  public List<Executor> executors() {
    return List.copyOf(all);
  }

  /** Runs a task on one of the threads, in a while. */
  public void later(int loop, Runnable task, Duration delay) {
    all.get(loop).schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** The disk threads, as each loop uses them. */
  public List<Executor> disks() {
    return disks;
  }

  LateFlush late(int loop) {
    return lates.get(loop);
  }

  EventLoopGroup group() {
    return group;
  }

  List<EventLoop> all() {
    return all;
  }

  int indexOf(EventLoop loop) {
    return all.indexOf(loop);
  }

  /** A thread that accepts connections for the loops. */
  EventLoopGroup acceptor() {
    return new MultiThreadIoEventLoopGroup(
        1, new DefaultThreadFactory(nodeId + "-accept", /* daemon= */ true), io);
  }

  /** Ends the threads when they are idle, at the latest after some seconds. */
  @Override
  public void close() {
    group.shutdownGracefully(100, 5000, TimeUnit.MILLISECONDS).awaitUninterruptibly(6000);
  }
}
