package io.theseus.cli;

import io.theseus.wire.FileName;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/**
 * The directory below which a recursive get writes, and nothing outside it, whatever the node names
 * and whatever links are in it already.
 *
 * <p>The directory itself may be a link: the caller chose it. Guards against the node, not against
 * somebody who swaps links in the caller's own directory at the same time.
 */
final class TargetTree {
  private final Path root;

  private TargetTree(Path root) {
    this.root = root;
  }

  /** Creates the directory where it is missing. */
  static TargetTree open(Path directory) throws IOException {
    Files.createDirectories(directory.toAbsolutePath());
    return new TargetTree(directory.toRealPath());
  }

  Path root() {
    return root;
  }

  /**
   * Where the file with this name goes; the directories above it are created.
   *
   * @param relative the name below the root; its components are neither empty nor {@code .} or
   *     {@code ..}, since it is a {@link FileName}
   * @throws IOException where a link or a file stands in the way, naming it
   */
  Path prepare(FileName relative) throws IOException {
    String[] components = relative.components();
    Path at = root;
    for (int i = 0; i < components.length; i++) {
      at = child(at, components[i]);
      if (Files.isSymbolicLink(at)) {
        throw new FileSystemException(
            at.toString(), null, "a symbolic link (expected: none below " + root + ")");
      }
      if (i == components.length - 1) {
        if (Files.exists(at, LinkOption.NOFOLLOW_LINKS)
            && !Files.isRegularFile(at, LinkOption.NOFOLLOW_LINKS)) {
          throw new FileSystemException(
              at.toString(), null, "a directory or special file (expected: a regular file)");
        }
      } else if (!Files.isDirectory(at, LinkOption.NOFOLLOW_LINKS)) {
        create(at);
      }
    }
    return at;
  }

  private static void create(Path directory) throws IOException {
    try {
      Files.createDirectory(directory);
    } catch (FileAlreadyExistsException e) {
      throw new FileSystemException(
          directory.toString(), null, "not a directory (expected: a directory)");
    }
  }

  private static Path child(Path parent, String component) throws IOException {
    Path child = parent.resolve(component);
    // what the file system of this host makes of a component must still be one component of it
    if (!parent.equals(child.getParent())) {
      throw new FileSystemException(
          component, null, "leaves the directory (expected: one component of a name)");
    }
    return child;
  }
}
