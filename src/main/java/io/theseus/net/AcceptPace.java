package io.theseus.net;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Keeps a port from accepting connections faster than event loops look at them, which is where
 * those beyond a limit are counted and turned away: in a flood they would use up all descriptors
 * before.
 */
@Sharable // of one port
final class AcceptPace extends ChannelInboundHandlerAdapter {
  /** Connections that no event loop has looked at yet; some more may come with the last look. */
  private static final int MOST_WAITING = 32;

  private final AtomicInteger waiting = new AtomicInteger();

  @Override
  public void channelRead(ChannelHandlerContext context, Object connection) {
    if (waiting.incrementAndGet() >= MOST_WAITING) {
      context.channel().config().setAutoRead(false);
    }
    context.fireChannelRead(connection);
  }

  /** An event loop has looked at one. */
  void begun(Channel connection) {
    Channel port = connection.parent();
    if (waiting.decrementAndGet() == MOST_WAITING / 2 && !port.eventLoop().isShuttingDown()) {
      // behind what the port's thread does now, which may be to stop
      port.eventLoop().execute(() -> port.config().setAutoRead(true));
    }
  }
}
