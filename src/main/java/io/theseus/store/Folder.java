package io.theseus.store;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * An open directory. Every name is looked up in it with {@code openat} and its kin and without
 * following links, so nobody can swap a part of the path underneath.
 *
 * <p>A directory or file is looked at before it is opened, because opening a FIFO waits. Somebody
 * with the right to write here could win that race with a FIFO and hold one disk thread until it is
 * opened for writing; nothing else.
 */
final class Folder implements Closeable {
  private static final Path SELF = Path.of(".");

  private final SecureDirectoryStream<Path> stream;
  private final boolean owned;

  /** See {@link #key}; any of two threads that ask first may set it. */
  private volatile @Nullable Object key;

  private Folder(SecureDirectoryStream<Path> stream, boolean owned) {
    this.stream = stream;
    this.owned = owned;
  }

  /** Opens a directory by its path; links are followed in this one case. */
  @SuppressWarnings("StreamResourceLeak") // the folder is the stream, and closes it
  static Folder open(Path path) throws IOException {
    DirectoryStream<Path> stream = Files.newDirectoryStream(path);
    if (stream instanceof SecureDirectoryStream<Path> secure) {
      return new Folder(secure, true);
    }
    stream.close();
    throw new IOException(
        path + ": no secure directory streams here (expected: Linux, whose openat confines names)");
  }

  /** The same directory for somebody who closes what he is given. */
  Folder borrowed() {
    return new Folder(stream, false);
  }

  /** Which directory this is, the same for all that have it open; null where it is not known. */
  @Nullable Object key() throws IOException {
    Object known = key;
    if (known == null) {
      BasicFileAttributes self = find(".");
      known = self == null ? null : self.fileKey();
      key = known;
    }
    return known;
  }

  /** What a component is; null where it is not there. */
  @Nullable BasicFileAttributes find(String component) throws IOException {
    try {
      return view(component).readAttributes();
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  /** Opens a folder in this one; what is a link at that moment is none. */
  Folder folder(String component) throws IOException {
    requireFolder(component);
    try {
      return new Folder(
          stream.newDirectoryStream(Path.of(component), LinkOption.NOFOLLOW_LINKS), true);
    } catch (FileSystemException e) {
      if (metLink(e)) {
        throw new NotDirectoryException(component);
      }
      // swapped for something else since it was looked at: say what it is now
      requireFolder(component);
      throw e;
    }
  }

  /** Whether an open was refused because the component is a link: the runtime's own words. */
  static boolean metLink(IOException e) {
    return Refusals.reason(e).contains("symbolic link");
  }

  private void requireFolder(String component) throws IOException {
    BasicFileAttributes found = find(component);
    if (found == null) {
      throw new NoSuchFileException(component);
    }
    if (!found.isDirectory()) {
      throw new NotDirectoryException(component);
    }
  }

  /** Opens a file in this folder; the caller has seen that it is a regular one, or creates it. */
  FileChannel file(String component, StandardOpenOption... options) throws IOException {
    Set<OpenOption> all = new HashSet<>(Set.of(options));
    all.add(LinkOption.NOFOLLOW_LINKS);
    return (FileChannel) stream.newByteChannel(Path.of(component), all);
  }

  void setModified(String component, FileTime time) throws IOException {
    view(component).setTimes(time, null, null);
  }

  /** Moves within one file system, over what is there: {@code renameat}. */
  void move(String component, Folder to, String target) throws IOException {
    stream.move(Path.of(component), to.stream, Path.of(target));
  }

  void deleteFile(String component) throws IOException {
    stream.deleteFile(Path.of(component));
  }

  void deleteFolder(String component) throws IOException {
    stream.deleteDirectory(Path.of(component));
  }

  /** Gives every component that has a name, in no order. */
  void forEach(Consumer<String> action) throws IOException {
    try (SecureDirectoryStream<Path> fresh =
        stream.newDirectoryStream(SELF, LinkOption.NOFOLLOW_LINKS)) {
      for (Path entry : fresh) {
        Path last = entry.getFileName();
        String component = last == null ? "" : last.toString();
        if (component.indexOf('\uFFFD') < 0 || isText(component, last)) {
          action.accept(component);
        }
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
  }

  /** Bytes that are no text in the file system's encoding come back as another name. */
  private static boolean isText(String component, @Nullable Path raw) {
    try {
      return Path.of(component).equals(raw);
    } catch (InvalidPathException e) {
      return false;
    }
  }

  /** Makes the names in this folder durable. */
  void force() throws IOException {
    try (FileChannel self =
        (FileChannel)
            stream.newByteChannel(
                SELF, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS))) {
      Fsync.force(self, true);
    }
  }

  @Override
  public void close() throws IOException {
    if (owned) {
      stream.close();
    }
  }

  private BasicFileAttributeView view(String component) {
    return stream.getFileAttributeView(
        Path.of(component), BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
  }
}
