package io.theseus.client;

import io.theseus.wire.FileName;
import io.theseus.wire.Info;
import io.theseus.wire.ProtocolException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The hidden file in which a GET gathers its bytes, and the small one that says what they are.
 *
 * <p>{@code .NAME.theseus-part} is locked while it is written, so two commands never write one
 * file. {@code .NAME.theseus-state} is replaced atomically. Bytes are appended only, and the state
 * is written before the first byte of new content, so after the end of a process every byte in the
 * part is good; after the end of the machine only those before {@code Safe} are, which were synced.
 * The boot id tells the two apart.
 */
final class PartFile implements AutoCloseable {
  /**
   * What the part holds.
   *
   * @param identity of the file; empty where the server named none
   * @param stream whether the source can't be rewound
   * @param safe bytes that survive a power cut
   */
  record State(
      FileName name,
      UUID session,
      Optional<String> identity,
      OptionalLong size,
      boolean stream,
      long safe) {}

  /**
   * What an earlier get left.
   *
   * @param usable how many bytes of the part are good
   */
  record Left(State state, long usable) {}

  private static final String PART = ".theseus-part";
  private static final String STATE = ".theseus-state";
  private static final int MAX_FILE_NAME_BYTES = 255;
  private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");

  private final Path target;
  private final Path part;
  private final Path state;
  private final FileChannel channel;

  private PartFile(Path target, Path part, Path state, FileChannel channel) {
    this.target = target;
    this.part = part;
    this.state = state;
    this.channel = channel;
  }

  /** Opens and locks the part of a target; what is in it stays. */
  static PartFile open(Path target) throws IOException {
    Path absolute = target.toAbsolutePath();
    Path fileName = absolute.getFileName();
    if (fileName == null || Files.isDirectory(absolute)) {
      throw new IOException(target + ": is a directory (expected: a file)");
    }
    Path part = absolute.resolveSibling(hidden(fileName.toString(), PART));
    Path state = absolute.resolveSibling(hidden(fileName.toString(), STATE));
    while (true) {
      FileChannel channel =
          FileChannel.open(
              part,
              StandardOpenOption.CREATE,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE,
              LinkOption.NOFOLLOW_LINKS);
      boolean kept = false;
      try {
        Object before = fileKey(part);
        FileLock lock;
        try {
          lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
          lock = null;
        }
        if (lock == null) {
          throw new IOException(part + ": another get is writing it (expected: one at a time)");
        }
        // who held the lock may have renamed this very file to its target
        if (before != null && before.equals(fileKey(part))) {
          kept = true;
          return new PartFile(absolute, part, state, channel);
        }
      } finally {
        if (!kept) {
          channel.close();
        }
      }
    }
  }

  FileChannel channel() {
    return channel;
  }

  Path path() {
    return part;
  }

  /** What the part holds, where that can be known. */
  Optional<Left> left() throws IOException {
    String text;
    try {
      text = Files.readString(state);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
    try {
      Info info = Info.parse(text);
      Optional<UUID> session = info.uuid("Session");
      if (!info.verb().equals("PART") || session.isEmpty()) {
        return Optional.empty();
      }
      long length = channel.size();
      long safe = Math.min(length, info.number("Safe").orElse(0));
      Optional<String> boot = bootId();
      boolean sameBoot = boot.isPresent() && boot.equals(info.text("Boot"));
      return Optional.of(
          new Left(
              new State(
                  FileName.parse(info.argument()),
                  session.get(),
                  info.identity("Identity"),
                  info.number("Size"),
                  info.oneOf("Producer", "rewindable", "stream").orElse("").equals("stream"),
                  safe),
              sameBoot ? length : safe));
    } catch (ProtocolException e) {
      // a damaged state is as good as none: the part is fetched anew
      return Optional.empty();
    }
  }

  /** Says what the part holds from now on. */
  void write(State now) throws IOException {
    String text =
        Info.of("PART " + now.name())
            .field("Session", now.session())
            .field("Identity", now.identity())
            .field("Size", now.size())
            .field("Producer", now.stream() ? "stream" : "rewindable")
            .field("Safe", now.safe())
            .field("Boot", bootId())
            .text();
    Path fresh = state.resolveSibling(state.getFileName() + "~");
    try (FileChannel out =
        FileChannel.open(
            fresh,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      ByteBuffer bytes = StandardCharsets.UTF_8.encode(text);
      while (bytes.hasRemaining()) {
        out.write(bytes);
      }
      out.force(true);
    }
    Files.move(fresh, state, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Forgets what the part held. */
  void forget() throws IOException {
    Files.deleteIfExists(state);
  }

  /** Makes the part the target: whole, synced, at once. */
  void publish(Optional<Instant> modified) throws IOException {
    if (modified.isPresent()) {
      Files.setLastModifiedTime(part, FileTime.from(modified.get()));
    }
    channel.force(true);
    Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    Files.deleteIfExists(state);
  }

  /** Removes part and state. */
  void discard() throws IOException {
    Files.deleteIfExists(state);
    Files.deleteIfExists(part);
  }

  /** Gives up the lock; what is in the part stays. */
  @Override
  public void close() throws IOException {
    channel.close();
  }

  /** {@code .NAME.suffix}, or a hash in place of a name that leaves no room for the suffix. */
  static String hidden(String name, String suffix) {
    String plain = "." + name + suffix;
    // one byte is left for the ~ of a state that is being written
    if (plain.getBytes(StandardCharsets.UTF_8).length < MAX_FILE_NAME_BYTES) {
      return plain;
    }
    MessageDigest digest = FileHash.sha256();
    byte[] hash = digest.digest(name.getBytes(StandardCharsets.UTF_8));
    return "." + HexFormat.of().formatHex(hash) + suffix;
  }

  private static @Nullable Object fileKey(Path path) throws IOException {
    try {
      return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
          .fileKey();
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  private static Optional<String> bootId() {
    try {
      return Optional.of(Files.readString(BOOT_ID).trim());
    } catch (IOException e) {
      // not Linux: every resume is as after a power cut
      return Optional.empty();
    }
  }
}
