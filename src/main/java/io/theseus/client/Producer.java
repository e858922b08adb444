package io.theseus.client;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where the bytes of a PUT come from: a file, or a live stream of unknown size. Serves one
 * transfer.
 *
 * <p>Of a stream the bytes that are not acknowledged yet are kept in memory, at most the window, so
 * that a lost connection loses nothing.
 */
public abstract sealed class Producer permits FileProducer, StreamProducer {
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
}
