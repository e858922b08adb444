package io.theseus.control;

import io.theseus.store.FileStat;
import io.theseus.store.FileStore;
import io.theseus.store.Listing;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/**
 * Answers about names: STAT, LIST and DELETE, on disk threads.
 *
 * <p>A stage fails with {@link ProtocolException} where the answer is a refusal.
 */
public final class Catalogue {
  /** A name of 1,024 bytes, an Identity of 128, size and time. */
  private static final int LONGEST_LINE = 1_280;

  private final FileStore store;
  private final Executor disk;
  private final String elsewhere;

  /**
   * The names of a node.
   *
   * @param elsewhere where to look for a name that is not here
   */
  public Catalogue(FileStore store, Executor disk, String elsewhere) {
    this.store = store;
    this.disk = disk;
    this.elsewhere = elsewhere;
  }

  public CompletionStage<FileStat> stat(FileName name) {
    return onDisk(() -> store.stat(name));
  }

  /**
   * A page of names that takes at most {@code maxBytes} as text.
   *
   * @param prefixes what is shown: none the beginning of another, in byte order
   */
  public CompletionStage<Listing> list(
      List<String> prefixes, Optional<String> after, int maxBytes) {
    return onDisk(
        () ->
            prefixes.size() == 1
                ? store.list(prefixes.get(0), after, maxBytes)
                : listAll(prefixes, after, maxBytes));
  }

  private Listing listAll(List<String> prefixes, Optional<String> after, int maxBytes)
      throws ProtocolException {
    List<FileStat> entries = new ArrayList<>();
    int left = maxBytes;
    for (String prefix : prefixes) {
      if (left < LONGEST_LINE) {
        return new Listing(entries, /* more= */ true);
      }
      Listing page = store.list(prefix, after, left);
      for (FileStat entry : page.entries()) {
        left -= entry.line().getBytes(StandardCharsets.UTF_8).length + 1;
      }
      entries.addAll(page.entries());
      if (page.more()) {
        return new Listing(entries, /* more= */ true);
      }
    }
    return new Listing(entries, /* more= */ false);
  }

  /** The identity of what is gone. */
  public CompletionStage<String> delete(FileName name, Optional<String> ifIdentity) {
    return onDisk(() -> store.delete(name, ifIdentity));
  }

  private <T> CompletionStage<T> onDisk(Callable<T> task) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return task.call();
          } catch (ProtocolException e) {
            throw new CompletionException(withPlace(e, elsewhere));
          } catch (Exception e) {
            throw new CompletionException(e);
          }
        },
        disk);
  }

  private static ProtocolException withPlace(ProtocolException refusal, String elsewhere) {
    return refusal.code() == ErrorCode.NOT_FOUND
        ? new ProtocolException(refusal.code(), refusal.getMessage() + "; " + elsewhere)
        : refusal;
  }
}
