package io.theseus.cli;

import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Files that are written all or none, for their owner alone, and never over others. */
final class NewFiles {
  private static final FileAttribute<?> OWNER_ONLY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
  private static final FileAttribute<?> DIRECTORY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  private final Map<Path, String> contents = new LinkedHashMap<>();

  NewFiles add(Path file, String content) {
    contents.put(file, content);
    return this;
  }

  Set<Path> names() {
    return contents.keySet();
  }

  /**
   * Writes them.
   *
   * @throws CommandException where one is there already
   * @throws IOException where one can't be written; in either case there is none of them
   */
  void write() throws IOException, CommandException {
    for (Path file : contents.keySet()) {
      if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
        throw exists(file);
      }
    }
    List<Path> written = new ArrayList<>();
    try {
      for (Map.Entry<Path, String> each : contents.entrySet()) {
        write(each.getKey(), each.getValue(), written);
      }
    } catch (IOException | CommandException e) {
      for (Path file : written) {
        Files.deleteIfExists(file);
      }
      throw e;
    }
  }

  private static void write(Path file, String content, List<Path> written)
      throws IOException, CommandException {
    Path parent = file.toAbsolutePath().getParent();
    if (parent != null && !Files.isDirectory(parent)) {
      Files.createDirectories(parent, DIRECTORY);
    }
    try (var channel =
        Files.newByteChannel(
            file, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), OWNER_ONLY)) {
      written.add(file);
      ByteBuffer bytes = StandardCharsets.UTF_8.encode(content);
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (FileAlreadyExistsException e) {
      throw exists(file);
    }
  }

  private static CommandException exists(Path file) {
    return new CommandException(
        Failure.of(
            ExitCode.PRECONDITION,
            Texts.quote(file.toString()) + " exists already (expected: nothing there)",
            "Keys are never overwritten: take another place, or move it away."));
  }
}
