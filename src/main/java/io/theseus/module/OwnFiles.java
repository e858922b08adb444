package io.theseus.module;

import io.theseus.store.Fsync;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.UUID;

/** Files that only their owner may read, durable and whole, or not there. */
final class OwnFiles {
  /** Of files that are not whole. */
  static final String FRESH = ".new";

  private static final Set<PosixFilePermission> DIRECTORY =
      PosixFilePermissions.fromString("rwx------");
  private static final FileAttribute<?> FILE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

  private OwnFiles() {}

  /** Makes a directory for the owner alone, and takes it from others where it is there. */
  static void createDirectory(Path directory) throws IOException {
    Files.createDirectories(directory, PosixFilePermissions.asFileAttribute(DIRECTORY));
    Files.setPosixFilePermissions(directory, DIRECTORY);
  }

  /** Writes a file beside its place, makes it durable, and puts it there. */
  static void write(Path file, byte[] content) throws IOException {
    write(file, content, fresh -> Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE));
  }

  /** The same, but what is there stays: of several processes at once, one wins. */
  static void writeIfAbsent(Path file, byte[] content) throws IOException {
    write(
        file,
        content,
        fresh -> {
          try {
            Files.createLink(file, fresh);
          } catch (FileAlreadyExistsException e) {
            // another one was first
          }
        });
  }

  private interface Placing {
    void place(Path fresh) throws IOException;
  }

  private static void write(Path file, byte[] content, Placing placing) throws IOException {
    Path fresh = file.resolveSibling("." + UUID.randomUUID() + FRESH);
    try {
      try (FileChannel channel =
          FileChannel.open(
              fresh, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), FILE)) {
        ByteBuffer bytes = ByteBuffer.wrap(content);
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
        channel.force(true);
      }
      placing.place(fresh);
    } finally {
      Files.deleteIfExists(fresh);
    }
    force(file.resolveSibling(""));
  }

  /** Makes the names in a directory durable, and whatever was written below it before. */
  static void force(Path directory) throws IOException {
    try (FileChannel names = FileChannel.open(directory, StandardOpenOption.READ)) {
      names.force(true);
    }
    Fsync.requireStanding(directory); // a sync after a failed one succeeds
  }
}
