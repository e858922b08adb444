package io.theseus.client;

import io.theseus.wire.FileName;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** Writes a GET into a part file on the transfer's thread, hashing it behind. */
final class FileConsumer extends Consumer {
  // fetching this much again is cheaper than keeping a state for each small file
  private static final long STATE_FROM = 1024 * 1024;
  private static final long SYNC_EACH_BYTES = 256L * 1024 * 1024;
  private static final long SYNC_EACH_NANOS = 10_000_000_000L;

  private final Path target;

  private @Nullable PartFile part;
  private @Nullable FileHash hash;
  private @Nullable Executor executor;
  private PartFile.@Nullable State state;
  private @Nullable FileName name;
  private long written;
  private long settled;
  private boolean stateKept;
  private boolean published;
  private long syncedAt;
  private long syncedNanos;
  private @Nullable CompletableFuture<PartFile.State> syncing;

  FileConsumer(Path target) {
    this.target = target;
  }

  @Override
  boolean rewindable() {
    return true;
  }

  @Override
  String describe() {
    return target.toString();
  }

  @Override
  Optional<Start> open(
      GetRequest request, Executor beside, Runnable wake, Cancellation cancellation)
      throws IOException {
    PartFile opened = PartFile.open(target);
    part = opened;
    executor = beside;
    name = request.name();
    FileChannel channel = opened.channel();
    hash = new FileHash(channel::read, beside);
    Optional<PartFile.Left> left =
        request.resume()
            ? opened.left().filter(l -> l.usable() > 0 && l.state().name().equals(request.name()))
            : Optional.empty();
    long offset = left.map(PartFile.Left::usable).orElse(0L);
    channel.truncate(offset);
    settled = offset;
    written = offset;
    syncedAt = offset;
    syncedNanos = System.nanoTime();
    if (left.isEmpty()) {
      opened.forget();
      return Optional.empty();
    }
    PartFile.State earlier = left.get().state();
    state = earlier;
    stateKept = true;
    return Optional.of(new Start(earlier.session(), offset, earlier.identity(), earlier.stream()));
  }

  @Override
  void begins(UUID session, Optional<String> identity, OptionalLong size, boolean stream)
      throws IOException {
    awaitSync();
    long safe = state == null ? 0 : state.safe();
    PartFile.State now = new PartFile.State(name(), session, identity, size, stream, safe);
    if (!now.equals(state) && (stateKept || size.isEmpty() || size.getAsLong() >= STATE_FROM)) {
      part().write(now);
      stateKept = true;
    }
    state = now;
  }

  @Override
  void take(long offset, Chunk chunk, int position, int length, boolean boundary)
      throws IOException {
    ByteBuffer piece = chunk.piece(position, length);
    FileChannel channel = part().channel();
    long at = offset;
    while (piece.hasRemaining()) {
      at += channel.write(piece, at);
    }
    written = at;
    if (boundary) {
      settled = at;
    }
    hash().offer(offset, chunk, position, length);
    if (written - syncedAt >= SYNC_EACH_BYTES
        || System.nanoTime() - syncedNanos >= SYNC_EACH_NANOS) {
      sync();
    }
  }

  /** Makes what is written safe against a power cut, beside the transfer. */
  private void sync() throws IOException {
    CompletableFuture<PartFile.State> before = syncing;
    if (!stateKept || (before != null && !before.isDone())) {
      return;
    }
    awaitSync();
    PartFile file = part();
    PartFile.State last = state();
    PartFile.State next =
        new PartFile.State(
            last.name(), last.session(), last.identity(), last.size(), last.stream(), written);
    syncedAt = written;
    syncedNanos = System.nanoTime();
    syncing =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                file.channel().force(false);
                file.write(next);
                return next;
              } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
              }
            },
            executor());
  }

  private void awaitSync() throws IOException {
    CompletableFuture<PartFile.State> running = syncing;
    if (running != null) {
      syncing = null;
      try {
        state = running.join();
      } catch (java.util.concurrent.CompletionException e) {
        if (e.getCause() instanceof java.io.UncheckedIOException io) {
          throw io.getCause();
        }
        throw e;
      }
    }
  }

  @Override
  long settled() {
    return settled;
  }

  @Override
  void wakeAt(long at) {
    // settled on the transfer's own thread
  }

  @Override
  boolean mayRead() {
    return true;
  }

  @Override
  void settle(Cancellation cancellation) {}

  @Override
  void restart() throws IOException, TransferException {
    hash().reset();
    awaitSync();
    part().channel().truncate(0);
    settled = 0;
    written = 0;
    syncedAt = 0;
    if (state != null) {
      PartFile.State last = state;
      state =
          new PartFile.State(
              last.name(), last.session(), Optional.empty(), last.size(), last.stream(), 0);
    }
  }

  @Override
  String finish(long size, Cancellation cancellation) throws IOException, TransferException {
    return hash().finish(size, cancellation);
  }

  @Override
  void publish(Optional<Instant> modified) throws IOException {
    awaitSync();
    part().publish(modified);
    published = true;
  }

  @Override
  void discard() throws IOException {
    awaitSync();
    part().discard();
  }

  @Override
  void close() {
    try {
      awaitSync();
    } catch (IOException e) {
      // it was about what could be resumed after a power cut; the part itself is there
    }
    if (hash != null) {
      hash.stop();
    }
    if (part != null) {
      try {
        if (!published && !stateKept) {
          // nobody could say later what it is
          part.discard();
        }
        part.close();
      } catch (IOException e) {
        // the lock goes with the process at the latest
      }
    }
  }

  private PartFile part() {
    return opened(part);
  }

  private FileHash hash() {
    return opened(hash);
  }

  private Executor executor() {
    return opened(executor);
  }

  private PartFile.State state() {
    return opened(state);
  }

  private FileName name() {
    return opened(name);
  }

  private static <T> T opened(@Nullable T value) {
    if (value == null) {
      throw new IllegalStateException("consumer used before it was opened");
    }
    return value;
  }
}
