package io.theseus.names;

import io.theseus.store.FileStat;
import io.theseus.wire.FileName;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Makes one page of those of several nodes: of each name the newest, in byte order. */
final class Pages {
  /**
   * What came of it.
   *
   * @param through up to which name it is all there are; empty: all
   */
  record Merged(ClusterListing listing, Optional<String> through) {
    /** Whether names follow, and none is in it. */
    boolean isEmptyPage() {
      return listing.entries().isEmpty() && listing.more();
    }
  }

  private Pages() {}

  static Merged merge(Remote.Page here, Answers answers, int maxBytes) {
    TreeMap<String, Remote.Row> newest = new TreeMap<>(FileName::compareBytes);
    Set<String> silent = new TreeSet<>(answers.silent());
    List<Remote.Page> pages = new ArrayList<>(List.of(here));
    for (Remote.Answer each : answers.answers()) {
      if (each instanceof Remote.Page page) {
        pages.add(page);
      } else {
        silent.add(each.node());
      }
    }
    Optional<String> through = Optional.empty();
    for (Remote.Page page : pages) {
      for (Remote.Row row : page.rows()) {
        newest.merge(row.name(), row, (a, b) -> a.version().compareTo(b.version()) >= 0 ? a : b);
      }
      through = first(through, page.through());
    }
    List<FileStat> entries = new ArrayList<>();
    long bytes = 0;
    for (Remote.Row row : newest.values()) {
      if (through.isPresent() && FileName.compareBytes(row.name(), through.get()) > 0) {
        break;
      }
      FileStat entry =
          new FileStat(
              new FileName(row.name()),
              row.size(),
              row.identity(),
              row.modified(),
              Optional.empty());
      int size = entry.line().getBytes(StandardCharsets.UTF_8).length + 1;
      if (!entries.isEmpty() && bytes + size > maxBytes) {
        through = Optional.of(entries.get(entries.size() - 1).name().value());
        break;
      }
      entries.add(entry);
      bytes += size;
    }
    return new Merged(new ClusterListing(entries, through.isPresent(), silent), through);
  }

  private static Optional<String> first(Optional<String> a, Optional<String> b) {
    if (a.isEmpty() || b.isEmpty()) {
      return a.isEmpty() ? b : a;
    }
    return FileName.compareBytes(a.get(), b.get()) <= 0 ? a : b;
  }
}
