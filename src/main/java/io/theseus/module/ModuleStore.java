package io.theseus.module;

import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The modules that a node has, each in a file named by its SHA-256, for the node alone. Only what
 * was verified comes in, and a file that is no longer what its name says is refused: what comes out
 * are the bytes that were verified.
 */
public final class ModuleStore {
  private static final String JAR = ".jar";
  private static final Pattern NAME = Pattern.compile("[0-9a-f]{64}\\.jar");

  private final Path directory;

  private ModuleStore(Path directory) {
    this.directory = directory;
  }

  /** The store in this directory, which is made where it is missing, for the owner alone. */
  public static ModuleStore open(Path directory) throws IOException {
    OwnFiles.createDirectory(directory);
    for (String each : names(directory)) {
      if (each.startsWith(".") && each.endsWith(OwnFiles.FRESH)) {
        Files.deleteIfExists(directory.resolve(each)); // this process ended while it wrote
      }
    }
    return new ModuleStore(directory);
  }

  /** Keeps a module; returns when it is durable. */
  public synchronized void put(VerifiedModule module) throws IOException {
    String sha256 = module.archive().sha256();
    try {
      if (get(sha256).isPresent()) {
        Files.setLastModifiedTime(file(sha256), FileTime.from(Instant.now())); // in use again
        return;
      }
    } catch (ModuleException e) {
      // what stands there is something else: written over
    }
    OwnFiles.write(file(sha256), module.archive().bytes());
  }

  /**
   * The module with this SHA-256; empty where it isn't here.
   *
   * @throws ModuleException where its file is no longer what was put there
   */
  public Optional<VerifiedModule> get(String sha256) throws IOException, ModuleException {
    Path file = file(sha256);
    try {
      ModuleArchive module = ModuleArchive.read(file);
      if (module.sha256().equals(sha256)) {
        return Optional.of(new VerifiedModule(module));
      }
      throw new ModuleException(
          "its SHA-256 is " + module.sha256() + " (expected: the one in its name)");
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (ModuleException e) {
      throw new ModuleException(
          "module file " + Texts.quote(file.toString()) + " was changed: " + e.getMessage());
    }
  }

  /** The SHA-256 of each module that is here, in order. */
  public List<String> list() throws IOException {
    return names(directory).stream()
        .filter(each -> NAME.matcher(each).matches())
        .map(each -> each.substring(0, each.length() - JAR.length()))
        .sorted()
        .toList();
  }

  /**
   * Removes all but these, and those that were put here since a time.
   *
   * @param referred SHA-256 of what is in use or may be gone back to
   * @return what was removed
   */
  public synchronized List<String> retain(Collection<String> referred, Instant since)
      throws IOException {
    List<String> removed = new ArrayList<>();
    for (String each : list()) {
      boolean goes =
          !referred.contains(each)
              && Files.getLastModifiedTime(file(each)).toInstant().isBefore(since);
      if (goes && Files.deleteIfExists(file(each))) {
        removed.add(each);
      }
    }
    if (!removed.isEmpty()) {
      OwnFiles.force(directory);
    }
    return removed;
  }

  private Path file(String sha256) {
    if (!NAME.matcher(sha256 + JAR).matches()) {
      throw new IllegalArgumentException(
          "SHA-256: " + Texts.quote(sha256) + " (expected: 64 hex digits)");
    }
    return directory.resolve(sha256 + JAR);
  }

  private static List<String> names(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(each -> String.valueOf(each.getFileName())).toList();
    }
  }
}
