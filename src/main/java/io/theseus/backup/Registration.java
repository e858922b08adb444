package io.theseus.backup;

import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Which backups may be chosen: those that said who they are while registration was open. Of the
 * Replicator of the moment alone.
 */
final class Registration {
  private final Optional<Duration> closesAfter;
  private final LongSupplier nanoTime;
  private final long begun;
  private final Set<String> registered = new HashSet<>();

  /** What an operator said last; null before. */
  private @Nullable Boolean word;

  /**
   * Open, with nobody registered.
   *
   * @param closesAfter how long from now on it is open; empty for ever
   */
  Registration(Optional<Duration> closesAfter, LongSupplier nanoTime) {
    this.closesAfter = closesAfter;
    this.nanoTime = nanoTime;
    this.begun = nanoTime.getAsLong();
  }

  boolean isOpen() {
    Boolean said = word;
    return said == null
        ? closesAfter.isEmpty() || nanoTime.getAsLong() - begun < closesAfter.get().toNanos()
        : said;
  }

  /** An operator opens or closes it, whatever the deadline is. */
  void say(boolean open) {
    word = open;
  }

  /** A backup says who it is; whether it is registered. */
  boolean register(String node) {
    if (isOpen()) {
      registered.add(node);
    }
    return registered.contains(node);
  }

  boolean has(String node) {
    return registered.contains(node);
  }
}
