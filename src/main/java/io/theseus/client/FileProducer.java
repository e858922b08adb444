package io.theseus.client;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.OptionalLong;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Reads a file on the transfer's thread, hashing it behind. Its size is what it is at the start.
 */
final class FileProducer extends Producer {
  private final Path source;
  private @Nullable FileChannel channel;
  private @Nullable FileHash hash;
  private @Nullable ChunkPool pool;
  private long sizeBytes;
  private @Nullable FileTime modified;

  FileProducer(Path source) {
    this.source = source;
  }

  @Override
  boolean rewindable() {
    return true;
  }

  @Override
  String describe() {
    return source.toString();
  }

  @Override
  void open(ChunkPool chunks, Executor executor, Runnable wake, long keepBytes) throws IOException {
    if (Files.isDirectory(source)) {
      throw new IOException("is a directory (expected: a file)");
    }
    FileChannel opened = FileChannel.open(source, StandardOpenOption.READ);
    channel = opened;
    pool = chunks;
    hash = new FileHash(opened::read, executor);
    modified = Files.getLastModifiedTime(source);
    sizeBytes = opened.size();
  }

  @Override
  OptionalLong size() {
    return OptionalLong.of(sizeBytes);
  }

  @Override
  OptionalLong end() {
    return OptionalLong.of(sizeBytes);
  }

  @Override
  long readableTo() {
    return sizeBytes;
  }

  @Override
  Piece take(long from, int most) throws IOException {
    int length = (int) Math.min(Math.min(most, Chunk.BYTES), sizeBytes - from);
    Chunk chunk = opened(pool).take();
    boolean given = false;
    try {
      ByteBuffer into = chunk.buffer().limit(length);
      while (into.hasRemaining()) {
        if (opened(channel).read(into, from + into.position()) < 0) {
          throw new IOException(
              "the file shrank to "
                  + (from + into.position())
                  + " bytes while it was sent (expected: "
                  + sizeBytes
                  + ")");
        }
      }
      opened(hash).offer(from, chunk, 0, length);
      given = true;
      return new Piece(chunk.piece(0, length), chunk);
    } finally {
      if (!given) {
        chunk.release();
      }
    }
  }

  @Override
  void acknowledged(long offset) {}

  @Override
  String sha256(Cancellation cancellation) throws IOException, TransferException {
    return opened(hash).finish(sizeBytes, cancellation);
  }

  @Override
  String warning() {
    try {
      if (!Files.getLastModifiedTime(source).equals(modified)) {
        return source + " was modified while it was sent";
      }
    } catch (IOException e) {
      return source + " was removed while it was sent";
    }
    return "";
  }

  @Override
  void close() {
    if (hash != null) {
      hash.stop();
    }
    if (channel != null) {
      try {
        channel.close();
      } catch (IOException e) {
        // it was only read
      }
    }
  }

  private static <T> T opened(@Nullable T value) {
    if (value == null) {
      throw new IllegalStateException("producer used before it was opened");
    }
    return value;
  }
}
