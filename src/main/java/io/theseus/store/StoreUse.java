package io.theseus.store;

/**
 * How much a store holds, with what uploads have staged or were promised, and how much it may hold.
 *
 * @param usedBytes 0 where nothing is limited
 * @param maxBytes 0 for no limit
 * @param usedFiles 0 where nothing is limited
 * @param maxFiles 0 for no limit
 */
public record StoreUse(long usedBytes, long maxBytes, long usedFiles, long maxFiles) {
  /** Whether there is a limit at all. */
  public boolean isLimited() {
    return maxBytes > 0 || maxFiles > 0;
  }
}
