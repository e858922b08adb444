package io.theseus.net;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Looks at the first byte on the TLS port: TLS begins, or a client that speaks without is told so
 * in words that it can read.
 */
final class TlsBeginning extends ChannelInboundHandlerAdapter {
  /** The first byte of a record that carries a handshake (RFC 8446, 5.1). */
  private static final int HANDSHAKE = 22;

  /** Bytes that are encrypted in one go, as records of 16 KiB in one buffer. */
  private static final int WRAPPED = 256 * 1024;

  private final Connection connection;
  private final TlsSettings settings;
  private final long deadline;
  private @Nullable ScheduledFuture<?> timer;

  TlsBeginning(Connection connection, TlsSettings settings) {
    this.connection = connection;
    this.settings = settings;
    this.deadline = System.nanoTime() + settings.handshake().toNanos();
  }

  private long leftMillis() {
    return Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime()));
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    timer =
        context.executor().schedule(() -> onTimeout(context), leftMillis(), TimeUnit.MILLISECONDS);
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    ScheduledFuture<?> running = timer;
    if (running != null) {
      running.cancel(false);
    }
  }

  private void onTimeout(ChannelHandlerContext context) {
    context.pipeline().remove(this);
    connection.fail(
        "timeout: no TLS handshake for "
            + settings.handshake().toSeconds()
            + " s (expected: TLS, begun at once)");
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    ByteBuf first = (ByteBuf) message;
    if (!first.isReadable()) {
      first.release();
      return;
    }
    if (first.getUnsignedByte(first.readerIndex()) == HANDSHAKE) {
      SslHandler tls = settings.keys().get().context().newHandler(context.alloc());
      tls.setHandshakeTimeoutMillis(leftMillis());
      tls.setWrapDataSize(WRAPPED);
      context.pipeline().replace(this, "tls", tls);
      context.fireChannelRead(message);
      return;
    }
    first.release();
    context.pipeline().remove(this);
    connection.fail(
        "bad-packet: plaintext on the port for TLS (expected: TLS, as `theseus --tls` speaks it, or"
            + " the port without)");
  }
}
