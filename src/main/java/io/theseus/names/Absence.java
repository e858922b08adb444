package io.theseus.names;

import io.theseus.store.DurableFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether a node has met no other one for longer than deletions are remembered: then nobody may
 * know any more that a file of it was deleted meanwhile.
 */
final class Absence {
  private static final Logger LOG = LoggerFactory.getLogger(Absence.class);
  private static final String MET = "met";

  private final Path directory;
  private final Clock clock;
  private volatile @Nullable Instant since;

  private Absence(Path directory, Clock clock, @Nullable Instant since) {
    this.directory = directory;
    this.clock = clock;
    this.since = since;
  }

  /**
   * As it was noted last.
   *
   * @param longest absence that does no harm
   */
  static Absence in(Path directory, Duration longest, Clock clock) {
    Instant met = null;
    try {
      met = Instant.parse(Files.readString(directory.resolve(MET)).strip());
    } catch (NoSuchFileException e) {
      LOG.debug("no other node was met before");
    } catch (IOException | DateTimeException e) {
      LOG.warn("when other nodes were met last is not known: {}", e.getMessage());
    }
    if (met == null || !met.plus(longest).isBefore(clock.instant())) {
      return new Absence(directory, clock, null);
    }
    LOG.warn(
        "no other node was met since {}, longer than theseus.cluster.remember-deleted: files of"
            + " before that are set aside where no other node has them",
        met);
    return new Absence(directory, clock, met);
  }

  /** Since when; empty where it was short, or is over. */
  Optional<Instant> since() {
    return Optional.ofNullable(since);
  }

  /** All files are looked at. */
  void end() {
    since = null;
    note();
  }

  /** Others are met now. */
  void note() {
    try {
      Files.createDirectories(directory);
      DurableFile.replace(
          directory,
          MET,
          ByteBuffer.wrap((clock.instant() + "\n").getBytes(StandardCharsets.UTF_8)));
    } catch (IOException e) {
      LOG.warn("that other nodes are met can't be remembered: {}", e.getMessage());
    }
  }
}
