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
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
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

  /** By node, as it said last. */
  private final Map<String, Instant> forgotten = new ConcurrentHashMap<>();

  private Absence(Path directory, Clock clock, @Nullable Instant since) {
    this.directory = directory;
    this.clock = clock;
    this.since = since;
  }

  /**
   * As it was noted last.
   *
   * @param longest absence that does no harm
   * @param others nodes; where there is none, none is missed
   */
  static Absence in(Path directory, Duration longest, Set<String> others, Clock clock) {
    if (others.isEmpty()) {
      return new Absence(directory, clock, null);
    }
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
            + " before that are set aside where no other node has them, and one has forgotten what"
            + " was deleted since",
        met);
    return new Absence(directory, clock, met);
  }

  /** Since when; empty where it was short, or is over. */
  Optional<Instant> since() {
    return Optional.ofNullable(since);
  }

  /** A node says when the last deletion was that it knows no more. */
  void said(String node, Instant time) {
    forgotten.put(node, time);
  }

  /** Whether these nodes have said so. */
  boolean knows(Set<String> others) {
    return forgotten.keySet().containsAll(others);
  }

  /**
   * Whether a file of that time may have been deleted since, so that nobody knows it: not where no
   * other node has forgotten a deletion of that time, as where all were off.
   */
  boolean isDoubtful(Instant time, Set<String> others) {
    Instant met = since;
    return met != null
        && time.isBefore(met)
        && others.stream().anyMatch(node -> forgotten.getOrDefault(node, Instant.MAX).isAfter(met));
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
