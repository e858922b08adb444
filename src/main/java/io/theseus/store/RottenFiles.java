package io.theseus.store;

import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Files that were found to be rotten, by name: in memory, and in a small file each, so that they
 * are known after a restart. The lines of one: its checksum; inode, size and time of the file; its
 * attribute; the sums of its blocks; its name.
 *
 * <p>A mark is of one file: what another one takes the place of is rotten no more, whether anybody
 * has removed the mark or not.
 */
final class RottenFiles {
  private static final Logger LOG = LoggerFactory.getLogger(RottenFiles.class);
  private static final int LINES = 5;
  private static final int SUM_DIGITS = 8;

  private final Path directory;
  private final Map<FileName, Mark> marks = new ConcurrentHashMap<>();

  /** What was found in the place of what was stored. */
  static final class Mark {
    private final String inode;
    private final long size;
    private final Instant modified;

    /** What was said of it at its commit. */
    final Attribute stored;

    /** The CRC32C of each whole block that could be read. */
    final int[] sums;

    private Mark(String inode, long size, Instant modified, Attribute stored, int[] sums) {
      this.inode = inode;
      this.size = size;
      this.modified = modified;
      this.stored = stored;
      this.sums = sums;
    }

    /** By all that is known of a file: a new one often has the inode of one that was removed. */
    boolean isOf(Facts file) {
      return inode.equals(inode(file))
          && size == file.size()
          && modified.equals(file.modified())
          && file.attribute().equals(Optional.of(stored));
    }
  }

  private RottenFiles(Path directory) {
    this.directory = directory;
  }

  /** Those that are remembered in a directory, which need not be there. */
  static RottenFiles in(Path directory) throws IOException {
    RottenFiles files = new RottenFiles(directory);
    if (Files.isDirectory(directory)) {
      try (DirectoryStream<Path> all = Files.newDirectoryStream(directory)) {
        for (Path each : all) {
          files.read(each);
        }
      }
    }
    return files;
  }

  private void read(Path file) {
    if (file.toString().endsWith(DurableFile.NEW)) {
      return; // a kill came between
    }
    try {
      String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
      String[] lines = text.split("\n", LINES);
      String[] facts = lines[1].split(" ", -1);
      Optional<Attribute> stored = Attribute.parse(lines[2]);
      if (lines.length == LINES
          && lines[0].equals(Tombstones.checksum(text.substring(lines[0].length() + 1)))
          && stored.isPresent()) {
        marks.put(
            FileName.parse(lines[4]),
            new Mark(
                facts[0],
                Long.parseLong(facts[1]),
                Instant.parse(facts[2]),
                stored.get(),
                sums(lines[3])));
        return;
      }
    } catch (IOException // as the disk that the file has rotten on may give
        | IllegalArgumentException
        | IndexOutOfBoundsException
        | DateTimeException
        | ProtocolException e) {
      LOG.debug("{}", file, e);
    }
    LOG.warn(
        "{} is damaged, and ignored (expected: its checksum): the rotten file that it names is"
            + " served until it is read again",
        file);
  }

  /** Remembers one, durably. */
  synchronized void add(FileName name, Facts file, int[] sums) throws IOException {
    Attribute stored = file.attribute().orElseThrow();
    // not served from now on, whatever becomes of the rest
    marks.put(name, new Mark(inode(file), file.size(), file.modified(), stored, sums));
    if (!Files.isDirectory(directory)) {
      Files.createDirectories(directory);
      try (Folder parent = Folder.open(directory.resolve(".."))) {
        parent.force();
      }
    }
    String text =
        String.join(
            "\n",
            inode(file) + " " + file.size() + " " + file.modified(),
            stored.text(),
            text(sums),
            name.value());
    DurableFile.replace(
        directory,
        Tombstones.hash(name),
        ByteBuffer.wrap(
            (Tombstones.checksum(text) + "\n" + text).getBytes(StandardCharsets.UTF_8)));
  }

  /** It is rotten no more, or gone. */
  void remove(FileName name) {
    if (!marks.containsKey(name)) {
      return; // as nearly always
    }
    synchronized (this) {
      marks.remove(name);
      try {
        Files.deleteIfExists(directory.resolve(Tombstones.hash(name)));
        try (Folder folder = Folder.open(directory)) {
          folder.force();
        }
      } catch (IOException e) {
        LOG.warn(
            "that {} is not rotten any more can't be remembered: {}",
            Texts.quote(name.value()),
            Refusals.reason(e));
      }
    }
  }

  @Nullable Mark find(FileName name) {
    return marks.get(name);
  }

  Set<FileName> names() {
    return Set.copyOf(marks.keySet());
  }

  /** The number of a device may be another one after a restart. */
  private static String inode(Facts file) {
    return file.key().toString().replaceFirst("dev=[0-9a-f]+,", "");
  }

  private static String text(int[] sums) {
    StringBuilder text = new StringBuilder(sums.length * SUM_DIGITS);
    for (int sum : sums) {
      text.append(HexFormat.of().toHexDigits(sum));
    }
    return text.toString();
  }

  private static int[] sums(String text) {
    int[] sums = new int[text.length() / SUM_DIGITS];
    for (int i = 0; i < sums.length; i++) {
      sums[i] = HexFormat.fromHexDigits(text, i * SUM_DIGITS, (i + 1) * SUM_DIGITS);
    }
    return sums;
  }
}
