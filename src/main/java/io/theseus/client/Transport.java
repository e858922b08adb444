package io.theseus.client;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/** The bytes of a connection that never blocks: as they are on the socket, or inside TLS. */
interface Transport {
  /** Reads what is there; -1 at the end. Less than there is room for: there is no more now. */
  int read(ByteBuffer into) throws IOException;

  /** Takes as much as can be taken now; also sends what was taken before. */
  long write(ByteBuffer[] from, int count) throws IOException;

  /** Whether nothing that was taken waits to be sent. */
  boolean flushed();

  /** Whether something that came may wait to be read, though the socket has no more. */
  boolean buffered();

  /** Says that nothing more follows. */
  void shutdownOutput() throws IOException;

  /** Without TLS. */
  record Plain(SocketChannel channel) implements Transport {
    @Override
    public int read(ByteBuffer into) throws IOException {
      return channel.read(into);
    }

    @Override
    public long write(ByteBuffer[] from, int count) throws IOException {
      return channel.write(from, 0, count);
    }

    @Override
    public boolean flushed() {
      return true;
    }

    @Override
    public boolean buffered() {
      return false;
    }

    @Override
    public void shutdownOutput() throws IOException {
      channel.shutdownOutput();
    }
  }
}
