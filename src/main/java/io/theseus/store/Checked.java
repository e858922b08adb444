package io.theseus.store;

import java.util.Optional;

/** A file that was read from its first byte to its last, or as far as that went. */
public final class Checked {
  private final Facts facts;
  private final Optional<Committed> committed;
  private final String version;
  private final Optional<String> unreadable;
  private final String sha256;
  private final int[] sums;

  Checked(
      Facts facts,
      Optional<Committed> committed,
      String version,
      Optional<String> unreadable,
      String sha256,
      int[] sums) {
    this.facts = facts;
    this.committed = committed;
    this.version = version;
    this.unreadable = unreadable;
    this.sha256 = sha256;
    this.sums = sums;
  }

  Facts facts() {
    return facts;
  }

  /** What was said of it at its commit; empty where a person put or changed it since. */
  public Optional<Committed> committed() {
    return committed;
  }

  /** Of the name. */
  public String version() {
    return version;
  }

  /** Bytes. */
  public long size() {
    return facts.size();
  }

  /** Why it could not be read to its end; empty where it was. */
  public Optional<String> unreadable() {
    return unreadable;
  }

  /** Of what was read: another one, where that is not all. */
  public String sha256() {
    return sha256;
  }

  /** Whether what was read is not what was stored. */
  public boolean isRotten() {
    return committed.isPresent() && !committed.get().sha256().equals(sha256);
  }

  /** The CRC32C of each whole block of {@link Source#BLOCK_BYTES} that was read. */
  int[] sums() {
    return sums;
  }
}
