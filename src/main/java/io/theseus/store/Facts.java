package io.theseus.store;

import io.theseus.os.Native;
import io.theseus.wire.FileName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What is known of a regular file at one moment.
 *
 * @param attribute as it was set at the commit, whether the file is still the same or not
 */
record Facts(Object key, long size, Instant modified, Optional<Attribute> attribute) {
  /** Puts together what was seen of a file with the attribute found at its path. */
  static Facts of(BasicFileAttributes file, Path path) {
    Object key = file.fileKey();
    return new Facts(
        key == null ? path : key,
        file.size(),
        file.lastModifiedTime().toInstant(),
        Native.attribute(path).flatMap(Attribute::parse));
  }

  /** Whether this is the same file with the same content. */
  boolean sameAs(BasicFileAttributes file) {
    return key.equals(file.fileKey())
        && size == file.size()
        && modified.equals(file.lastModifiedTime().toInstant());
  }

  /** The attribute where it still tells the truth. */
  Optional<Attribute> valid() {
    return attribute.filter(a -> a.size() == size && a.modified().equals(modified));
  }

  String identity() {
    return valid().map(Attribute::identity).orElseGet(() -> Attribute.identity(size, modified));
  }

  /**
   * The version of the name: that of its commit, or where somebody else put or changed the file,
   * the time when he did.
   */
  String version(Path path) {
    Optional<Attribute> committed = valid();
    if (committed.isPresent()) {
      return committed
          .get()
          .version()
          .orElseGet(() -> VersionClock.at(committed.get().committed()));
    }
    try {
      Object changed = Files.getAttribute(path, "unix:ctime", LinkOption.NOFOLLOW_LINKS);
      return VersionClock.at(changed instanceof FileTime time ? time.toInstant() : modified);
    } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
      return VersionClock.at(modified);
    }
  }

  FileStat stat(FileName name) {
    return new FileStat(
        name,
        OptionalLong.of(size),
        identity(),
        Optional.of(modified),
        valid().map(Attribute::sha256));
  }
}
