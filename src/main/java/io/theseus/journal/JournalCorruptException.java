package io.theseus.journal;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A journal with damage that isn't a torn tail; the message names the file, the place and the
 * remedy.
 *
 * <p>Nothing in the directory was changed when this is thrown.
 */
public final class JournalCorruptException extends JournalException {
  private static final long serialVersionUID = 1L;

  JournalCorruptException(Path directory, String damage) {
    this(directory, damage, null);
  }

  JournalCorruptException(Path directory, String damage, @Nullable Throwable cause) {
    super(
        "journal corrupt: "
            + damage
            + "; remedy: put back a copy of "
            + directory
            + ", or move that directory away and start again: sessions that were open then begin"
            + " anew, complete files are not touched",
        cause);
  }
}
