package io.theseus.store;

import java.nio.file.Path;
import java.util.List;

/** Where a live source's bytes come from. */
public sealed interface LiveSource {
  /** Bytes of it that are kept on disk for several readers; 0: none, each reader has its own. */
  long spoolBytes();

  /** A FIFO: one reader at a time, unless it is spooled. */
  record Fifo(Path path, long spoolBytes) implements LiveSource {
    /** One that is not spooled. */
    public Fifo(Path path) {
      this(path, 0);
    }
  }

  /** The standard output of a command, which each GET starts anew, unless it is spooled. */
  record Command(List<String> command, long spoolBytes) implements LiveSource {
    /** One that is not spooled. */
    public Command(List<String> command) {
      this(command, 0);
    }

    public Command {
      command = List.copyOf(command);
      if (command.isEmpty()) {
        throw new IllegalArgumentException("command: [] (expected: a program and its arguments)");
      }
    }
  }
}
