package io.theseus.client;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where the bytes of a GET go: a file, or a stream that can't be rewound. Serves one transfer.
 *
 * <p>A file becomes visible under its name whole or not at all: bytes gather in a hidden part file
 * beside it ({@code .NAME.theseus-part}), which is synced and renamed at the end. The part stays
 * after a failure, with a small file that says what it is, so that a later GET can go on from it.
 */
public abstract sealed class Consumer permits FileConsumer, StreamConsumer {
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
}
