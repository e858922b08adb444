package io.theseus.client;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.Executor;

/**
 * Where the bytes of a GET go: a file, or a stream that can't be rewound. Serves one transfer.
 *
 * <p>A file becomes visible under its name whole or not at all: bytes gather in a hidden part file
 * beside it ({@code .NAME.theseus-part}), which is synced and renamed at the end. The part stays
 * after a failure, with a small file that says what it is, so that a later GET can go on from it.
 */
public abstract sealed class Consumer permits FileConsumer, StreamConsumer {
  /** What an earlier GET left: where and with what this one goes on. */
  record Start(UUID session, long offset, Optional<String> identity, boolean stream) {}

  Consumer() {}

  /** A file that is created or replaced when the transfer is complete. */
  public static Consumer file(Path target) {
    return new FileConsumer(target);
  }

  /** A stream; written to in order, flushed, not closed. */
  public static Consumer stream(OutputStream out) {
    return new StreamConsumer(out, false);
  }

  /** The file at this path, or a stream into the pipe or device that is there. */
  public static Consumer of(Path target) throws IOException {
    if (Files.exists(target) && !Files.isRegularFile(target) && !Files.isDirectory(target)) {
      return new StreamConsumer(Files.newOutputStream(target), true);
    }
    return file(target);
  }

  /** Whether it can be taken back to an earlier byte. */
  abstract boolean rewindable();

  /** What it is, for messages. */
  abstract String describe();

  /**
   * Gets ready.
   *
   * @param executor for what runs beside the transfer
   * @param wake to be called from there when the transfer's thread may have something to do
   * @return where to go on, where the request wants that and there is something
   */
  abstract Optional<Start> open(
      GetRequest request, Executor executor, Runnable wake, Cancellation cancellation)
      throws IOException, TransferException;

  /** The content that comes from now on is this; called before its first byte, and on a resume. */
  abstract void begins(UUID session, Optional<String> identity, OptionalLong size, boolean stream)
      throws IOException;

  /**
   * Takes bytes, which follow those before.
   *
   * @param boundary whether a packet ends here
   */
  abstract void take(long offset, Chunk chunk, int position, int length, boolean boundary)
      throws IOException;

  /** The end of the last packet that is safely consumed, or where it all began. */
  abstract long settled() throws IOException;

  /** Asks for a wake-up once this much is settled. */
  abstract void wakeAt(long settled);

  /** Whether so little is pending that more should be read. */
  abstract boolean mayRead();

  /** Waits until everything taken is consumed. */
  abstract void settle(Cancellation cancellation) throws IOException, TransferException;

  /** Discards everything: the file is another one now. */
  abstract void restart() throws IOException, TransferException;

  /** All is taken: waits for it and gives the SHA-256 of all of it. */
  abstract String finish(long size, Cancellation cancellation)
      throws IOException, TransferException;

  /** Makes it visible. */
  abstract void publish(Optional<java.time.Instant> modified) throws IOException;

  /** Removes what can't be used. */
  abstract void discard() throws IOException;

  /** Lets go of everything, after success or failure. */
  abstract void close();
}
