package io.theseus.node;

import io.theseus.wire.Texts;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What the directories of a node can do. It writes one temporary file in each and deletes it; a
 * node that runs there is not disturbed.
 */
final class DiskCheckup {
  private static final int SYNCS = 20;
  private static final int PIECE = 4096;
  private static final Duration SLOW = Duration.ofMillis(50);
  private static final Duration SKEW = Duration.ofSeconds(5);
  private static final long FEW_INODES = 10_000;
  private static final String ATTRIBUTE = "theseus-doctor";

  private final NodeSettings settings;

  DiskCheckup(NodeSettings settings) {
    this.settings = settings;
  }

  List<Finding> findings() {
    List<Finding> findings = new ArrayList<>();
    Path data = settings.dataDir();
    Path files = settings.store().root();
    directory(findings, "data directory", "theseus.data-dir", data);
    if (!files.startsWith(data)) {
      directory(findings, "files", "theseus.store.root", files);
    }
    findings.add(staging(files));
    findings.add(space(files));
    findings.add(inodes(existing(files)));
    return findings;
  }

  /** The directory, or the nearest one above it that is there. */
  private static Path existing(Path directory) {
    Path path = directory.toAbsolutePath().normalize();
    while (!Files.exists(path) && path.getParent() != null) {
      path = path.getParent();
    }
    return path;
  }

  private static void directory(List<Finding> findings, String check, String key, Path directory) {
    Path there = existing(directory);
    String which = Texts.escape(directory.toString());
    if (!Files.isDirectory(there)) {
      findings.add(
          Finding.no(
              check, Texts.quote(there.toString()) + " is no directory", "name another " + key));
      return;
    }
    Path probe = null;
    try {
      probe = Files.createTempFile(there, ".theseus-doctor-", ".tmp");
      findings.add(
          Finding.ok(check, which + (there.equals(directory) ? "" : ", will be made in " + there)));
      findings.add(syncs(there, probe));
      findings.add(attributes(probe));
      findings.add(clock(there, probe));
    } catch (IOException e) {
      findings.add(
          Finding.no(
              check,
              which + " can't be written: " + reason(e),
              "give it to the user who runs the node (chown), or name another " + key));
    } finally {
      delete(probe);
    }
  }

  private static Finding syncs(Path directory, Path probe) {
    long[] nanos = new long[SYNCS];
    try (FileChannel channel = FileChannel.open(probe, StandardOpenOption.WRITE)) {
      for (int i = 0; i < SYNCS; i++) {
        channel.write(ByteBuffer.allocate(PIECE), (long) i * PIECE);
        long began = System.nanoTime();
        channel.force(false);
        nanos[i] = System.nanoTime() - began;
      }
    } catch (IOException e) {
      return Finding.no(
          "fsync",
          "it fails: " + reason(e),
          "check the disk (dmesg); a node acknowledges nothing without it");
    }
    Arrays.sort(nanos);
    String took =
        "median "
            + millis(nanos[SYNCS / 2])
            + ", worst of "
            + SYNCS
            + " "
            + millis(nanos[SYNCS - 1]);
    String type = type(directory);
    if (type.equals("tmpfs") || type.equals("ramfs")) {
      return Finding.warning(
          "fsync",
          took + ", but " + type + " is memory and gone with the power",
          "put theseus.data-dir on a disk");
    }
    return nanos[SYNCS / 2] <= SLOW.toNanos()
        ? Finding.ok("fsync", took + (type.isEmpty() ? "" : " on " + type))
        : Finding.warning(
            "fsync",
            took,
            "every acknowledgement waits for it: use a faster disk, or one that is less busy");
  }

  private static Finding attributes(Path probe) {
    try {
      UserDefinedFileAttributeView view =
          Files.getFileAttributeView(probe, UserDefinedFileAttributeView.class);
      if (view != null) {
        byte[] written = "1".getBytes(StandardCharsets.US_ASCII);
        view.write(ATTRIBUTE, ByteBuffer.wrap(written));
        ByteBuffer read = ByteBuffer.allocate(written.length);
        view.read(ATTRIBUTE, read);
        if (Arrays.equals(read.array(), written)) {
          return Finding.ok("attributes", "files can have them");
        }
      }
    } catch (IOException e) {
      return noAttributes(": " + reason(e));
    }
    return noAttributes("");
  }

  private static Finding noAttributes(String why) {
    return Finding.warning(
        "attributes",
        "files have none" + why,
        "use ext4, XFS or Btrfs: without, SHA-256 and identity of a file are not kept with it, and"
            + " each upload writes a record instead");
  }

  /** The clock against that of the file system, and against files that were written before. */
  private static Finding clock(Path directory, Path probe) throws IOException {
    Files.setLastModifiedTime(probe, Files.getLastModifiedTime(probe));
    Files.write(probe, new byte[1], StandardOpenOption.APPEND);
    Instant now = Instant.now();
    Instant written = Files.getLastModifiedTime(probe).toInstant();
    if (Duration.between(written, now).abs().compareTo(SKEW) > 0) {
      return Finding.warning(
          "clock",
          now + ", and the file system says " + written,
          "synchronize the clocks of this machine and of the file server (chrony)");
    }
    Instant newest = newest(directory);
    return newest.isAfter(now.plus(SKEW))
        ? Finding.warning(
            "clock",
            now + ", and there are files of " + newest + ": it was set back",
            "synchronize it (chrony, systemd-timesyncd); sessions are kept until it has caught up")
        : Finding.ok("clock", now.truncatedTo(ChronoUnit.SECONDS).toString());
  }

  private static Instant newest(Path directory) {
    Instant newest = Instant.EPOCH;
    for (String each : List.of("", "lock", "journal", "records", "run", "files")) {
      try {
        Instant modified =
            Files.getLastModifiedTime(directory.resolve(each), LinkOption.NOFOLLOW_LINKS)
                .toInstant();
        newest = modified.isAfter(newest) ? modified : newest;
      } catch (IOException e) {
        // not there
      }
    }
    return newest;
  }

  /** A commit renames: what is staged must be on the file system of the files. */
  private static Finding staging(Path files) {
    Path staging = files.resolve(".theseus-staging");
    try {
      if (!Files.exists(staging)
          || Files.getAttribute(staging, "unix:dev")
              .equals(Files.getAttribute(files, "unix:dev"))) {
        return Finding.ok("staging", "on the file system of the files");
      }
      return Finding.no(
          "staging",
          staging + " is on another file system than the files",
          "unmount it: a finished upload is renamed, which stays within a file system");
    } catch (IOException | UnsupportedOperationException e) {
      return Finding.warning(
          "staging", "can't be looked at: " + e.getMessage(), "run this as the node's user");
    }
  }

  private Finding space(Path files) {
    long free = existing(files).toFile().getUsableSpace();
    long rest = settings.store().restBytes();
    String text = gib(free) + " free";
    return free > rest
        ? Finding.ok("space", text + ", of which " + gib(rest) + " stay free")
        : Finding.no(
            "space",
            text + ", all of which theseus.store.rest-bytes keeps free",
            "make room, or name another theseus.store.root");
  }

  private static Finding inodes(Path directory) {
    try {
      Process stat =
          new ProcessBuilder("stat", "-f", "-c", "%d %c", directory.toString())
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String said;
      try (InputStream in = stat.getInputStream()) {
        said = new String(in.readAllBytes(), StandardCharsets.US_ASCII).strip();
      }
      if (stat.waitFor(5, TimeUnit.SECONDS) && said.matches("\\d{1,18} \\d{1,18}")) {
        String[] numbers = said.split(" ", 2);
        return inodes(Long.parseLong(numbers[0]), Long.parseLong(numbers[1]));
      }
    } catch (IOException e) {
      // said below
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return Finding.ok("inodes", "not known");
  }

  static Finding inodes(long free, long all) {
    if (all == 0) {
      return Finding.ok("inodes", "as many as there is space for");
    }
    String text = free + " free of " + all;
    return free >= FEW_INODES
        ? Finding.ok("inodes", text)
        : Finding.warning(
            "inodes", text, "delete small files, or make the file system anew with more inodes");
  }

  private static String type(Path directory) {
    try {
      return Files.getFileStore(directory).type();
    } catch (IOException e) {
      return ""; // in a chroot the mount point can't be found
    }
  }

  private static void delete(@Nullable Path probe) {
    try {
      if (probe != null) {
        Files.deleteIfExists(probe);
      }
    } catch (IOException e) {
      // its name says what it is
    }
  }

  private static String reason(IOException e) {
    if (e instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof NoSuchFileException) {
      return "no file can be made there";
    }
    return Texts.escape(String.valueOf(e.getMessage()));
  }

  private static String millis(long nanos) {
    return String.format(Locale.ROOT, "%.2f ms", nanos / 1e6);
  }

  private static String gib(long bytes) {
    return bytes >= 1L << 30
        ? String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1L << 30))
        : (bytes >> 20) + " MiB";
  }
}
