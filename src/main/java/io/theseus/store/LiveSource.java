package io.theseus.store;

import java.nio.file.Path;
import java.util.List;

/** Where a live source's bytes come from. */
public sealed interface LiveSource {
  /** A FIFO: one reader at a time. */
  record Fifo(Path path) implements LiveSource {}

  /** The standard output of a command, which each GET starts anew. */
  record Command(List<String> command) implements LiveSource {
    public Command {
      command = List.copyOf(command);
      if (command.isEmpty()) {
        throw new IllegalArgumentException("command: [] (expected: a program and its arguments)");
      }
    }
  }
}
