package io.theseus.client;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.HexFormat;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The SHA-256 of a file that is being sent or received, computed on a thread behind the transfer.
 *
 * <p>Pieces are offered from memory as they pass by. An offer may be declined: when the queue is
 * full, or the piece doesn't follow what was hashed, as after a resume. What was declined is read
 * from the file when its turn comes, so the order of offers, repeats and gaps never matter, memory
 * is bounded, and the transfer never waits for the hash before its end.
 */
final class FileHash {
  /** Where declined bytes are read from. */
  @FunctionalInterface
  interface Source {
    /** As {@link java.nio.channels.FileChannel#read(ByteBuffer, long)}. */
    int read(ByteBuffer into, long position) throws IOException;
  }

  private record Piece(long offset, Chunk chunk, int position, int length) {}

  // a hop to another thread costs more than hashing this
  private static final int INLINE_BYTES = 32 * 1024;
  private static final long QUEUED_BYTES = 8L * 1024 * 1024;

  private final Source source;
  private final Executor executor;
  private final MessageDigest digest = sha256();

  // hashed and digest belong to whoever set running, or to the offering thread while it is false
  private long hashed;

  private final Object lock = new Object();
  private final ArrayDeque<Piece> queue = new ArrayDeque<>();
  private long queuedBytes;
  private boolean running;
  private @Nullable IOException failure;

  FileHash(Source source, Executor executor) {
    this.source = source;
    this.executor = executor;
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256: every Java has it", e);
    }
  }

  static String hex(MessageDigest digest) {
    return HexFormat.of().formatHex(digest.digest());
  }

  /** Offers bytes of the file; must be in the file when this is called. */
  void offer(long offset, Chunk chunk, int position, int length) {
    synchronized (lock) {
      if (running || !queue.isEmpty() || length > INLINE_BYTES || offset != hashed) {
        if (queuedBytes + length > QUEUED_BYTES) {
          return;
        }
        queue.add(new Piece(offset, chunk.retain(), position, length));
        queuedBytes += length;
        if (!running) {
          running = true;
          executor.execute(this::work);
        }
        return;
      }
    }
    digest.update(chunk.piece(position, length));
    hashed += length;
  }

  /** Begins anew: the file has other content now. */
  void reset() throws TransferException {
    settle(new Cancellation());
    synchronized (lock) {
      failure = null;
      hashed = 0;
      digest.reset();
    }
  }

  /** The hash of the first {@code size} bytes, in lower case. */
  String finish(long size, Cancellation cancellation) throws IOException, TransferException {
    settle(cancellation);
    synchronized (lock) {
      if (failure != null) {
        throw failure;
      }
    }
    readUpTo(size, cancellation);
    if (hashed != size) {
      throw new IOException("hashed: " + hashed + " bytes (expected: " + size + ")");
    }
    return hex(digest);
  }

  /** Drops what is queued and waits for the thread, so that the file can be closed. */
  void stop() {
    synchronized (lock) {
      for (Piece piece : queue) {
        piece.chunk().release();
      }
      queue.clear();
      queuedBytes = 0;
    }
  }

  private void settle(Cancellation cancellation) throws TransferException {
    synchronized (lock) {
      while (running) {
        try {
          lock.wait(100);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
        cancellation.check();
      }
    }
  }

  private void work() {
    while (true) {
      Piece piece;
      synchronized (lock) {
        piece = queue.poll();
        if (piece == null) {
          running = false;
          lock.notifyAll();
          return;
        }
        queuedBytes -= piece.length();
      }
      try {
        update(piece);
      } catch (IOException e) {
        synchronized (lock) {
          failure = e;
        }
      } finally {
        piece.chunk().release();
      }
    }
  }

  private void update(Piece piece) throws IOException {
    long end = piece.offset() + piece.length();
    if (end <= hashed) {
      return;
    }
    if (piece.offset() > hashed) {
      readUpTo(piece.offset(), null);
    }
    int skip = (int) (hashed - piece.offset());
    digest.update(piece.chunk().piece(piece.position() + skip, piece.length() - skip));
    hashed = end;
  }

  private void readUpTo(long end, @Nullable Cancellation cancellation) throws IOException {
    if (hashed >= end) {
      return;
    }
    ByteBuffer buffer = ByteBuffer.allocateDirect((int) Math.min(Chunk.BYTES, end - hashed));
    while (hashed < end) {
      if (cancellation != null && cancellation.isCancelled()) {
        return;
      }
      buffer.clear().limit((int) Math.min(buffer.capacity(), end - hashed));
      if (source.read(buffer, hashed) <= 0) {
        throw new EOFException(
            "file ends at " + hashed + " (expected: at least " + end + " bytes)");
      }
      digest.update(buffer.flip());
      hashed += buffer.limit();
    }
  }
}
