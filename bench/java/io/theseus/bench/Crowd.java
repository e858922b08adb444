package io.theseus.bench;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Many connections to one server, held by one thread at a time with little memory for each; in the
 * words of a {@link Talk}.
 */
final class Crowd implements AutoCloseable {
  /** Connections from one address of this host: ports would run short with more. */
  private static final int FROM_ONE_ADDRESS = 10_000;

  private final List<SocketChannel> channels = new ArrayList<>();
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(256 << 10);

  /** Opens so many connections. */
  Crowd(InetSocketAddress server, int count) throws IOException {
    try {
      for (int i = 0; i < count; i++) {
        SocketChannel channel = SocketChannel.open();
        channels.add(channel);
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        // a reset at the end: ports in TIME_WAIT would run short
        channel.setOption(StandardSocketOptions.SO_LINGER, 0);
        byte[] from = {127, 0, 0, (byte) (2 + i / FROM_ONE_ADDRESS)};
        channel.bind(new InetSocketAddress(InetAddress.getByAddress(from), 0));
        channel.connect(server);
      }
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  int size() {
    return channels.size();
  }

  void send(int index, byte[] bytes) throws IOException {
    ByteBuffer out = ByteBuffer.wrap(bytes);
    while (out.hasRemaining()) {
      channels.get(index).write(out);
    }
  }

  /** Exactly so many bytes; valid until the next call. */
  ByteBuffer read(int index, int length) throws IOException {
    buffer.clear().limit(length);
    while (buffer.hasRemaining()) {
      if (channels.get(index).read(buffer) < 0) {
        throw new EOFException("the server has closed connection " + index);
      }
    }
    return buffer.flip();
  }

  /** Up to an end like an empty line. */
  String readUntil(int index, String end) throws IOException {
    StringBuilder text = new StringBuilder();
    while (text.indexOf(end) < 0) {
      text.append((char) (read(index, 1).get() & 0xff));
    }
    return text.toString();
  }

  String text(int index, int length) throws IOException {
    return StandardCharsets.UTF_8.decode(read(index, length)).toString();
  }

  @Override
  public void close() throws IOException {
    for (SocketChannel channel : channels) {
      channel.close();
    }
    channels.clear();
  }
}
