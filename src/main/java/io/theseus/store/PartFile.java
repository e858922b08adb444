package io.theseus.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The staged file of an upload: one descriptor, opened when it is needed. */
final class PartFile {
  private static final Logger LOG = LoggerFactory.getLogger(PartFile.class);

  /**
   * Bytes of one system call. The kernel takes pages for the cache in runs as long as a write, and
   * the longest ones cost a virtual machine several times the CPU: see decisions.md.
   */
  private static final int MOST_AT_ONCE = 256 << 10;

  private final Folder staging;
  private final String component;
  private @Nullable FileChannel channel;
  private int users;
  private volatile boolean resting;
  private boolean retired;

  PartFile(Folder staging, String component, FileChannel channel) {
    this.staging = staging;
    this.component = component;
    this.channel = channel;
  }

  String component() {
    return component;
  }

  /** The open channel, until {@link #release}. */
  synchronized FileChannel acquire() throws IOException {
    if (retired) {
      throw new ClosedChannelException();
    }
    FileChannel open = channel;
    if (open == null) {
      open = staging.file(component, StandardOpenOption.READ, StandardOpenOption.WRITE);
      channel = open;
    }
    users++;
    return open;
  }

  synchronized void release() {
    users--;
    settle();
  }

  /** Writes all of these, in this order. */
  void write(long at, ByteBuffer[] buffers) throws IOException {
    FileChannel open = acquire();
    try {
      open.position(at);
      int first = 0;
      while (first < buffers.length) {
        writeSome(open, buffers, first);
        while (first < buffers.length && !buffers[first].hasRemaining()) {
          first++;
        }
      }
    } finally {
      release();
    }
  }

  private static void writeSome(FileChannel open, ByteBuffer[] buffers, int first)
      throws IOException {
    int room = MOST_AT_ONCE;
    int end = first;
    while (end < buffers.length && room > 0) {
      room -= buffers[end].remaining();
      end++;
    }
    ByteBuffer last = buffers[end - 1];
    int limit = last.limit();
    if (room < 0) {
      last.limit(limit + room);
    }
    try {
      open.write(buffers, first, end - first);
    } finally {
      last.limit(limit);
    }
  }

  /** Reads some bytes; -1 at the end. */
  int read(ByteBuffer into, long from) throws IOException {
    FileChannel open = acquire();
    try {
      return open.read(into, from);
    } finally {
      release();
    }
  }

  /** From the next {@link #settle} on, holds no descriptor while nobody uses it. Never waits. */
  void rest() {
    resting = true;
  }

  /** Holds the descriptor between uses again. Never waits. */
  void wake() {
    resting = false;
  }

  /** Opens no more, closes as soon as nobody uses it. */
  synchronized void retire() {
    retired = true;
    settle();
  }

  /** Waits for those who use it right now. */
  synchronized void awaitIdle() {
    boolean interrupted = false;
    while (users > 0) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Closes the descriptor where it is to be closed and nobody uses it. */
  synchronized void settle() {
    if (users > 0) {
      return;
    }
    FileChannel open = channel;
    if (open != null && (resting || retired)) {
      channel = null;
      try {
        open.close();
      } catch (IOException e) {
        LOG.warn("{}: close failed: {}", component, e.getMessage());
      }
    }
    notifyAll();
  }
}
