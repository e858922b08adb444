package io.theseus.control;

import io.theseus.store.FileStat;
import io.theseus.store.FileStore;
import io.theseus.store.Listing;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
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

  /** A page of names that takes at most {@code maxBytes} as text. */
  public CompletionStage<Listing> list(String prefix, Optional<String> after, int maxBytes) {
    return onDisk(() -> store.list(prefix, after, maxBytes));
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
