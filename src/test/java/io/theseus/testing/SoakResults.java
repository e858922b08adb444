package io.theseus.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.List;

/** What a long count has done so far, in a file: one that is stopped goes on the next time. */
public final class SoakResults {
  private static final Path DIRECTORY = Path.of("bench/results/local");

  private final String part;
  private final Path file;

  /** Those of a part, as {@code ./theseus test --soak} names it. */
  public SoakResults(String part) {
    this.part = part;
    this.file = DIRECTORY.resolve("soak-" + part + ".txt");
  }

  /** All lines so far; they begin with {@code #} where they are no result. */
  public List<String> lines() {
    try {
      return Files.exists(file) ? Files.readAllLines(file) : List.of();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Adds a line, from any thread. */
  public synchronized void add(String line) {
    try {
      Files.createDirectories(DIRECTORY);
      Files.writeString(file, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What was counted so far says nothing about the program that comes next: begins anew. */
  public void failed(Throwable reason) {
    add("# failed: " + reason);
    putAside("failed");
  }

  /** All is counted: the file is kept, the next count begins anew. */
  public void done() {
    putAside("done");
  }

  private synchronized void putAside(String how) {
    String at = Instant.now().toString().replaceAll("[:.]", "-");
    try {
      Files.move(file, DIRECTORY.resolve("soak-" + part + "-" + how + "-" + at + ".txt"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
