package io.theseus.net;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelPromise;
import org.jspecify.annotations.Nullable;

/**
 * Small packets of a connection on their way: gathered in one buffer, so that one call sends them.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a write that fails ends the channel
final class Outbox {
  /** What is longer is written by itself. */
  static final int SMALL = 20 * 1024;

  private static final int FIRST = 512;
  private static final int MOST = 2 * SMALL;

  private final Channel channel;
  private @Nullable ByteBuf gathered;
  private @Nullable ChannelPromise promise;

  Outbox(Channel channel) {
    this.channel = channel;
  }

  /** A buffer to which up to {@code size} bytes may be appended now. */
  ByteBuf append(int size) {
    ByteBuf current = gathered;
    if (current != null && current.readableBytes() + size > MOST) {
      pass();
      current = null;
    }
    if (current == null) {
      current = channel.alloc().ioBuffer(Math.max(size, FIRST));
      gathered = current;
    }
    return current.ensureWritable(size);
  }

  /** Completes when what was appended last has left. */
  ChannelFuture left() {
    ChannelPromise current = promise;
    if (current == null) {
      current = channel.newPromise();
      promise = current;
    }
    return current;
  }

  /** Hands what was gathered to the channel. */
  void pass() {
    ByteBuf current = gathered;
    if (current == null) {
      return;
    }
    ChannelPromise told = promise;
    gathered = null;
    promise = null;
    channel.write(current, told == null ? channel.voidPromise() : told);
  }

  boolean isEmpty() {
    return gathered == null;
  }
}
