package io.theseus.store;

import io.theseus.wire.ProtocolException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** One of the readers of a {@link Spool}. */
final class SpoolReader implements LiveStream {
  private final Spool spool;
  private volatile @Nullable Runnable listener;

  SpoolReader(Spool spool) {
    this.spool = spool;
  }

  @Override
  public Optional<String> identity() {
    return Optional.of(spool.identity());
  }

  @Override
  public boolean isRewindable() {
    return true;
  }

  @Override
  public long base() {
    return spool.base();
  }

  @Override
  public long end() {
    return spool.end();
  }

  @Override
  public OptionalLong size() {
    return spool.size();
  }

  @Override
  public Optional<ProtocolException> failure() {
    return spool.failure();
  }

  @Override
  public int read(long offset, ByteBuffer into) {
    return spool.read(offset, into);
  }

  @Override
  public void release(long upTo) {
    // what is kept depends on no reader
  }

  @Override
  public void willNeed(long offset, long length) {
    spool.willNeed(offset, length);
  }

  @Override
  public void onChange(Runnable newListener) {
    listener = newListener;
  }

  void tell() {
    Runnable current = listener;
    if (current != null) {
      current.run();
    }
  }

  @Override
  public void close() {
    listener = null;
    spool.leave(this);
  }
}
