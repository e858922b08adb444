package io.theseus.store;

import io.theseus.os.Native;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArraySet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A live source with its last bytes on disk: a window that moves on with the source, in which any
 * number of readers stand where they like.
 *
 * <p>The source is never held up. A reader that the window passes has lost its place; what it read
 * is right all the same, because a byte never changes while it is kept, and an identity belongs to
 * one run of the source. The window is made of segments, files of an eighth of it: the oldest is
 * removed before another is begun, so never more than the window is on disk, and 7/8 of it at least
 * are kept. Where the disk is full the window becomes shorter, and the stream fails only when there
 * is no room for one segment.
 */
final class Spool {
  /** Segments of a full window. */
  static final int SEGMENTS = 8;

  private static final Logger LOG = LoggerFactory.getLogger(Spool.class);
  private static final int CHUNK_BYTES = 64 << 10;

  /** A file with the bytes from an offset on. */
  private static final class Segment {
    final long from;
    final Path path;
    final FileChannel channel;
    long length; // guarded by the spool

    Segment(long from, Path path, FileChannel channel) {
      this.from = from;
      this.path = path;
      this.channel = channel;
    }

    long end() {
      return from + length;
    }
  }

  private final String name;
  private final LiveInput input;
  private final Path directory;
  private final long segmentBytes;
  private final Runnable ended;
  private final String identity = UUID.randomUUID().toString();
  private final Set<SpoolReader> readers = new CopyOnWriteArraySet<>();

  // guarded by this
  private final Deque<Segment> segments = new ArrayDeque<>();
  private long base;
  private long end;
  private boolean complete;
  private boolean over;
  private boolean retired;
  private @Nullable ProtocolException failure;

  /**
   * Begins to read.
   *
   * @param bytes of the window, at least {@value #SEGMENTS}
   * @param ended runs when the input is closed
   */
  static Spool start(String name, LiveInput input, Path directory, long bytes, Runnable ended) {
    Spool spool = new Spool(name, input, directory, bytes, ended);
    Thread thread = new Thread(spool::readAll, "spool-" + Texts.escape(name));
    thread.setDaemon(true);
    thread.start();
    return spool;
  }

  private Spool(String name, LiveInput input, Path directory, long bytes, Runnable ended) {
    this.name = name;
    this.input = input;
    this.directory = directory;
    this.segmentBytes = bytes / SEGMENTS;
    this.ended = ended;
  }

  String identity() {
    return identity;
  }

  synchronized long base() {
    return base;
  }

  synchronized long end() {
    return end;
  }

  synchronized OptionalLong size() {
    return complete ? OptionalLong.of(end) : OptionalLong.empty();
  }

  synchronized Optional<ProtocolException> failure() {
    return Optional.ofNullable(failure);
  }

  /** Whether no more will come, as readers can see. */
  synchronized boolean hasEnded() {
    return complete || failure != null || over;
  }

  SpoolReader join() {
    SpoolReader reader = new SpoolReader(this);
    readers.add(reader);
    return reader;
  }

  void leave(SpoolReader reader) {
    readers.remove(reader);
    if (isRetired()) {
      removeUnread();
    }
  }

  /** Nobody joins any more: ends the source; what is kept goes with the last reader. */
  void retire() {
    synchronized (this) {
      retired = true;
    }
    input.cancel();
    removeUnread();
  }

  private void removeUnread() {
    boolean writes;
    synchronized (this) {
      writes = !over;
    }
    if (readers.isEmpty() && !writes) {
      while (removeOldest()) {
        // one after another
      }
    }
  }

  // ---- reading from it

  /** Copies what there is; less, or nothing, where the window has passed the offset. */
  int read(long offset, ByteBuffer into) {
    int before = into.position();
    int limit = into.limit();
    long next = offset;
    try {
      while (into.position() < limit) {
        Segment segment;
        long most;
        synchronized (this) {
          segment = find(next);
          if (segment == null) {
            break;
          }
          most = segment.end() - next;
        }
        into.limit((int) Math.min(limit, into.position() + most));
        int n = segment.channel.read(into, next - segment.from);
        if (n <= 0) {
          break;
        }
        next += n;
      }
    } catch (IOException e) {
      if (base() <= next) {
        fail(Refusals.internal(quoted() + ": reading failed: " + Refusals.reason(e)));
      }
    } finally {
      into.limit(limit);
    }
    return into.position() - before;
  }

  private @Nullable Segment find(long offset) {
    if (offset < base || offset >= end) {
      return null;
    }
    for (Segment each : segments) {
      if (offset < each.end()) {
        return each;
      }
    }
    return null;
  }

  void willNeed(long offset, long length) {
    Segment segment;
    synchronized (this) {
      segment = find(offset);
    }
    if (segment != null) {
      Native.willNeed(segment.channel, offset - segment.from, length);
    }
  }

  // ---- the source

  private void readAll() {
    byte[] chunk = new byte[CHUNK_BYTES];
    try (input) {
      int n = input.read(chunk, 0, chunk.length);
      while (n >= 0) {
        if (n > 0) {
          keep(ByteBuffer.wrap(chunk, 0, n));
        }
        synchronized (this) {
          if (retired) {
            return;
          }
        }
        n = input.read(chunk, 0, chunk.length);
      }
      synchronized (this) {
        complete = !retired; // one that was ended is not whole
      }
    } catch (IOException e) {
      fail(
          Refusals.internal(
              quoted()
                  + ": "
                  + Texts.escape(e.getMessage() == null ? e.toString() : e.getMessage())));
    } catch (ProtocolException e) {
      fail(e);
    } finally {
      synchronized (this) {
        over = true;
      }
      ended.run();
      readers.forEach(SpoolReader::tell);
      if (isRetired()) {
        removeUnread();
      }
    }
  }

  private synchronized boolean isRetired() {
    return retired;
  }

  /** Adds bytes, a segment's rest at a time, so that readers see whole steps only. */
  private void keep(ByteBuffer bytes) throws ProtocolException {
    while (bytes.hasRemaining()) {
      try {
        Segment last = writable();
        int limit = bytes.limit();
        bytes.limit((int) Math.min(limit, bytes.position() + (segmentBytes - last.length)));
        int from = bytes.position();
        try {
          while (bytes.hasRemaining()) {
            last.channel.write(bytes, last.length + bytes.position() - from);
          }
        } finally {
          // all that is written counts, where the rest failed, too
          synchronized (this) {
            last.length += bytes.position() - from;
            end += bytes.position() - from;
          }
          bytes.limit(limit);
        }
      } catch (IOException e) {
        makeRoom(e);
      }
    }
    readers.forEach(SpoolReader::tell);
  }

  /** The last segment, where it is not full, or a fresh one, for which the oldest goes. */
  private Segment writable() throws IOException {
    synchronized (this) {
      Segment last = segments.peekLast();
      if (last != null && last.length < segmentBytes) {
        return last;
      }
    }
    while (count() >= SEGMENTS) {
      removeOldest();
    }
    long from = end();
    Path path = directory.resolve(identity + "-" + from);
    Segment fresh =
        new Segment(
            from,
            path,
            FileChannel.open(
                path,
                StandardOpenOption.CREATE_NEW,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE));
    synchronized (this) {
      segments.add(fresh);
    }
    return fresh;
  }

  private synchronized int count() {
    return segments.size();
  }

  /** The disk takes no more: the oldest segment goes, or the stream fails. */
  private void makeRoom(IOException e) throws ProtocolException {
    if (!Refusals.isNoSpace(Refusals.reason(e))) {
      throw Refusals.internal(
          quoted()
              + ": spooling failed: "
              + Refusals.reason(e)
              + " (expected: a disk that can be written)");
    }
    if (count() < 2) {
      throw new ProtocolException(
          ErrorCode.NO_SPACE,
          quoted()
              + ": spooling failed: "
              + Refusals.reason(e)
              + " (expected: room for "
              + segmentBytes
              + " bytes at least)");
    }
    LOG.warn("{}: the disk is full; the spool becomes shorter", quoted());
    removeOldest();
  }

  /** False where there is none. */
  private boolean removeOldest() {
    Segment oldest;
    synchronized (this) {
      oldest = segments.poll();
      if (oldest == null) {
        return false;
      }
      base = oldest.end();
    }
    try {
      oldest.channel.close();
      Files.deleteIfExists(oldest.path);
    } catch (IOException e) {
      LOG.warn("{}: a segment stays behind: {}", quoted(), Refusals.reason(e));
    }
    return true;
  }

  private void fail(ProtocolException reason) {
    synchronized (this) {
      if (retired || failure != null) {
        return;
      }
      failure = reason;
    }
    LOG.warn("{}", reason.errorText());
    readers.forEach(SpoolReader::tell);
  }

  private String quoted() {
    return "live source " + Texts.quote(name);
  }
}
