package io.theseus.peer;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.PacketDecoder;
import io.theseus.wire.Packets;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One end of a connection between members: reads packets, says HELLO, ends where the other end says
 * what it must not. Its event loop alone touches it.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a write that fails ends the channel
abstract class Member extends ChannelInboundHandlerAdapter {
  private static final Logger LOG = LoggerFactory.getLogger(Member.class);

  /** Longest BACKUPDATA that is sent or taken. */
  static final int LONGEST = 1 << 20;

  /** How long the other end may take to say who it is. */
  private static final long HELLO_SECONDS = 10;

  /** How often who asks says that it lives. */
  private static final long LOOK_SECONDS = 5;

  /** A connection on which nothing came for so long is dead, though nobody has said so. */
  private static final long MOST_SILENCE_NANOS = TimeUnit.SECONDS.toNanos(15);

  /** No session: what is said of the connection. */
  protected static final UUID NONE = new UUID(0, 0);

  protected final Channel channel;
  protected final String nodeId;
  private final PacketDecoder decoder = PacketDecoder.betweenMembers(LONGEST);
  private @Nullable String other;
  private @Nullable SslHandler tls;
  private boolean ended;
  private boolean said;
  private long heardNanos = System.nanoTime();

  Member(Channel channel, String nodeId) {
    this.channel = channel;
    this.nodeId = nodeId;
  }

  /** Why the other end may not be who it says; empty where it may. */
  protected abstract Optional<String> refusal(String node);

  /** Who the other end is, is known. */
  protected abstract void begun(String node);

  /** The other end, which is known, says that it lives. */
  protected void helloAgain() {
    // nothing to be said
  }

  /** Now and then, once the other end is known. */
  protected void look() {
    // nothing to be said
  }

  /** A message of a session. */
  protected abstract void onMessage(UUID session, PeerMessage message) throws ProtocolException;

  /** The header of a BACKUPDATA. */
  protected abstract void onData(UUID session, long offset, int length) throws ProtocolException;

  /** A piece of its payload, to be released. */
  protected abstract void onPayload(ByteBuf piece, boolean last);

  /** The connection is over. */
  protected abstract void over(String reason);

  /** Why TLS's other end may not be here, behind the handshake; empty where it may. */
  protected Optional<String> refusalOfCertificate(SslHandler handler) {
    return Optional.empty();
  }

  /** Whether what leaves is encrypted. */
  protected boolean isEncrypted() {
    return tls != null;
  }

  protected void send(UUID session, PeerMessage message) {
    channel.writeAndFlush(
        Unpooled.wrappedBuffer(Packets.backupInfo(session, message.text())), channel.voidPromise());
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    tls = context.pipeline().get(SslHandler.class);
    channel
        .eventLoop()
        .schedule(
            () -> {
              if (other == null) {
                end("it did not say who it is for " + HELLO_SECONDS + " s");
              }
            },
            HELLO_SECONDS,
            TimeUnit.SECONDS);
    lookLater();
  }

  private void lookLater() {
    channel
        .eventLoop()
        .schedule(
            () -> {
              if (ended) {
                return;
              }
              if (other != null) {
                look();
              }
              if (channel.config().isAutoRead()
                  && System.nanoTime() - heardNanos > MOST_SILENCE_NANOS) {
                end(
                    "nothing came for "
                        + TimeUnit.NANOSECONDS.toSeconds(MOST_SILENCE_NANOS)
                        + " s");
              } else {
                lookLater();
              }
            },
            LOOK_SECONDS,
            TimeUnit.SECONDS);
  }

  /** Something came. */
  protected void heard() {
    heardNanos = System.nanoTime();
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    if (tls == null) {
      hello();
    }
  }

  private void hello() {
    if (!said) {
      said = true;
      send(NONE, new PeerMessage.Hello(nodeId));
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    SslHandler encrypted = tls;
    if (event instanceof SslHandshakeCompletionEvent handshake && encrypted != null) {
      Optional<String> refusal =
          handshake.isSuccess()
              ? refusalOfCertificate(encrypted)
              : Optional.of("TLS: " + handshake.cause().getMessage());
      if (refusal.isPresent()) {
        end(refusal.get());
      } else {
        hello();
      }
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    ByteBuf input = (ByteBuf) message;
    heard();
    try {
      if (!ended) {
        read(input);
      }
    } catch (ProtocolException e) {
      channel.write(Unpooled.wrappedBuffer(Packets.error(e.errorText())), channel.voidPromise());
      end(e.errorText());
    } finally {
      input.release();
    }
  }

  private void read(ByteBuf input) throws ProtocolException {
    ByteBuffer bytes = input.nioBuffer();
    int base = input.readerIndex();
    int first = bytes.position();
    while (!ended) {
      switch (decoder.next(bytes)) {
        case NEED_INPUT -> {
          return;
        }
        case BACKUPINFO -> onText(decoder.session(), decoder.text());
        case BACKUPDATA -> onData(decoder.session(), decoder.offset(), decoder.length());
        case PAYLOAD ->
            onPayload(
                input.retainedSlice(
                    base + decoder.payloadPosition() - first, decoder.payloadLength()),
                decoder.lastPiece());
        case ERROR -> end("it says: " + Texts.escape(decoder.text()));
        case INFO, OFFSET, DATA ->
            throw new ProtocolException(
                ErrorCode.BAD_PACKET, "a client's packet (expected: BACKUPINFO or BACKUPDATA)");
      }
    }
  }

  private void onText(UUID session, String text) throws ProtocolException {
    PeerMessage message = PeerMessage.parse(text);
    if (message instanceof PeerMessage.Hello hello) {
      Optional<String> refusal = refusal(hello.node());
      if (refusal.isPresent()) {
        throw new ProtocolException(ErrorCode.DENIED, refusal.get());
      }
      if (other == null) {
        other = hello.node();
        begun(hello.node());
      } else {
        helloAgain();
      }
    } else if (other == null) {
      throw new ProtocolException(
          ErrorCode.BAD_PACKET, "a message of a session (expected: HELLO first)");
    } else {
      onMessage(session, message);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    end("the connection is lost");
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    end(String.valueOf(cause.getMessage()));
  }

  /** Ends the connection, once. */
  protected void end(String reason) {
    if (!ended) {
      ended = true;
      String who = other;
      LOG.info(
          "data plane: connection with {} ended: {}",
          who == null ? String.valueOf(channel.remoteAddress()) : "node " + who,
          reason);
      channel.flush();
      channel.close();
      over(reason);
    }
  }
}
