package io.theseus.store;

import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionStage;

/**
 * One unfinished file: staged, hashed behind the writes, synced, committed. Outlives connections
 * and actors. None of its methods waits for the disk.
 */
public final class Upload {
  /** The right to append; the newest alone has it. Used by one thread at a time. */
  public static final class Writer {
    /**
     * Appends; {@code release} is called exactly once, when the bytes are written and hashed, or
     * dropped.
     *
     * @param data direct, and left alone until {@code release}
     * @return false where the writer is stale or the upload failed or is committed: then the bytes
     *     are dropped and released
     */
    public boolean write(ByteBuffer data, Runnable release) {
      return Pending.value();
    }

    /** Whether a newer writer has taken over. */
    public boolean isStale() {
      return Pending.value();
    }
  }

  public UUID session() {
    return Pending.value();
  }

  public FileName name() {
    return Pending.value();
  }

  /** A new handle, which appends at {@link #received}; all older ones are stale from now on. */
  public Writer takeOver() {
    return Pending.value();
  }

  /** Bytes accepted in order. */
  public long received() {
    return Pending.value();
  }

  /** Bytes that survive a power cut. */
  public long durable() {
    return Pending.value();
  }

  /** Why nothing more is stored; empty while all is well. */
  public Optional<ProtocolException> failure() {
    return Pending.value();
  }

  /**
   * Makes all that was accepted before the call durable; gives {@link #durable}. Fails with a
   * {@link ProtocolException}. Completed on a disk thread.
   */
  public CompletionStage<Long> sync() {
    return Pending.value();
  }

  /**
   * Makes the file visible under its name, whole and durable. A second call gives the first one's
   * result. Fails with a {@link ProtocolException}. Completed on a disk thread.
   */
  public CompletionStage<Completed> commit(long size, Optional<String> sha256) {
    return Pending.value();
  }

  /**
   * Gives back the descriptor, once what was accepted is written; the next use opens it again. For
   * an upload whose connection is lost.
   */
  public void suspend() {
    Pending.value();
  }

  /** Ends the upload, removes its part, gives back its space; completes when that is done. */
  public CompletionStage<Void> discard() {
    return Pending.value();
  }
}
