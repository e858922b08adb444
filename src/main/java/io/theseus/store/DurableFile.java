package io.theseus.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** Small files that are written whole: after a crash there is the old content or the new one. */
public final class DurableFile {
  /** At the end of the name of a file that is being written. */
  static final String NEW = ".new";

  private DurableFile() {}

  /**
   * Puts content in the place of a file's. When this returns it is on disk, and so is its name;
   * when it throws, either content may be there.
   *
   * <p>Nobody else writes this file, or {@code NAME.new} beside it, at the same time.
   */
  public static void replace(Path directory, String name, ByteBuffer content) throws IOException {
    Path fresh = directory.resolve(name + NEW);
    try (FileChannel out =
        FileChannel.open(
            fresh,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      while (content.hasRemaining()) {
        out.write(content);
      }
      Fsync.force(out, true);
    }
    Files.move(fresh, directory.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    try (Folder folder = Folder.open(directory)) {
      folder.force();
    }
  }
}
