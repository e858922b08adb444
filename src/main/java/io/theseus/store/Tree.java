package io.theseus.store;

import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The directory that is served: walks from its open root, never by a path. */
final class Tree implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(Tree.class);

  private final Path path;
  private final Folder root;
  private final String hidden;
  private final String encoding;

  /**
   * Opens a tree.
   *
   * @param path a real path
   * @param hidden the name below it that is no name, and nothing below it; may be empty
   */
  Tree(Path path, String hidden) throws IOException {
    this(path, hidden, System.getProperty("sun.jnu.encoding", ""));
  }

  /** The same with the encoding of file names, which the runtime takes from the locale. */
  Tree(Path path, String hidden, String encoding) throws IOException {
    this.path = path;
    this.root = Folder.open(path);
    this.hidden = hidden;
    this.encoding = encoding;
  }

  static boolean fileNamesAreUnicode(String encoding) {
    return !encoding.isEmpty()
        && Charset.isSupported(encoding)
        && Charset.forName(encoding).equals(StandardCharsets.UTF_8);
  }

  /** The folder that holds a name; {@link NoSuchFileException} where there is none. */
  Folder parent(String[] components) throws IOException {
    return folder(components, components.length - 1);
  }

  /** The folder of the first {@code count} components. */
  Folder folder(String[] components, int count) throws IOException {
    Folder folder = root.borrowed();
    for (int i = 0; i < count; i++) {
      Folder next;
      try (Folder done = folder) {
        next = done.folder(components[i]);
      }
      folder = next;
    }
    return folder;
  }

  /** Where a name is, for the calls that take a path; they check what they find there. */
  Path path(String name) {
    return path.resolve(name);
  }

  /** Whether a name lies where the store keeps its own things. */
  boolean isHidden(String name) {
    return !hidden.isEmpty() && (name.equals(hidden) || name.startsWith(hidden + "/"));
  }

  /** Refuses a name that this process can't spell on the disk, instead of spelling another. */
  void requireEncodable(FileName name) throws ProtocolException {
    if (!fileNamesAreUnicode(encoding)
        && !StandardCharsets.US_ASCII.newEncoder().canEncode(name.value())) {
      throw new ProtocolException(
          ErrorCode.INTERNAL,
          Texts.quote(name.value())
              + ": file names are in "
              + encoding
              + " here, by the locale "
              + localeName()
              + " (expected: UTF-8, start the node with LC_ALL=C.UTF-8)");
    }
  }

  private static String localeName() {
    return Arrays.asList("LC_ALL", "LC_CTYPE", "LANG").stream()
        .map(System::getenv)
        .filter(value -> value != null && !value.isEmpty())
        .findFirst()
        .orElse("C");
  }

  /** Something that is done with each file. */
  @FunctionalInterface
  interface Visitor {
    /**
     * A file was found.
     *
     * @param name from the root
     */
    void visit(String name, BasicFileAttributes file);
  }

  /** Visits all regular files, in no order; what can't be read is left out, and logged. */
  void forEachFile(Visitor visitor) throws IOException {
    try (Folder top = folder(new String[0], 0)) {
      visit(top, "", visitor);
    }
  }

  private void visit(Folder folder, String path, Visitor visitor) throws IOException {
    List<String> folders = new ArrayList<>();
    folder.forEach(
        component -> {
          BasicFileAttributes found;
          try {
            found = folder.find(component);
          } catch (IOException e) {
            unread(e);
            return;
          }
          if (found != null && found.isRegularFile()) {
            visitor.visit(path + component, found);
          } else if (found != null && found.isDirectory() && !isHidden(path + component)) {
            folders.add(component);
          }
        });
    for (String component : folders) {
      try (Folder inner = folder.folder(component)) {
        visit(inner, path + component + "/", visitor);
      } catch (IOException e) {
        unread(e);
      }
    }
  }

  private static void unread(IOException e) {
    LOG.warn("left out, as it can't be read: {}", Texts.escape(String.valueOf(e)));
  }

  @Override
  public void close() throws IOException {
    root.close();
  }
}
