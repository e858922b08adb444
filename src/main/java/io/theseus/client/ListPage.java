package io.theseus.client;

import java.util.List;

/**
 * One answer to LIST.
 *
 * @param more whether further names follow the last entry
 * @param unreachable nodes whose names may be missing
 */
public record ListPage(List<ListEntry> entries, boolean more, List<String> unreachable) {
  public ListPage {
    entries = List.copyOf(entries);
    unreachable = List.copyOf(unreachable);
  }
}
