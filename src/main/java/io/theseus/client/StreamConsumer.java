package io.theseus.client;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Writes a GET to a stream, on a thread beside the transfer: who reads a pipe may pause for hours,
 * and the connection must live on. A byte counts as consumed when the stream has taken it.
 */
final class StreamConsumer extends Consumer {
  private record Piece(Chunk chunk, int position, int length, boolean boundary) {}

  private static final long EASY_BYTES = 4L * 1024 * 1024;
  // the server's idle clock runs while we don't read
  private static final long LONGEST_PAUSE_NANOS = 500_000_000L;
  private static final int COPY_BYTES = 64 * 1024;

  private final OutputStream out;
  private final boolean closing;
  private final MessageDigest digest = FileHash.sha256();
  private final byte[] copy = new byte[COPY_BYTES];
  private @Nullable Executor executor;
  private @Nullable Runnable wake;

  private final Object lock = new Object();
  private final ArrayDeque<Piece> queue = new ArrayDeque<>();
  private boolean running;
  private boolean closed;
  private long pendingBytes;
  private long consumed;
  private long settled;
  private long wakeAt = Long.MAX_VALUE;
  private boolean paused;
  private long pausedNanos;
  private @Nullable IOException failure;

  StreamConsumer(OutputStream out, boolean closing) {
    this.out = out;
    this.closing = closing;
  }

  @Override
  boolean rewindable() {
    return false;
  }

  @Override
  String describe() {
    return "output stream";
  }

  @Override
  Optional<Start> open(
      GetRequest request, Executor beside, Runnable waker, Cancellation cancellation) {
    executor = beside;
    wake = waker;
    return Optional.empty();
  }

  @Override
  void begins(UUID session, Optional<String> identity, OptionalLong size, boolean stream) {}

  @Override
  void take(long offset, Chunk chunk, int position, int length, boolean boundary)
      throws IOException {
    synchronized (lock) {
      check();
      queue.add(new Piece(chunk.retain(), position, length, boundary));
      pendingBytes += length;
      if (!running) {
        running = true;
        opened(executor).execute(this::work);
      }
    }
  }

  private void work() {
    while (true) {
      Piece piece;
      synchronized (lock) {
        piece = queue.poll();
        if (piece == null || failure != null) {
          running = false;
          lock.notifyAll();
          break;
        }
      }
      IOException failed = null;
      try {
        write(piece);
      } catch (IOException e) {
        failed = e;
      } finally {
        piece.chunk().release();
      }
      boolean wakes;
      synchronized (lock) {
        pendingBytes -= piece.length();
        if (failed == null) {
          consumed += piece.length();
          if (piece.boundary()) {
            settled = consumed;
          }
        } else {
          failure = failed;
        }
        wakes = failed != null || settled >= wakeAt || (paused && pendingBytes < EASY_BYTES);
        lock.notifyAll();
      }
      if (wakes) {
        opened(wake).run();
      }
    }
    opened(wake).run();
  }

  private void write(Piece piece) throws IOException {
    ByteBuffer bytes = piece.chunk().piece(piece.position(), piece.length());
    digest.update(bytes.duplicate());
    if (out instanceof FileOutputStream file) {
      FileChannel channel = file.getChannel();
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      return;
    }
    while (bytes.hasRemaining()) {
      int length = Math.min(copy.length, bytes.remaining());
      bytes.get(copy, 0, length);
      out.write(copy, 0, length);
    }
    if (piece.boundary()) {
      out.flush();
    }
  }

  @Override
  long settled() throws IOException {
    synchronized (lock) {
      check();
      return settled;
    }
  }

  @Override
  void wakeAt(long at) {
    synchronized (lock) {
      wakeAt = at;
    }
  }

  @Override
  boolean mayRead() {
    synchronized (lock) {
      if (pendingBytes < EASY_BYTES) {
        paused = false;
        return true;
      }
      long now = System.nanoTime();
      if (!paused) {
        paused = true;
        pausedNanos = now;
        return false;
      }
      if (now - pausedNanos >= LONGEST_PAUSE_NANOS) {
        // the window bounds what can come
        pausedNanos = now;
        return true;
      }
      return false;
    }
  }

  @Override
  void settle(Cancellation cancellation) throws IOException, TransferException {
    synchronized (lock) {
      while (running && failure == null) {
        try {
          lock.wait(100);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
        cancellation.check();
      }
      check();
    }
  }

  @Override
  void restart() throws IOException {
    synchronized (lock) {
      if (consumed + pendingBytes > 0) {
        throw new IOException(
            "restart: " + (consumed + pendingBytes) + " bytes are passed on (expected: 0)");
      }
    }
  }

  @Override
  String finish(long size, Cancellation cancellation) throws IOException, TransferException {
    settle(cancellation);
    return FileHash.hex(digest);
  }

  @Override
  void publish(Optional<Instant> modified) throws IOException {
    out.flush();
  }

  @Override
  void discard() {}

  @Override
  void close() {
    synchronized (lock) {
      if (closed) {
        return;
      }
      closed = true;
      for (Piece piece : queue) {
        piece.chunk().release();
      }
      queue.clear();
      if (running) {
        // it may be stuck in a write for ever; whoever opened the stream ends that
        return;
      }
    }
    if (closing) {
      try {
        out.close();
      } catch (IOException e) {
        // all that was consumed was flushed
      }
    }
  }

  private void check() throws IOException {
    if (failure != null) {
      throw new IOException("writing failed: " + failure.getMessage(), failure);
    }
  }

  private static <T> T opened(@Nullable T value) {
    if (value == null) {
      throw new IllegalStateException("consumer used before it was opened");
    }
    return value;
  }
}
