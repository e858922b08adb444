package io.theseus.client;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.concurrent.Executor;

/**
 * Where the bytes of a PUT come from: a file, or a live stream of unknown size. Serves one
 * transfer.
 *
 * <p>Of a stream the bytes that are not acknowledged yet are kept in memory, at most the window, so
 * that a lost connection loses nothing.
 */
public abstract sealed class Producer permits FileProducer, StreamProducer {
  /**
   * Bytes to send.
   *
   * @param chunk holds them; the reference is the taker's
   */
  record Piece(ByteBuffer bytes, Chunk chunk) {}

  Producer() {}

  /** A regular file. */
  public static Producer file(Path source) {
    return new FileProducer(source);
  }

  /** A stream; read to its end, not closed. */
  public static Producer stream(InputStream in) {
    return new StreamProducer(in, false);
  }

  /** The file at this path, or the live stream of the pipe or device that is there. */
  public static Producer of(Path source) throws IOException {
    if (Files.exists(source) && !Files.isRegularFile(source) && !Files.isDirectory(source)) {
      return new StreamProducer(Files.newInputStream(source), true);
    }
    return file(source);
  }

  /** Whether any byte can be had again. */
  abstract boolean rewindable();

  /** What it is, for messages. */
  abstract String describe();

  /**
   * Gets ready.
   *
   * @param pool where memory comes from
   * @param executor for what runs beside the transfer
   * @param wake to be called from there when there is something new
   * @param keepBytes how much of a stream may be kept
   */
  abstract void open(ChunkPool pool, Executor executor, Runnable wake, long keepBytes)
      throws IOException;

  /** The size where it is known from the start. */
  abstract OptionalLong size();

  /** Where it ends, once that is known. */
  abstract OptionalLong end() throws IOException;

  /** The end of what can be had now. */
  abstract long readableTo() throws IOException;

  /** At least one of the bytes at {@code from}, which must be readable. */
  abstract Piece take(long from, int most) throws IOException;

  /** The bytes before this offset are durable at the other end. */
  abstract void acknowledged(long offset);

  /** The SHA-256 of everything, in lower case; there once the end is known. */
  abstract String sha256(Cancellation cancellation) throws IOException, TransferException;

  /** Something a person should know about what was sent; empty for nothing. */
  abstract String warning();

  /** Lets go of everything. */
  abstract void close();
}
