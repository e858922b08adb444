package io.theseus.net;

import io.theseus.session.PayloadPath;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A packet of a GET that functions of modules look at before it leaves: read on a disk thread,
 * passed on threads of the code, sent by the event loop.
 *
 * <p>It is not on its way before it has passed: what doesn't get through is read again, and goes
 * what way the next grant says. One at a time for a connection, so the order can't be lost, code
 * sees no byte twice but for a seek, and memory is bounded.
 */
final class Passing {
  /**
   * Longer packets aren't passed: an array of a size that every collector takes for a small one.
   */
  static final int LONGEST = 256 * 1024;

  /** Copies content from an offset, as much as there is and fits; -1 or 0 where there is none. */
  @FunctionalInterface
  interface Content {
    int read(ByteBuffer into, long from) throws IOException;
  }

  /** Hears, on the event loop, what became of it. */
  @FunctionalInterface
  interface Listener {
    void passed(Passing passing, boolean through);
  }

  private final Connection connection;
  private final Listener listener;
  private final PayloadPath path;
  private final long offset;
  private final long seekEpoch;

  /** Dropped with this where code hangs, as it may still write there. */
  private final byte[] bytes;

  private boolean ofFile;
  private int missing;
  private @Nullable IOException failure;

  Passing(
      Connection connection,
      Listener listener,
      PayloadPath path,
      long offset,
      int length,
      long seekEpoch) {
    this.connection = connection;
    this.listener = listener;
    this.path = path;
    this.offset = offset;
    this.bytes = new byte[length];
    this.seekEpoch = seekEpoch;
  }

  /** Reads what may wait for the disk, then lets it pass. */
  void readAndPass(Content content) {
    ofFile = true;
    connection
        .disk()
        .execute(
            () -> {
              read(content);
              if (failure != null || missing > 0) {
                connection.execute(() -> listener.passed(this, /* through= */ false));
              } else {
                pass();
              }
            });
  }

  /** Reads what is there, at once. */
  boolean read(Content content) {
    ByteBuffer into = ByteBuffer.wrap(bytes);
    try {
      while (into.hasRemaining() && content.read(into, offset + into.position()) > 0) {
        // more may follow
      }
    } catch (IOException e) {
      failure = e;
    }
    missing = into.remaining();
    return missing == 0;
  }

  /** Lets what was read pass. */
  void pass() {
    path.pass(offset, bytes)
        .thenAccept(through -> connection.execute(() -> listener.passed(this, through)));
  }

  PayloadPath path() {
    return path;
  }

  /** Whether it was read from an open file, which may be closed now. */
  boolean ofFile() {
    return ofFile;
  }

  /** The seek epoch in which it began. */
  long seekEpoch() {
    return seekEpoch;
  }

  int length() {
    return bytes.length;
  }

  /** The bytes, once they are through, as {@link Content}. */
  int copy(ByteBuffer into, long from) {
    into.put(bytes);
    return bytes.length;
  }

  /** Bytes that were no longer in the file. */
  int missing() {
    return missing;
  }

  @Nullable IOException failure() {
    return failure;
  }
}
