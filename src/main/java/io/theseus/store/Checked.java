package io.theseus.store;

import java.util.Optional;

/** A file that was read from its first byte to its last. */
public final class Checked {
  private final Facts facts;
  private final Optional<Committed> committed;
  private final String version;
  private final String sha256;
  private final int[] sums;

  Checked(Facts facts, Optional<Committed> committed, String version, String sha256, int[] sums) {
    this.facts = facts;
    this.committed = committed;
    this.version = version;
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

  /** Of what was read. */
  public String sha256() {
    return sha256;
  }

  /** Whether what was read is not what was stored. */
  public boolean isRotten() {
    return committed.isPresent() && !committed.get().sha256().equals(sha256);
  }

  /** The CRC32C of each whole block of {@link Source#BLOCK_BYTES}. */
  int[] sums() {
    return sums;
  }
}
