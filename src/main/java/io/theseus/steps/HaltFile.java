package io.theseus.steps;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.function.Function;

/**
 * Points of which a file says at which to halt, read at every point: a process that runs can be
 * told, so that a test of many points doesn't have to start it for each of them. Points are counted
 * from the moment when the file says something new.
 */
final class HaltFile implements Steps {
  private final Path file;
  private final Function<String, Steps> halting;
  private String setting = "";
  private Steps steps = NONE;

  HaltFile(Path file, Function<String, Steps> halting) {
    this.file = file;
    this.halting = halting;
  }

  @Override
  public synchronized void at(String name) {
    String now = read();
    if (!now.equals(setting)) {
      setting = now;
      steps = halting.apply(now);
    }
    steps.at(name);
  }

  private String read() {
    try {
      return Files.readString(file).strip();
    } catch (NoSuchFileException e) {
      return "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
