package io.theseus.bench.transfer;

import io.theseus.bench.Pattern;
import io.theseus.bench.transfer.TransferCase.Way;
import io.theseus.testing.Content;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a server sends and stores, checked by its SHA-256, in a run that isn't timed: a benchmark of
 * wrong bytes says nothing.
 */
final class Verification {
  private final Path site;
  private final TransferCase what;
  private final List<String> expected = new ArrayList<>();

  /** The hashes that the files of a case must have. */
  Verification(Path site, TransferCase what) throws IOException {
    this.site = site;
    this.what = what;
    for (int i = 0; i < what.files(); i++) {
      expected.add(Pattern.sha256(i, what.bytes()));
    }
  }

  /**
   * Gets all files through a client that keeps the bytes, or reads all files that were put.
   *
   * @param folder of the files, below the site
   * @throws WrongBytesException when one is not what it has to be, or there is one too many
   */
  void check(Server server, String folder) throws IOException {
    for (int i = 0; i < what.files(); i++) {
      String found =
          what.way() == Way.GET
              ? server.fetch(what, folder, i)
              : stored(server.name(), folder, TransferCase.fileName(i));
      if (!found.equals(expected.get(i))) {
        throw new WrongBytesException(
            "%s: SHA-256 of %s/%s from %s: %s (expected: %s)"
                .formatted(
                    what.name(),
                    folder,
                    TransferCase.fileName(i),
                    server.name(),
                    found,
                    expected.get(i)));
      }
    }
    if (what.way() == Way.PUT) {
      try (Stream<Path> files = Files.list(site.resolve(folder))) {
        long count = files.count();
        if (count != what.files()) {
          throw new WrongBytesException(
              "%s: files of %s: %d (expected: %d)"
                  .formatted(what.name(), server.name(), count, what.files()));
        }
      }
    }
  }

  private String stored(String server, String folder, String name) throws IOException {
    Path file = site.resolve(folder).resolve(name);
    if (!Files.exists(file)) {
      throw new WrongBytesException(
          "%s: %s has not stored %s/%s".formatted(what.name(), server, folder, name));
    }
    return Content.sha256HexOf(file);
  }

  /** A server sent or stored something else than it got. */
  static final class WrongBytesException extends IOException {
    private static final long serialVersionUID = 1;

    WrongBytesException(String message) {
      super(message);
    }
  }
}
