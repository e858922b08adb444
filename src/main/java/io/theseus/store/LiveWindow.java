package io.theseus.store;

import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A live source that is being read by one reader: a window of its bytes in memory. The source waits
 * while the window is full.
 */
final class LiveWindow implements LiveStream {
  private static final Logger LOG = LoggerFactory.getLogger(LiveWindow.class);
  private static final int CHUNK_BYTES = 64 << 10;

  private final String name;
  private final LiveInput input;
  private final int windowBytes;
  private final Runnable ended;

  // guarded by this; the bytes behind `end` in the last chunk are the reading thread's
  private final Deque<byte[]> chunks = new ArrayDeque<>();
  private long firstChunkAt;
  private long base;
  private long end;
  private boolean complete;
  private boolean closed;
  private @Nullable ProtocolException failure;

  private volatile @Nullable Runnable listener;

  /** Begins to read; {@code ended} runs when the input is closed. */
  static LiveWindow start(String name, LiveInput input, int windowBytes, Runnable ended) {
    LiveWindow stream = new LiveWindow(name, input, windowBytes, ended);
    Thread thread = new Thread(stream::readAll, "live-" + Texts.escape(name));
    thread.setDaemon(true);
    thread.start();
    return stream;
  }

  private LiveWindow(String name, LiveInput input, int windowBytes, Runnable ended) {
    this.name = name;
    this.input = input;
    this.windowBytes = windowBytes;
    this.ended = ended;
  }

  @Override
  public Optional<String> identity() {
    return Optional.empty();
  }

  @Override
  public boolean isRewindable() {
    return false;
  }

  @Override
  public synchronized long base() {
    return base;
  }

  @Override
  public synchronized long end() {
    return end;
  }

  @Override
  public synchronized OptionalLong size() {
    return complete ? OptionalLong.of(end) : OptionalLong.empty();
  }

  @Override
  public synchronized Optional<ProtocolException> failure() {
    return Optional.ofNullable(failure);
  }

  @Override
  public synchronized int read(long offset, ByteBuffer into) {
    if (offset < base || offset > end) {
      throw new IllegalArgumentException(
          "offset: " + offset + " (expected: " + base + " to " + end + ")");
    }
    long at = firstChunkAt;
    long next = offset;
    for (byte[] chunk : chunks) {
      if (next == end || !into.hasRemaining()) {
        break;
      }
      if (next < at + CHUNK_BYTES) {
        int from = (int) (next - at);
        int n = (int) Math.min(Math.min(CHUNK_BYTES - from, end - next), into.remaining());
        into.put(chunk, from, n);
        next += n;
      }
      at += CHUNK_BYTES;
    }
    return (int) (next - offset);
  }

  @Override
  public synchronized void release(long upTo) {
    if (upTo > end) {
      throw new IllegalArgumentException("upTo: " + upTo + " (expected: <= " + end + ")");
    }
    base = Math.max(base, upTo);
    while (!chunks.isEmpty() && firstChunkAt + CHUNK_BYTES <= base) {
      chunks.remove();
      firstChunkAt += CHUNK_BYTES;
    }
    notifyAll();
  }

  @Override
  public void onChange(Runnable newListener) {
    listener = newListener;
  }

  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      listener = null;
      notifyAll();
    }
    input.cancel();
  }

  private void readAll() {
    try (input) {
      while (true) {
        byte[] chunk;
        int at;
        int most;
        synchronized (this) {
          while (!closed && end - base >= windowBytes) {
            wait();
          }
          if (closed) {
            return;
          }
          at = (int) (end % CHUNK_BYTES);
          if (firstChunkAt + (long) chunks.size() * CHUNK_BYTES == end) {
            chunks.add(new byte[CHUNK_BYTES]);
          }
          chunk = chunks.getLast();
          most = (int) Math.min(CHUNK_BYTES - at, windowBytes - (end - base));
        }
        int n = input.read(chunk, at, most);
        if (n == 0) {
          continue;
        }
        synchronized (this) {
          end += Math.max(n, 0);
          complete = n < 0;
        }
        tell();
        if (n < 0) {
          return;
        }
      }
    } catch (IOException e) {
      fail(e.getMessage() == null ? e.toString() : e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      fail("interrupted");
    } finally {
      synchronized (this) {
        if (closed) {
          chunks.clear();
        }
      }
      ended.run();
    }
  }

  private void tell() {
    Runnable current = listener;
    if (current != null) {
      current.run();
    }
  }

  private void fail(String why) {
    synchronized (this) {
      if (closed) {
        return;
      }
      failure = Refusals.internal("live source " + Texts.quote(name) + ": " + Texts.escape(why));
    }
    LOG.warn("live source {} failed: {}", Texts.quote(name), Texts.escape(why));
    tell();
  }

  /** Bytes of memory in use; for tests of its bound. */
  synchronized long allocatedBytes() {
    return (long) chunks.size() * CHUNK_BYTES;
  }
}
