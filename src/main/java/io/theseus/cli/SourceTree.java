package io.theseus.cli;

import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * What is in a directory: the regular files that a recursive put sends, and what it leaves out,
 * each with the reason. Links below the directory are never followed.
 *
 * @param files in the order of their names
 * @param leftOut what is neither file nor directory
 * @param unreadable what could not be looked at
 */
record SourceTree(List<Source> files, List<Other> leftOut, List<Other> unreadable) {
  /** The ends of the names of what an unfinished get leaves beside its target. */
  private static final List<String> PARTS = List.of(".theseus-part", ".theseus-state");

  /** A file to be put. */
  record Source(Path path, FileName name, Stamp stamp) {}

  /** Something else, and why it isn't put. */
  record Other(String path, String why) {}

  /** Reads a directory; names begin with this prefix, which is empty or ends in a slash. */
  static SourceTree read(Path directory, String prefix) throws IOException {
    SourceTree tree = new SourceTree(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    Path root = directory.toRealPath();
    Files.walkFileTree(root, tree.new Visitor(root, prefix));
    tree.files.sort(Comparator.comparing(Source::name));
    return tree;
  }

  /** The bytes of all files. */
  long bytes() {
    return files.stream().mapToLong(file -> file.stamp.size()).sum();
  }

  private final class Visitor extends SimpleFileVisitor<Path> {
    private final Path root;
    private final String prefix;

    Visitor(Path root, String prefix) {
      this.root = root;
      this.prefix = prefix;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
      String relative = relative(file);
      if (attributes.isSymbolicLink()) {
        leftOut.add(new Other(relative, "a symbolic link"));
      } else if (!attributes.isRegularFile()) {
        leftOut.add(new Other(relative, "a pipe, socket or device"));
      } else if (isPart(file)) {
        leftOut.add(new Other(relative, "the part of an unfinished get"));
      } else {
        add(file, relative, attributes);
      }
      return FileVisitResult.CONTINUE;
    }

    private void add(Path file, String relative, BasicFileAttributes attributes) {
      // Java shows bytes that are no text in this locale as U+FFFD: sent so, the name would change
      if (relative.indexOf('\uFFFD') >= 0) {
        unreadable.add(new Other(relative, "a name that is not UTF-8, or not in this locale"));
        return;
      }
      try {
        files.add(new Source(file, FileName.parse(prefix + relative), Stamp.of(attributes)));
      } catch (ProtocolException e) {
        unreadable.add(new Other(relative, String.valueOf(e.getMessage())));
      }
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException failure) {
      unreadable.add(new Other(relative(file), Failure.reason(failure)));
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult postVisitDirectory(
        Path directory, @org.jspecify.annotations.Nullable IOException failure) throws IOException {
      if (failure != null) {
        unreadable.add(new Other(relative(directory), Failure.reason(failure)));
      } else if (!directory.equals(root) && isEmpty(directory)) {
        leftOut.add(new Other(relative(directory) + "/", "an empty directory"));
      }
      return FileVisitResult.CONTINUE;
    }

    private String relative(Path path) {
      return root.relativize(path).toString();
    }
  }

  private static boolean isPart(Path file) {
    Path name = file.getFileName();
    return name != null
        && name.toString().startsWith(".")
        && PARTS.stream().anyMatch(name.toString()::endsWith);
  }

  private static boolean isEmpty(Path directory) throws IOException {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      return !entries.iterator().hasNext();
    }
  }
}
