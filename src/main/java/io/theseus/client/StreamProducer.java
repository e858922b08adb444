package io.theseus.client;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.OptionalLong;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Reads a live stream on a thread of its own and keeps what is not acknowledged.
 *
 * <p>The kept bytes lie in a row of chunks, the oldest first. The reader fills the youngest and
 * publishes its new end under the lock; the transfer's thread hands out slices below that end; an
 * acknowledgement drops chunks that lie before it. A reader with a full row waits, which is the
 * back pressure on whoever writes the stream.
 */
final class StreamProducer extends Producer {
  /** A chunk and the range of the stream that is in it. */
  private static final class Block {
    final Chunk chunk;
    final long start;
    int filled;

    Block(Chunk chunk, long start) {
      this.chunk = chunk;
      this.start = start;
    }

    long end() {
      return start + filled;
    }
  }

  private static final int READ_BYTES = 64 * 1024;

  private final InputStream in;
  private final boolean closing;
  private @Nullable ChunkPool pool;
  private @Nullable Runnable wake;
  private long keepBytes;

  private final Object lock = new Object();
  private final ArrayDeque<Block> kept = new ArrayDeque<>();
  private long readTo;
  private long acknowledgedTo;
  private boolean ended;
  private boolean closed;
  private String sha256 = "";
  private @Nullable IOException failure;

  StreamProducer(InputStream in, boolean closing) {
    this.in = in;
    this.closing = closing;
  }

  @Override
  boolean rewindable() {
    return false;
  }

  @Override
  String describe() {
    return "input stream";
  }

  @Override
  void open(ChunkPool chunks, Executor executor, Runnable waker, long keep) {
    pool = chunks;
    wake = waker;
    keepBytes = keep;
    executor.execute(this::read);
  }

  private void read() {
    MessageDigest digest = FileHash.sha256();
    byte[] bytes = new byte[READ_BYTES];
    try {
      int most;
      while ((most = room()) > 0) {
        int length = in.read(bytes, 0, Math.min(most, bytes.length));
        if (length < 0) {
          String hash = FileHash.hex(digest);
          synchronized (lock) {
            sha256 = hash;
            ended = true;
          }
          opened(wake).run();
          return;
        }
        digest.update(bytes, 0, length);
        if (!append(bytes, length)) {
          return;
        }
        opened(wake).run();
      }
    } catch (IOException e) {
      synchronized (lock) {
        failure = e;
      }
      opened(wake).run();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** How much may be read; waits for room. 0 when the transfer is over. */
  private int room() throws InterruptedException {
    synchronized (lock) {
      while (!closed && readTo - acknowledgedTo >= keepBytes) {
        lock.wait();
      }
      return closed ? 0 : (int) Math.min(keepBytes - (readTo - acknowledgedTo), READ_BYTES);
    }
  }

  private boolean append(byte[] bytes, int length) {
    synchronized (lock) {
      if (closed) {
        return false;
      }
      int done = 0;
      while (done < length) {
        Block last = kept.peekLast();
        if (last == null || last.filled == Chunk.BYTES) {
          last = new Block(opened(pool).take(), readTo);
          kept.addLast(last);
        }
        int part = Math.min(length - done, Chunk.BYTES - last.filled);
        last.chunk.buffer().put(last.filled, bytes, done, part);
        last.filled += part;
        done += part;
        readTo += part;
      }
      return true;
    }
  }

  @Override
  OptionalLong size() {
    return OptionalLong.empty();
  }

  @Override
  OptionalLong end() throws IOException {
    synchronized (lock) {
      check();
      return ended ? OptionalLong.of(readTo) : OptionalLong.empty();
    }
  }

  @Override
  long readableTo() throws IOException {
    synchronized (lock) {
      check();
      return readTo;
    }
  }

  @Override
  Piece take(long from, int most) throws IOException {
    synchronized (lock) {
      check();
      for (Iterator<Block> blocks = kept.iterator(); blocks.hasNext(); ) {
        Block block = blocks.next();
        if (from >= block.start && from < block.end()) {
          int position = (int) (from - block.start);
          int length = (int) Math.min(most, block.end() - from);
          return new Piece(block.chunk.piece(position, length), block.chunk.retain());
        }
      }
      throw new IOException(
          "byte " + from + " of the stream (expected: " + acknowledgedTo + " to " + readTo + ")");
    }
  }

  @Override
  void acknowledged(long offset) {
    synchronized (lock) {
      acknowledgedTo = Math.max(acknowledgedTo, offset);
      while (true) {
        Block first = kept.peekFirst();
        // the youngest is still being filled
        if (first == null
            || first.end() > acknowledgedTo
            || (first == kept.peekLast() && first.filled < Chunk.BYTES)) {
          break;
        }
        kept.removeFirst();
        first.chunk.release();
      }
      lock.notifyAll();
    }
  }

  @Override
  String sha256(Cancellation cancellation) throws IOException {
    synchronized (lock) {
      check();
      return sha256;
    }
  }

  @Override
  String warning() {
    return "";
  }

  @Override
  void close() {
    synchronized (lock) {
      if (closed) {
        return;
      }
      closed = true;
      for (Block block : kept) {
        block.chunk.release();
      }
      kept.clear();
      lock.notifyAll();
    }
    if (closing) {
      try {
        in.close();
      } catch (IOException e) {
        // it was only read
      }
    }
  }

  private void check() throws IOException {
    if (failure != null) {
      throw new IOException("reading failed: " + failure.getMessage(), failure);
    }
  }

  private static <T> T opened(@Nullable T value) {
    if (value == null) {
      throw new IllegalStateException("producer used before it was opened");
    }
    return value;
  }
}
