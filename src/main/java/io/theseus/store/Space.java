package io.theseus.store;

import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.io.IOException;

/**
 * What of the disk is promised to uploads: together they never go below the rest that is to stay
 * free.
 */
final class Space {
  /** The bytes that this process may still use on the file system. */
  @FunctionalInterface
  interface Usable {
    long bytes() throws IOException;
  }

  /** What an upload of unknown size takes at once. */
  private static final long STEP = 16L << 20;

  private final Usable usable;
  private final long restBytes;
  private long reserved;

  Space(Usable usable, long restBytes) {
    this.usable = usable;
    this.restBytes = restBytes;
  }

  /** What one upload may still write. */
  final class Reservation {
    private final FileName name;
    private long left;
    private boolean closed;

    private Reservation(FileName name) {
      this.name = name;
    }

    /** Makes sure of room for so many more bytes. */
    void cover(long bytes) throws ProtocolException {
      synchronized (Space.this) {
        if (bytes <= left || closed) {
          return;
        }
        long missing = bytes - left;
        long free = require(name, missing);
        long taken = left == 0 && bytes < STEP ? Math.min(STEP, free) : missing;
        left += taken;
        reserved += taken;
      }
    }

    /** So many bytes are on the disk, which counts them itself from now on. */
    void used(long bytes) {
      synchronized (Space.this) {
        long given = closed ? 0 : Math.min(bytes, left);
        left -= given;
        reserved -= given;
      }
    }

    void close() {
      synchronized (Space.this) {
        closed = true;
        reserved -= left;
        left = 0;
      }
    }
  }

  /** A reservation of exactly so many bytes; 0 for one that grows. */
  Reservation reserve(FileName name, long bytes) throws ProtocolException {
    Reservation reservation = new Reservation(name);
    synchronized (this) {
      if (bytes > 0) {
        require(name, bytes);
        reservation.left = bytes;
        reserved += bytes;
      }
    }
    return reservation;
  }

  /** Bytes that uploads may still write, at least 0. */
  synchronized long free() throws IOException {
    return Math.max(0, usable.bytes() - restBytes - reserved);
  }

  /** Bytes promised and not yet written. */
  synchronized long reserved() {
    return reserved;
  }

  /** What is free, which is at least {@code bytes}. */
  private long require(FileName name, long bytes) throws ProtocolException {
    long free;
    try {
      free = usable.bytes() - restBytes - reserved;
    } catch (IOException e) {
      throw Refusals.io(name, "asking for the free space", e);
    }
    if (bytes > free) {
      throw new ProtocolException(
          ErrorCode.NO_SPACE,
          Texts.quote(name.value())
              + " needs "
              + bytes
              + " bytes (expected: <= "
              + Math.max(0, free)
              + ", which is what uploads may still use; "
              + restBytes
              + " stay free)");
    }
    return free;
  }
}
