package io.theseus.store;

import io.theseus.wire.FileName;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Objects;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Names that were deleted, each with the version of its deletion: a small file each, found by the
 * hash of the name, so that any number of them takes no memory. The text of one: {@code checksum
 * version name}.
 *
 * <p>Who adds one holds the lock of its name; everybody may look.
 */
final class Tombstones {
  /** Of the hash, which name the folder. */
  private static final int FOLDER_DIGITS = 2;

  private static final String FORGOTTEN = "forgotten";

  private final Path directory;
  private final Clock clock;

  Tombstones(Path directory, Clock clock) {
    this.directory = directory;
    this.clock = clock;
  }

  /** The version by which a name was deleted; empty where nobody knows of that. */
  Optional<String> find(FileName name) throws IOException {
    String hash = hash(name);
    Path file = folder(hash).resolve(hash);
    String text;
    try {
      text = Files.readString(file);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
    String[] fields = text.split(" ", 3);
    if (fields.length != 3
        || !fields[0].equals(checksum(fields[1] + " " + fields[2]))
        || !fields[2].equals(name.value())) {
      throw new IOException(
          file + " is damaged (expected: its checksum; remove it, and its name may come back)");
    }
    return Optional.of(fields[1]);
  }

  /** Remembers a deletion, durably; the highest one of a name counts. */
  void add(FileName name, String version) throws IOException {
    if (find(name).filter(known -> known.compareTo(version) >= 0).isPresent()) {
      return;
    }
    String hash = hash(name);
    Path folder = folder(hash);
    if (!Files.isDirectory(folder)) {
      Files.createDirectories(folder);
      force(directory.toAbsolutePath().getParent());
      force(directory);
    }
    String text = version + " " + name.value();
    DurableFile.replace(
        folder,
        hash,
        ByteBuffer.wrap((checksum(text) + " " + text).getBytes(StandardCharsets.UTF_8)));
  }

  /** When the last of those was made that are forgotten; long ago where none is. */
  Instant forgotten() throws IOException {
    try {
      return Instant.parse(Files.readString(records().resolve(FORGOTTEN)).strip());
    } catch (NoSuchFileException e) {
      return Instant.EPOCH;
    } catch (DateTimeException e) {
      throw new IOException(records().resolve(FORGOTTEN) + " is damaged (expected: a time)", e);
    }
  }

  private Path records() {
    return Objects.requireNonNull(directory.toAbsolutePath().getParent());
  }

  /** Said before it is so: who asks never hears of less than is forgotten. */
  private void willForget(Instant made) throws IOException {
    if (made.isAfter(forgotten())) {
      DurableFile.replace(
          records(), FORGOTTEN, ByteBuffer.wrap((made + "\n").getBytes(StandardCharsets.UTF_8)));
    }
  }

  /** Forgets those that are older; gives how many they were. */
  int forget(Duration age) throws IOException {
    Instant before = clock.instant().minus(age);
    int forgotten = 0;
    if (!Files.isDirectory(directory)) {
      return 0;
    }
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(directory)) {
      for (Path folder : folders) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
          for (Path file : files) {
            Instant made = Files.getLastModifiedTime(file).toInstant();
            if (made.isBefore(before)) {
              willForget(made);
              forgotten += Files.deleteIfExists(file) ? 1 : 0;
            }
          }
        }
      }
    }
    return forgotten;
  }

  private static void force(@Nullable Path made) throws IOException {
    if (made != null) {
      try (Folder folder = Folder.open(made)) {
        folder.force();
      }
    }
  }

  private Path folder(String hash) {
    return directory.resolve(hash.substring(0, FOLDER_DIGITS));
  }

  /** By which the small file of a name is found. */
  static String hash(FileName name) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256")
                  .digest(name.value().getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java has it
    }
  }

  static String checksum(String text) {
    CRC32C crc = new CRC32C();
    crc.update(text.getBytes(StandardCharsets.UTF_8));
    return String.format("%08x", crc.getValue());
  }
}
