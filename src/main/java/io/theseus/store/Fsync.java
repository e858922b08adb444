package io.theseus.store;

import io.theseus.os.Native;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/**
 * An fsync whose success can be believed.
 *
 * <p>That of ext4 can't, by itself: where a transaction could not be written, whoever waits for it
 * just then is told, and every later fsync of what it held finds it neither running nor being
 * written, and returns 0. It may even be nobody who was told, because the kernel writes one every
 * five seconds on its own. So behind each fsync the file system is asked for something that it
 * refuses once it has given up, and that changes nothing: to remove an attribute that is not there.
 */
public final class Fsync {
  private Fsync() {}

  /** As {@link FileChannel#force}, and fails where the file system gave up before it. */
  static void force(FileChannel channel, boolean metadata) throws IOException {
    channel.force(metadata);
    require(Native.standing(channel));
  }

  /** For who synced something in a directory by other means: fails where that says nothing. */
  public static void requireStanding(Path directory) throws IOException {
    require(Native.standing(directory));
  }

  private static void require(boolean standing) throws IOException {
    if (!standing) {
      throw new IOException(
          "the file system has given up writing, and says nothing of it to who asks for an fsync"
              + " (expected: one that takes writes)");
    }
  }
}
