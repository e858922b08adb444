package io.theseus.store;

import java.util.List;

/**
 * A part of the names, in byte order.
 *
 * @param entries what fits
 * @param more whether names follow behind the last entry
 */
public record Listing(List<FileStat> entries, boolean more) {
  public Listing {
    entries = List.copyOf(entries);
  }
}
