package io.theseus.net;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelPromise;
import io.theseus.wire.Packets;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * DATA packets of a file whose bytes must be seen before they leave, because TLS encrypts them:
 * read on disk threads, sent in order by the event loop.
 *
 * <p>How many there may be is {@link GetLink}'s business; each is one buffer, header and all. What
 * can't be sent any more is dropped as a whole.
 */
// as in Connection
@SuppressWarnings("FutureReturnValueIgnored")
final class FileReads {
  /** Hears of every read that was begun, on the event loop, once. */
  @FunctionalInterface
  interface Listener {
    /**
     * A read is over.
     *
     * @param missing bytes that were no longer in the file; zeros stand for them
     */
    void read(int missing, @Nullable IOException failure);
  }

  private static final class Reading {
    final ChannelPromise written;
    @Nullable ByteBuf packet;
    boolean dropped;

    Reading(ChannelPromise written) {
      this.written = written;
    }
  }

  private final Connection connection;
  private final Listener listener;
  private final ArrayDeque<Reading> readings = new ArrayDeque<>();

  FileReads(Connection connection, Listener listener) {
    this.connection = connection;
    this.listener = listener;
  }

  /** Begins to read a packet; the promise ends when it has left. */
  ChannelPromise send(FileChannel file, long at, int length) {
    ChannelPromise written = connection.channel().newPromise();
    Reading reading = new Reading(written);
    readings.add(reading);
    int size = Packets.DATA_HEADER + length;
    ByteBuf packet = connection.channel().alloc().directBuffer(size, size);
    connection
        .disk()
        .execute(
            () -> {
              ByteBuffer into = packet.internalNioBuffer(0, size);
              Packets.putDataHeader(into, length, at);
              IOException failure = null;
              try {
                fill(file, at, into);
              } catch (IOException e) {
                failure = e;
              }
              int missing = into.remaining();
              while (into.hasRemaining()) {
                into.put((byte) 0);
              }
              IOException failed = failure;
              connection.execute(() -> arrived(reading, packet, missing, failed));
            });
    return written;
  }

  private static void fill(FileChannel file, long at, ByteBuffer into) throws IOException {
    long position = at;
    while (into.hasRemaining()) {
      int read = file.read(into, position);
      if (read <= 0) {
        return;
      }
      position += read;
    }
  }

  private void arrived(Reading reading, ByteBuf packet, int missing, @Nullable IOException failed) {
    packet.writerIndex(packet.capacity());
    if (reading.dropped) {
      // what became of an old file says nothing about the one that is sent now
      packet.release();
      listener.read(0, null);
      return;
    }
    if (failed != null) {
      packet.release();
    } else {
      reading.packet = packet;
      sendInOrder();
    }
    listener.read(missing, failed);
  }

  private void sendInOrder() {
    Reading next;
    while ((next = readings.peek()) != null && next.packet != null) {
      readings.remove();
      connection.write(next.packet, next.written);
    }
  }

  /** Lets go of what has not been handed to the channel. */
  void drop() {
    Reading next;
    while ((next = readings.poll()) != null) {
      next.dropped = true;
      if (next.packet != null) {
        next.packet.release();
        next.packet = null;
      }
      next.written.cancel(false);
    }
  }
}
