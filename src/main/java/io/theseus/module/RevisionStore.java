package io.theseus.module;

import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The descriptions of revisions that a node knows, each in a file named by its id. */
public final class RevisionStore {
  private static final String JSON = ".json";
  private static final Pattern NAME = Pattern.compile("[0-9a-f]{64}\\.json");

  private final Path directory;

  private RevisionStore(Path directory) {
    this.directory = directory;
  }

  /** The store in this directory, which is made where it is missing, for the owner alone. */
  public static RevisionStore open(Path directory) throws IOException {
    OwnFiles.createDirectory(directory);
    return new RevisionStore(directory);
  }

  /** Keeps a description; returns when it is durable. */
  public synchronized void put(RevisionDescription description) throws IOException {
    Path file = file(description.id());
    if (get(description.id()).isEmpty()) {
      OwnFiles.write(file, description.toJson().getBytes(StandardCharsets.UTF_8));
    } else {
      Files.setLastModifiedTime(file, FileTime.from(Instant.now())); // in use again
    }
  }

  /** The description with this id; empty where it isn't here, or is no longer what was put here. */
  public Optional<RevisionDescription> get(String id) throws IOException {
    if (id.equals(RevisionDescription.standard().id())) {
      return Optional.of(RevisionDescription.standard());
    }
    try {
      return Optional.of(RevisionDescription.parse(Files.readString(file(id))))
          .filter(each -> each.id().equals(id));
    } catch (NoSuchFileException | IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** All that are here and whole. */
  public List<RevisionDescription> list() throws IOException {
    return names().stream().flatMap(each -> read(each).stream()).toList();
  }

  private Optional<RevisionDescription> read(String name) {
    try {
      return get(name.substring(0, name.length() - JSON.length()));
    } catch (IOException e) {
      return Optional.empty(); // removed meanwhile, or can't be read: then it isn't known
    }
  }

  /** Removes all but these, and those that were put here since a time. */
  public synchronized void retain(Collection<String> ids, Instant since) throws IOException {
    for (String each : names()) {
      Path file = directory.resolve(each);
      boolean kept = ids.contains(each.substring(0, each.length() - JSON.length()));
      if (!kept && Files.getLastModifiedTime(file).toInstant().isBefore(since)) {
        Files.deleteIfExists(file);
      }
    }
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .map(each -> String.valueOf(each.getFileName()))
          .filter(each -> NAME.matcher(each).matches())
          .sorted()
          .toList();
    }
  }

  private Path file(String id) {
    if (!NAME.matcher(id + JSON).matches()) {
      throw new IllegalArgumentException(
          "revision id: " + Texts.quote(id) + " (expected: 64 hex digits)");
    }
    return directory.resolve(id + JSON);
  }
}
