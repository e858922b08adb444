package io.theseus.journal;

import org.jspecify.annotations.Nullable;

/** A journal that can't be opened, read or written; the message names its directory and why. */
public class JournalException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  JournalException(String message) {
    super(message);
  }

  JournalException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
