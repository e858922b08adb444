package io.theseus.journal;

import com.typesafe.config.Config;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/**
 * The settings under {@code theseus.journal}; {@code reference.conf} says what each one means.
 *
 * @param directory the database's own directory
 * @param engine which LevelDB
 * @param queueCapacity writes that may wait for the writer
 * @param batchBytes a batch takes no further write once it has this size
 * @param minFreeBytes free space on the file system below which writes are refused
 * @param writeBufferBytes size of LevelDB's log before it becomes a table
 */
record JournalSettings(
    Path directory,
    Engine engine,
    int queueCapacity,
    long batchBytes,
    long minFreeBytes,
    int writeBufferBytes) {

  /** Which LevelDB opens the database; both read each other's files. */
  enum Engine {
    /** Native where a library for this machine loads, else Java. */
    AUTO,
    NATIVE,
    JAVA
  }

  JournalSettings {
    check("queue", queueCapacity, 1, 1 << 24);
    check("batch", batchBytes, 1024, 64 << 20);
    check("min-free", minFreeBytes, 0, Long.MAX_VALUE);
    check("write-buffer", writeBufferBytes, 64 << 10, 256 << 20);
  }

  static JournalSettings from(Config root) {
    Config config = root.getConfig("theseus.journal");
    return new JournalSettings(
        Path.of(config.getString("dir")).toAbsolutePath().normalize(),
        engine(config.getString("engine")),
        config.getInt("queue"),
        config.getBytes("batch"),
        config.getBytes("min-free"),
        Math.toIntExact(config.getBytes("write-buffer")));
  }

  private static Engine engine(String name) {
    return Arrays.stream(Engine.values())
        .filter(engine -> engine.name().toLowerCase(Locale.ROOT).equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "theseus.journal.engine: " + name + " (expected: auto, native or java)"));
  }

  private static void check(String key, long value, long least, long most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          "theseus.journal." + key + ": " + value + " (expected: " + least + " to " + most + ")");
    }
  }
}
