package io.theseus.store;

import io.theseus.os.Native;
import io.theseus.wire.FileName;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * An open file, as it was when it was opened: replaced or deleted, it keeps its content. A small
 * one is in memory and has no descriptor.
 */
public final class StoredFile implements Closeable {
  private final Facts facts;
  private final SharedFiles.@Nullable Shared shared;
  private final ByteBuffer content;
  private final FileStat stat;
  private final AtomicBoolean closed = new AtomicBoolean();

  StoredFile(FileName name, SharedFiles.Shared shared) {
    this.facts = shared.facts();
    this.shared = shared;
    this.content = ByteBuffer.allocate(0);
    this.stat = facts.stat(name);
  }

  /** One in memory, which many may read at once, and which stays as it is when it is closed. */
  StoredFile(FileName name, Facts facts, ByteBuffer content) {
    this.facts = facts;
    this.shared = null;
    this.content = content;
    this.stat = facts.stat(name);
  }

  public FileName name() {
    return stat.name();
  }

  /**
   * The descriptor, to send from; empty where the content is in memory. Shared with other readers,
   * so it is closed by {@link #close} alone.
   */
  public Optional<FileChannel> channel() {
    return Optional.ofNullable(shared).map(SharedFiles.Shared::channel);
  }

  /**
   * Copies content that begins at an offset, as much as there is and fits; waits for the disk where
   * it is not in memory.
   *
   * @return the number of bytes, -1 at the end
   */
  public int read(ByteBuffer into, long from) throws IOException {
    if (shared != null) {
      return shared.channel().read(into, from);
    }
    if (from >= content.limit()) {
      return -1;
    }
    int length = (int) Math.min(into.remaining(), content.limit() - from);
    into.put(content.slice((int) from, length));
    return length;
  }

  public long size() {
    return facts.size();
  }

  public String identity() {
    return stat.identity();
  }

  /** The SHA-256 of the whole file, where it is known and size and time are still the same. */
  public Optional<String> sha256() {
    return stat.sha256();
  }

  public Instant modified() {
    return facts.modified();
  }

  /** Whether reading a range would wait for the disk, as far as is known; never waits itself. */
  public boolean mayWait(long offset, long length) {
    return channel().filter(open -> !Native.isCached(open, offset, length)).isPresent();
  }

  /** Asks the kernel to read ahead; may wait for the disk a little, fails in silence. */
  public void willNeed(long offset, long length) {
    channel().ifPresent(open -> Native.willNeed(open, offset, length));
  }

  /**
   * Whether somebody wrote into the file, or cut it, since it was opened: what was read of it may
   * be a mixture. Looks at the open descriptor alone, so it never waits for the disk.
   */
  public boolean isChanged() {
    if (shared == null) {
      return false; // read whole, and looked at again behind that
    }
    try {
      FileChannel channel = shared.channel();
      return channel.size() != size()
          || Native.modified(channel).filter(now -> !now.equals(modified())).isPresent();
    } catch (IOException e) {
      return true;
    }
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true) && shared != null) {
      shared.release();
    }
  }
}
