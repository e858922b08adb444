package io.theseus.net;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Keeps a port from accepting connections faster than event loops look at them, which is where
 * those beyond a limit are counted and turned away: in a flood they would use up all descriptors
 * before.
 */
@Sharable // of one port
final class AcceptPace extends ChannelInboundHandlerAdapter {
  /** Connections that no event loop has looked at yet; some more may come with the last look. */
  private static final int MOST_WAITING = 32;

  private final Set<Channel> waiting = ConcurrentHashMap.newKeySet();

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    Channel port = context.channel();
    Channel connection = (Channel) message;
    waiting.add(connection);
    // one that no event loop can take is closed without a look
    connection.closeFuture().addListener(closed -> begun(connection));
    if (waiting.size() >= MOST_WAITING) {
      port.config().setAutoRead(false);
      if (mayGoOn()) {
        port.config().setAutoRead(true); // they were quicker, and saw that it had not stopped
      }
    }
    context.fireChannelRead(connection);
  }

  private boolean mayGoOn() {
    return waiting.size() <= MOST_WAITING / 2;
  }

  /** An event loop has looked at one. */
  void begun(Channel connection) {
    Channel port = connection.parent();
    if (waiting.remove(connection) && !port.config().isAutoRead() && mayGoOn()) {
      port.config().setAutoRead(true);
    }
  }
}
