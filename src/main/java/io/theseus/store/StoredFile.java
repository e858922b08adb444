package io.theseus.store;

import java.io.Closeable;
import java.nio.channels.FileChannel;
import java.time.Instant;
import java.util.Optional;

/** An open file, as it was when it was opened: replaced or deleted, it keeps its content. */
public final class StoredFile implements Closeable {
  /** The content; shared with other readers, so it is closed by {@link #close} alone. */
  public FileChannel channel() {
    return Pending.value();
  }

  public long size() {
    return Pending.value();
  }

  public String identity() {
    return Pending.value();
  }

  /** The SHA-256 of the whole file, where it is known and size and time are still the same. */
  public Optional<String> sha256() {
    return Pending.value();
  }

  public Instant modified() {
    return Pending.value();
  }

  /** Asks the kernel to read ahead; never waits for the disk long, fails in silence. */
  public void willNeed(long offset, long length) {
    Pending.value();
  }

  @Override
  public void close() {
    Pending.value();
  }
}
