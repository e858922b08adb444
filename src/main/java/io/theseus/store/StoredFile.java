package io.theseus.store;

import io.theseus.wire.FileName;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/** An open file, as it was when it was opened: replaced or deleted, it keeps its content. */
public final class StoredFile implements Closeable {
  private final SharedFiles.Shared shared;
  private final FileStat stat;
  private final AtomicBoolean closed = new AtomicBoolean();

  StoredFile(FileName name, SharedFiles.Shared shared) {
    this.shared = shared;
    this.stat = shared.facts().stat(name);
  }

  public FileName name() {
    return stat.name();
  }

  /** The content; shared with other readers, so it is closed by {@link #close} alone. */
  public FileChannel channel() {
    return shared.channel();
  }

  public long size() {
    return shared.facts().size();
  }

  public String identity() {
    return stat.identity();
  }

  /** The SHA-256 of the whole file, where it is known and size and time are still the same. */
  public Optional<String> sha256() {
    return stat.sha256();
  }

  public Instant modified() {
    return shared.facts().modified();
  }

  /** Asks the kernel to read ahead; may wait for the disk a little, fails in silence. */
  public void willNeed(long offset, long length) {
    Native.willNeed(shared.channel(), offset, length);
  }

  /**
   * Whether somebody wrote into the file, or cut it, since it was opened: what was read of it may
   * be a mixture. Looks at the open descriptor alone, so it never waits for the disk.
   */
  public boolean isChanged() {
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
    if (closed.compareAndSet(false, true)) {
      shared.release();
    }
  }
}
