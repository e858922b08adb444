package io.theseus.journal;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads all that counts in a LevelDB directory before LevelDB opens it: cuts a torn tail off, and
 * refuses everything else that isn't whole.
 *
 * <p>It is done here because LevelDB doesn't, not even with paranoid checks: a missing CURRENT is a
 * new, empty database, whose first act is to delete the tables of the old one; a missing log is no
 * log; a zeroed piece in a log hides the rest of its block; a damaged tail of the MANIFEST brings
 * back an older state without the tables since. The steps:
 *
 * <ol>
 *   <li>CURRENT names the MANIFEST; without CURRENT there may be no table and no log.
 *   <li>The MANIFEST's records are replayed to the live tables and the number of the oldest live
 *       log. A torn tail is an edit that wasn't finished, so the files from before it are still
 *       there: that they are is the proof that it was one, and the reason why it may be cut.
 *   <li>Each live table is there, has the size that the MANIFEST says, and good blocks.
 *   <li>Live logs, oldest first: only the last one with records may have a torn tail.
 * </ol>
 *
 * <p>Nothing is changed before all of it has passed.
 */
final class DirectoryCheck {
  private static final Logger log = LoggerFactory.getLogger(DirectoryCheck.class);

  // tags of a MANIFEST's edits; db/version_edit.cc of LevelDB
  private static final int COMPARATOR = 1;
  private static final int LOG_NUMBER = 2;
  private static final int NEXT_FILE_NUMBER = 3;
  private static final int LAST_SEQUENCE = 4;
  private static final int COMPACT_POINTER = 5;
  private static final int DELETED_FILE = 6;
  private static final int NEW_FILE = 7;
  private static final int PREVIOUS_LOG_NUMBER = 9;

  private final Path directory;
  private final List<Cut> cuts = new ArrayList<>();
  private long liveBytes;

  private DirectoryCheck(Path directory) {
    this.directory = directory;
  }

  private record Cut(Path file, LogFile.Contents contents, long size) {}

  /**
   * Checks a directory, and cuts a torn tail off.
   *
   * @return size of the live logs, which LevelDB rewrites as tables when it opens the directory
   * @throws JournalCorruptException naming the file, the place and the remedy
   */
  static long pass(Path directory) throws IOException {
    DirectoryCheck check = new DirectoryCheck(directory);
    check.check();
    for (Cut cut : check.cuts) {
      check.cutOff(cut);
    }
    return check.liveBytes;
  }

  private void check() throws IOException {
    NavigableMap<Long, Path> logs = numbered(".log");
    Path current = directory.resolve("CURRENT");
    if (!Files.exists(current)) {
      Optional<Path> left =
          Stream.of(logs, numbered(".sst"), numbered(".ldb"))
              .flatMap(files -> files.values().stream())
              .findFirst();
      if (left.isPresent()) {
        throw corrupt(current, "is missing, although there is " + left.get().getFileName());
      }
      return;
    }
    String name = Files.readString(current, StandardCharsets.ISO_8859_1);
    if (!name.matches("MANIFEST-\\d+\n")) {
      throw corrupt(current, "names no MANIFEST");
    }
    Manifest manifest = readManifest(directory.resolve(name.strip()));
    checkTables(manifest);
    checkLogs(manifest, logs);
  }

  /** What the edits of a MANIFEST add up to: number and size of live tables, the live logs. */
  static final class Manifest {
    private final Map<Long, Long> tables = new TreeMap<>();
    private long logNumber;
    private long previousLogNumber;

    /** Adds an edit; throws for what is none. */
    void apply(byte[] edit) {
      DirectoryCheck.apply(ByteBuffer.wrap(edit), this);
    }
  }

  private Manifest readManifest(Path file) throws IOException {
    if (!Files.exists(file)) {
      throw corrupt(file, "is missing, although CURRENT names it");
    }
    LogFile.Contents contents = readLog(file);
    if (contents.isCorruptMiddle()) {
      throw corruptMiddle(file, contents);
    }
    if (contents.records().isEmpty()) {
      throw corrupt(file, "has no whole record (expected: at least one)");
    }
    Manifest manifest = new Manifest();
    for (byte[] edit : contents.records()) {
      try {
        manifest.apply(edit);
      } catch (BufferUnderflowException | IllegalArgumentException e) {
        throw new JournalCorruptException(directory, file + " has an unreadable edit", e);
      }
    }
    return manifest;
  }

  private static void apply(ByteBuffer edit, Manifest manifest) {
    while (edit.hasRemaining()) {
      int tag = (int) TableFile.varint(edit);
      switch (tag) {
        case COMPARATOR -> skipString(edit);
        case LOG_NUMBER -> manifest.logNumber = TableFile.varint(edit);
        case PREVIOUS_LOG_NUMBER -> manifest.previousLogNumber = TableFile.varint(edit);
        case NEXT_FILE_NUMBER, LAST_SEQUENCE -> TableFile.varint(edit);
        case COMPACT_POINTER -> {
          TableFile.varint(edit);
          skipString(edit);
        }
        case DELETED_FILE -> {
          TableFile.varint(edit);
          manifest.tables.remove(TableFile.varint(edit));
        }
        case NEW_FILE -> {
          TableFile.varint(edit);
          long number = TableFile.varint(edit);
          manifest.tables.put(number, TableFile.varint(edit));
          skipString(edit);
          skipString(edit);
        }
        default -> throw new IllegalArgumentException("tag: " + tag + " (expected: 1 to 7, or 9)");
      }
    }
  }

  private static void skipString(ByteBuffer edit) {
    long length = TableFile.varint(edit);
    if (length < 0 || length > edit.remaining()) {
      throw new IllegalArgumentException(
          "length: " + length + " (expected: <= " + edit.remaining() + ")");
    }
    edit.position(edit.position() + (int) length);
  }

  private void checkTables(Manifest manifest) throws IOException {
    NavigableMap<Long, Path> tables = numbered(".sst");
    tables.putAll(numbered(".ldb"));
    for (Map.Entry<Long, Long> live : manifest.tables.entrySet()) {
      Path file = tables.get(live.getKey());
      if (file == null) {
        throw corrupt(
            directory.resolve("%06d.sst".formatted(live.getKey())),
            "is missing, although the MANIFEST names it");
      }
      long size = Files.size(file);
      if (size != live.getValue()) {
        throw corrupt(file, "has " + size + " bytes (expected: " + live.getValue() + ")");
      }
      Optional<String> damage = TableFile.damageOf(Files.readAllBytes(file));
      if (damage.isPresent()) {
        throw corrupt(file, "is damaged: " + damage.get());
      }
    }
  }

  private void checkLogs(Manifest manifest, NavigableMap<Long, Path> logs) throws IOException {
    if (manifest.logNumber > 0 && !logs.containsKey(manifest.logNumber)) {
      throw corrupt(
          directory.resolve("%06d.log".formatted(manifest.logNumber)),
          "is missing, although the MANIFEST names it");
    }
    Cut torn = null;
    for (Map.Entry<Long, Path> entry : logs.entrySet()) {
      if (entry.getKey() < manifest.logNumber && entry.getKey() != manifest.previousLogNumber) {
        continue; // its records are in tables
      }
      Path file = entry.getValue();
      LogFile.Contents contents = readLog(file);
      liveBytes += contents.wholeEnd();
      if (torn != null && (contents.isDamaged() || !contents.records().isEmpty())) {
        throw corrupt(
            torn.file,
            "is damaged at offset "
                + torn.contents.damagedAt()
                + ", and there are later records in "
                + file.getFileName());
      }
      if (contents.isCorruptMiddle()) {
        throw corruptMiddle(file, contents);
      }
      if (contents.isDamaged()) {
        torn = cuts.get(cuts.size() - 1);
      }
    }
  }

  private LogFile.Contents readLog(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    LogFile.Contents contents = LogFile.read(bytes);
    if (contents.isDamaged()) {
      cuts.add(new Cut(file, contents, bytes.length));
    }
    return contents;
  }

  private void cutOff(Cut cut) throws IOException {
    long end = cut.contents.wholeEnd();
    try (FileChannel channel = FileChannel.open(cut.file, StandardOpenOption.WRITE)) {
      channel.truncate(end);
      channel.force(true);
    }
    log.warn(
        "journal {}: torn tail of {} cut off at offset {}, {} bytes: a write that a crash or power"
            + " cut interrupted, acknowledged to nobody",
        directory,
        cut.file.getFileName(),
        end,
        cut.size - end);
  }

  private NavigableMap<Long, Path> numbered(String suffix) throws IOException {
    NavigableMap<Long, Path> files = new TreeMap<>();
    try (Stream<Path> all = Files.list(directory)) {
      all.forEach(
          file -> {
            String name = String.valueOf(file.getFileName());
            if (name.matches("\\d{1,18}\\Q" + suffix + "\\E")) {
              files.put(Long.parseLong(name.substring(0, name.length() - 4)), file);
            }
          });
    }
    return files;
  }

  private JournalCorruptException corruptMiddle(Path file, LogFile.Contents contents) {
    return corrupt(
        file,
        "is damaged at offset "
            + contents.damagedAt()
            + ", and a good record begins behind it at offset "
            + contents.nextRecordAt());
  }

  private JournalCorruptException corrupt(Path file, String damage) {
    return new JournalCorruptException(directory, file + " " + damage);
  }
}
