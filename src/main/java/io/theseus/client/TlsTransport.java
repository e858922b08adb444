package io.theseus.client;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;

/**
 * TLS over a socket that never blocks.
 *
 * <p>The end of the stream needs no close_notify: packets have lengths and files have sizes, so a
 * stream that was cut is seen to be.
 */
final class TlsTransport implements Transport {
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);
  private static final int BUFFER = 128 * 1024;

  // the types of records, RFC 8446, 5.1
  private static final int FIRST_TYPE = 20;
  private static final int LAST_TYPE = 24;

  private final SocketChannel channel;
  private final SSLEngine engine;

  /** From the network, to be read from. */
  private final ByteBuffer received = ByteBuffer.allocateDirect(BUFFER).limit(0);

  /** For the network, to be read from. */
  private final ByteBuffer sending = ByteBuffer.allocateDirect(BUFFER).limit(0);

  /** A record that did not fit where it was wanted, to be read from. */
  private ByteBuffer decrypted;

  private boolean begun;

  TlsTransport(SocketChannel channel, SSLEngine engine) {
    this.channel = channel;
    this.engine = engine;
    decrypted = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize()).limit(0);
  }

  /** The other end speaks something else. */
  static final class NoTlsException extends SSLException {
    private static final long serialVersionUID = 1L;

    NoTlsException() {
      super("it speaks no TLS (expected: TLS; or leave it out, or name the port for TLS)");
    }
  }

  /**
   * Goes on with the handshake.
   *
   * @return what it waits for, as of {@link SelectionKey}; 0 when it is done
   */
  int handshake() throws IOException {
    if (!begun) {
      begun = true;
      engine.beginHandshake();
    }
    while (true) {
      if (!drain()) {
        return SelectionKey.OP_WRITE;
      }
      switch (engine.getHandshakeStatus()) {
        case NEED_TASK -> runTasks();
        case NEED_WRAP -> wrapNothing();
        case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> {
          if (decrypted.hasRemaining()) {
            throw new SSLException("content within the handshake (expected: none)");
          }
          decrypted.clear();
          SSLEngineResult result = engine.unwrap(received, decrypted);
          decrypted.flip();
          switch (result.getStatus()) {
            case BUFFER_UNDERFLOW -> {
              int read = receive();
              if (read < 0) {
                throw new EOFException("closed within the TLS handshake");
              }
              if (read == 0) {
                return SelectionKey.OP_READ;
              }
              requireTls();
            }
            case BUFFER_OVERFLOW -> grow();
            case CLOSED -> throw new EOFException("closed within the TLS handshake");
            case OK -> {}
          }
        }
        case FINISHED, NOT_HANDSHAKING -> {
          return 0;
        }
      }
    }
  }

  private void requireTls() throws SSLException {
    int type = received.get(received.position());
    if (type < FIRST_TYPE || type > LAST_TYPE) {
      throw new NoTlsException();
    }
  }

  @Override
  public int read(ByteBuffer into) throws IOException {
    int from = into.position();
    while (into.hasRemaining()) {
      if (decrypted.hasRemaining()) {
        int length = Math.min(decrypted.remaining(), into.remaining());
        into.put(into.position(), decrypted, decrypted.position(), length);
        into.position(into.position() + length);
        decrypted.position(decrypted.position() + length);
        continue;
      }
      boolean fits = into.remaining() >= engine.getSession().getApplicationBufferSize();
      SSLEngineResult result;
      if (fits) {
        result = engine.unwrap(received, into);
      } else {
        decrypted.clear();
        result = engine.unwrap(received, decrypted);
        decrypted.flip();
      }
      switch (result.getStatus()) {
        case BUFFER_UNDERFLOW -> {
          int read = receive();
          if (read <= 0) {
            int count = into.position() - from;
            return count == 0 && read < 0 ? -1 : count;
          }
        }
        case BUFFER_OVERFLOW -> grow();
        case CLOSED -> {
          int count = into.position() - from;
          return count == 0 ? -1 : count;
        }
        case OK -> afterRecord();
      }
    }
    return into.position() - from;
  }

  /** A new key, say, asks for an answer. */
  private void afterRecord() throws IOException {
    while (true) {
      switch (engine.getHandshakeStatus()) {
        case NEED_TASK -> runTasks();
        case NEED_WRAP -> {
          drain();
          wrapNothing();
        }
        default -> {
          return;
        }
      }
    }
  }

  @Override
  public long write(ByteBuffer[] from, int count) throws IOException {
    long taken = 0;
    while (drain()) {
      sending.clear();
      int consumed;
      do {
        SSLEngineResult result = engine.wrap(from, 0, count, sending);
        if (result.getStatus() == SSLEngineResult.Status.CLOSED) {
          sending.flip();
          throw new EOFException("TLS was closed by the server");
        }
        consumed = result.bytesConsumed();
        taken += consumed;
      } while (consumed > 0
          && hasRemaining(from, count)
          && sending.remaining() >= engine.getSession().getPacketBufferSize());
      sending.flip();
      if (!hasRemaining(from, count)) {
        drain();
        break;
      }
    }
    return taken;
  }

  private static boolean hasRemaining(ByteBuffer[] from, int count) {
    for (int i = 0; i < count; i++) {
      if (from[i].hasRemaining()) {
        return true;
      }
    }
    return false;
  }

  @Override
  public boolean flushed() {
    return !sending.hasRemaining();
  }

  @Override
  public boolean buffered() {
    return decrypted.hasRemaining() || received.hasRemaining();
  }

  @Override
  public void shutdownOutput() throws IOException {
    engine.closeOutbound();
    if (drain()) {
      wrapNothing();
      drain();
    }
    channel.shutdownOutput();
  }

  private void runTasks() {
    Runnable task;
    while ((task = engine.getDelegatedTask()) != null) {
      task.run();
    }
  }

  private void wrapNothing() throws IOException {
    sending.compact();
    engine.wrap(NOTHING, sending);
    sending.flip();
  }

  /** Sends what is encrypted; false where some of it waits. */
  private boolean drain() throws IOException {
    while (sending.hasRemaining()) {
      if (channel.write(sending) == 0) {
        return false;
      }
    }
    return true;
  }

  private int receive() throws IOException {
    received.compact();
    int read = channel.read(received);
    received.flip();
    return read;
  }

  private void grow() {
    int size = engine.getSession().getApplicationBufferSize();
    decrypted = ByteBuffer.allocate(Math.max(size, decrypted.capacity())).limit(0);
  }
}
