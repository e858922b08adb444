package io.theseus.control;

import io.theseus.names.ClusterListing;
import io.theseus.names.Names;
import io.theseus.store.FileStat;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/**
 * Answers about names: STAT, LIST and DELETE.
 *
 * <p>A stage fails with {@link ProtocolException} where the answer is a refusal.
 */
public final class Catalogue {
  /** A name of 1,024 bytes, an Identity of 128, size and time. */
  private static final int LONGEST_LINE = 1_280;

  private final Names names;
  private final String elsewhere;

  /**
   * The names of a node.
   *
   * @param elsewhere where to look for a name that no node has
   */
  public Catalogue(Names names, String elsewhere) {
    this.names = names;
    this.elsewhere = elsewhere;
  }

  public CompletionStage<FileStat> stat(FileName name) {
    return withPlace(names.stat(name));
  }

  /**
   * A page of names that takes at most {@code maxBytes} as text.
   *
   * @param prefixes what is shown: none the beginning of another, in byte order
   */
  public CompletionStage<ClusterListing> list(
      List<String> prefixes, Optional<String> after, int maxBytes) {
    return list(prefixes, after, maxBytes, new ClusterListing(List.of(), false, Set.of()));
  }

  private CompletionStage<ClusterListing> list(
      List<String> prefixes, Optional<String> after, int maxBytes, ClusterListing before) {
    if (prefixes.isEmpty()) {
      return CompletableFuture.completedFuture(before);
    }
    if (maxBytes < LONGEST_LINE) {
      return CompletableFuture.completedFuture(
          new ClusterListing(before.entries(), /* more= */ true, before.unreachable()));
    }
    return names
        .list(prefixes.get(0), after, maxBytes)
        .thenCompose(
            page -> {
              List<FileStat> entries = new ArrayList<>(before.entries());
              entries.addAll(page.entries());
              Set<String> unreachable = new TreeSet<>(before.unreachable());
              unreachable.addAll(page.unreachable());
              ClusterListing both = new ClusterListing(entries, page.more(), unreachable);
              int left = maxBytes;
              for (FileStat entry : page.entries()) {
                left -= entry.line().getBytes(StandardCharsets.UTF_8).length + 1;
              }
              return page.more()
                  ? CompletableFuture.completedFuture(both)
                  : list(prefixes.subList(1, prefixes.size()), after, left, both);
            });
  }

  /** The identity of what is gone. */
  public CompletionStage<String> delete(FileName name, Optional<String> ifIdentity) {
    return withPlace(names.delete(name, ifIdentity));
  }

  /** Of a node that is alone: what it has it shows. */
  private <T> CompletionStage<T> withPlace(CompletionStage<T> answer) {
    return !names.isAlone()
        ? answer
        : answer.exceptionally(
            failure -> {
              Throwable cause =
                  failure instanceof CompletionException && failure.getCause() != null
                      ? failure.getCause()
                      : failure;
              throw new CompletionException(
                  cause instanceof ProtocolException refusal
                          && refusal.code() == ErrorCode.NOT_FOUND
                      ? new ProtocolException(
                          refusal.code(), refusal.getMessage() + "; " + elsewhere)
                      : cause);
            });
  }
}
