package io.theseus.admin.jmx;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The data directories of this user's running nodes, so that {@code theseus status} finds a node
 * from any working directory: small files, each of which holds one path. They live in {@code
 * $XDG_RUNTIME_DIR/theseus}, or in {@code ~/.theseus/run} where that variable isn't set. They hold
 * no secret; one that is out of date does no harm and is removed when it is seen.
 */
public final class RunRegistry {
  private final Path directory;

  public RunRegistry(Path directory) {
    this.directory = directory;
  }

  /** The one of this user. */
  public static RunRegistry ofUser(Map<String, String> environment) {
    String runtime = environment.getOrDefault("XDG_RUNTIME_DIR", "");
    return new RunRegistry(
        runtime.isEmpty()
            ? Path.of(System.getProperty("user.home", "."), ".theseus", "run")
            : Path.of(runtime, "theseus"));
  }

  /** Adds the running node's data directory, for this process. */
  public void add(String node, Path dataDir) throws IOException {
    Files.createDirectories(
        directory,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    Files.writeString(entry(node), dataDir.toAbsolutePath().toString());
  }

  /** Takes it back. */
  public void remove(String node) throws IOException {
    Files.deleteIfExists(entry(node));
  }

  /** Data directories of nodes that run, or seem to. */
  List<Path> dataDirs() {
    List<Path> found = new ArrayList<>();
    if (!Files.isDirectory(directory)) {
      return found;
    }
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, "*.dir")) {
      for (Path entry : entries) {
        Path dataDir = Path.of(Files.readString(entry).strip());
        if (RunFile.read(RunFile.in(dataDir)).filter(each -> !each.isStale()).isPresent()) {
          found.add(dataDir);
        } else {
          Files.deleteIfExists(entry);
        }
      }
    } catch (IOException | java.nio.file.DirectoryIteratorException e) {
      // what was found so far
    }
    return found;
  }

  private Path entry(String node) {
    return directory.resolve(node + "-" + ProcessHandle.current().pid() + ".dir");
  }
}
