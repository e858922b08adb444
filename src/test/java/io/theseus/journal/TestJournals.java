package io.theseus.journal;

import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.journal.Change.Operation;
import io.theseus.journal.JournalSettings.Engine;
import io.theseus.steps.Steps;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Databases, records and images of crashed directories for the tests of this package. */
final class TestJournals {
  private TestJournals() {}

  static JournalSettings settings(Path directory, Engine engine) {
    return new JournalSettings(directory, engine, 65_536, 1 << 20, 0, 4 << 20);
  }

  static Database open(Path directory, Engine engine) {
    return Database.open(settings(directory, engine), Steps.NONE);
  }

  /** A record of an event; its body is only its time, as no test here deserializes it. */
  static Operation event(String id, long number) {
    byte[] key = Keys.event(id, number);
    return new Operation(key, Records.head(key, number));
  }

  static CompletableFuture<Void> persist(Database database, String id, long number) {
    return database.write(new Change.Store(id, List.of(event(id, number))));
  }

  static void await(CompletableFuture<?> future) {
    assertThat(future).succeedsWithin(30, TimeUnit.SECONDS);
  }

  /** Sequence numbers of the events of an id, their checksums verified. */
  static List<Long> events(Database database, String id) {
    return database.read(
        reader -> {
          List<Long> numbers = new ArrayList<>();
          reader.forEach(
              Keys.event(id, 0),
              Keys.afterEvents(id),
              (key, value) -> {
                assertThat(Records.writtenMillis(key, value)).isPositive();
                return numbers.add(Keys.sequenceNr(key));
              });
          return numbers;
        });
  }

  static int countKeys(Database database) {
    return database.read(
        reader -> {
          int[] count = {0};
          reader.forEach(
              (key, value) -> {
                count[0]++;
                return true;
              });
          return count[0];
        });
  }

  /** What a directory looks like to the next process when this one is killed now. */
  static Path crashImage(Path directory, Path image) throws IOException {
    Files.createDirectories(image);
    for (Map.Entry<String, byte[]> file : contents(directory).entrySet()) {
      Files.write(image.resolve(file.getKey()), file.getValue());
    }
    return image;
  }

  /** All files but LevelDB's info log and the locks. */
  static Map<String, byte[]> contents(Path directory) throws IOException {
    Map<String, byte[]> contents = new TreeMap<>();
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = file.getFileName().toString();
        if (!name.startsWith("LOG") && !name.startsWith("LOCK") && !name.endsWith(".lock")) {
          contents.put(name, Files.readAllBytes(file));
        }
      }
    }
    return contents;
  }

  static void restore(Map<String, byte[]> contents, Path directory) throws IOException {
    deleteFiles(directory);
    Files.createDirectories(directory);
    for (Map.Entry<String, byte[]> file : contents.entrySet()) {
      Files.write(directory.resolve(file.getKey()), file.getValue());
    }
  }

  static void deleteFiles(Path directory) throws IOException {
    if (Files.exists(directory)) {
      try (Stream<Path> files = Files.list(directory)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
    }
  }

  static long size(Path directory) throws IOException {
    return contents(directory).values().stream().mapToLong(file -> file.length).sum();
  }

  static byte[] file(Map<String, byte[]> contents, String name) {
    return Objects.requireNonNull(contents.get(name), name);
  }

  /** The name of the only, or newest, file with a suffix or prefix. */
  static String newest(Map<String, byte[]> contents, String part) {
    return contents.keySet().stream()
        .filter(name -> name.contains(part))
        .reduce((first, second) -> second)
        .orElseThrow();
  }
}
