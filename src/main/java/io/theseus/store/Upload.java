package io.theseus.store;

import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArraySet;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One unfinished file: staged, hashed behind the writes, synced, committed. Outlives connections
 * and actors. None of its methods waits for the disk.
 */
public final class Upload implements Original {
  /*
   * Three lanes on the disk executor, each of them one thread at a time:
   *
   *   writing   takes accepted chunks in order, several by one gathering write
   *   hashing   SHA-256 and block sums of the same chunks; may run ahead of the writes or behind
   *   syncing   fdatasync, beside further writes
   *
   * Four numbers, in bytes, none of which ever falls: durable <= written <= accepted, and
   * hashed <= accepted. All but `durable` (read by anybody) are touched under the lock of this
   * object, which nobody holds across a call to the disk, a callback, or a lane.
   *
   * A chunk is held by the lanes that still need its buffer, and released by the last of them. A
   * lane that finds the upload failed lets its own chunks go and nobody else's: another lane may
   * be inside a system call with them.
   *
   * After reopen the hash begins at 0 while chunks arrive at `durable`: until it has caught up with
   * what is written, the hashing lane reads the part and holds no chunk, so that the transfer isn't
   * slowed down to the hash. At the moment when hashed == written it joins the chunks that are
   * accepted and not yet written, and goes on with buffers.
   *
   * A sync covers what was accepted before it. It waits until that is written, then takes all that
   * is written by then: so one fdatasync answers all who asked meanwhile. A failed one is the end
   * of the upload, since the kernel may have forgotten the pages that it could not write.
   *
   * What a client is told is the hash of what was received, which is hashed beside what is stored
   * from the first chunk on where it differs. What is read back is what is stored: so chunks that
   * were changed before, or come while the lane reads, leave that hash unknown.
   *
   * Commit begins when all is written and hashed; no chunk is accepted from then on. It has two
   * halves, between which others may be asked: sealed, it can't be refused any more; published, it
   * has its name.
   */

  private static final Logger LOG = LoggerFactory.getLogger(Upload.class);
  private static final int MOST_BUFFERS = 64;
  private static final int MOST_BATCH_BYTES = 8 << 20;

  /** So much is hashed by the thread that wrote it; more by another one meanwhile. */
  private static final int SMALL = 64 << 10;

  /** The right to append; the newest alone has it. Used by one thread at a time. */
  public static final class Writer {
    private final Upload upload;

    private Writer(Upload upload) {
      this.upload = upload;
    }

    /**
     * Appends; {@code release} is called exactly once, by any thread, when the bytes are written
     * and hashed, or dropped.
     *
     * @param data direct, and left alone until {@code release}; what is between position and limit
     * @return false where the writer is stale, or the upload has failed or is being committed: then
     *     the bytes are dropped, and released already
     */
    public boolean write(ByteBuffer data, Runnable release) {
      return upload.append(this, data, null, release);
    }

    /**
     * Appends other bytes than were received, as many; otherwise the same.
     *
     * @param received what the client is told the SHA-256 of; left alone until {@code release}
     */
    public boolean write(ByteBuffer data, ByteBuffer received, Runnable release) {
      return upload.append(this, data, received, release);
    }

    /** Whether a newer writer has taken over. */
    public boolean isStale() {
      return !upload.isCurrent(this);
    }
  }

  /** Somebody who waits until so many bytes are durable. */
  private record Waiting(long goal, CompletableFuture<Long> answer) {}

  /**
   * A commit that was asked for, whole or only to be decided.
   *
   * @param elsewhere null where it is received here
   * @param whole whether the name is switched, too
   */
  private record Wish(
      long size,
      Optional<String> sha256,
      Optional<String> version,
      @Nullable Received elsewhere,
      boolean whole,
      CompletableFuture<Completed> answer) {
    Wish(
        long size,
        Optional<String> sha256,
        Optional<String> version,
        @Nullable Received elsewhere,
        boolean whole) {
      this(size, sha256, version, elsewhere, whole, new CompletableFuture<>());
    }
  }

  /** The SHA-256 of what a client sent to another node, where it is known there. */
  private record Received(Optional<String> sha256, int lastSum) {}

  private final FileStore store;
  private final UploadRequest request;
  private final PartFile part;
  private final Space.Reservation reservation;
  private final Quota.Claim claim;
  private final Lane writing;
  private final Lane hashing;
  private final Lane syncing;

  // of the hashing lane alone, and of the commit behind it
  private final ContentSums sums;
  private int toldBlocks;

  // of the syncing lane alone
  private boolean nameIsDurable;

  // guarded by this
  private final Deque<Chunk> unwritten = new ArrayDeque<>();
  private final Deque<Chunk> unhashed = new ArrayDeque<>();
  private final Deque<Waiting> waiting = new ArrayDeque<>();
  private @Nullable Writer writer;
  private long accepted;
  private long written;
  private long hashed;
  private boolean readingBack;
  private boolean receivedIsKnown;
  private @Nullable ProtocolException failure;
  private @Nullable Wish wish;
  private boolean committing;
  private @Nullable Completed sealed;
  private @Nullable CompletableFuture<Completed> published;
  private boolean committed;
  private boolean abandoned;
  private @Nullable CompletableFuture<Void> discarded;

  private volatile long durable;

  /** Who copies it; told of what is written, of blocks that are hashed, and of a failure. */
  private final Set<Copying> copies = new CopyOnWriteArraySet<>();

  /**
   * An upload whose first {@code durable} bytes are in the part and safe. The store calls {@link
   * #start} once it is known.
   *
   * @param altered whether these may be others than were received
   */
  Upload(
      FileStore store,
      UploadRequest request,
      PartFile part,
      Space.Reservation reservation,
      Quota.Claim claim,
      long durable,
      boolean altered) {
    this.store = store;
    this.request = request;
    this.sums = new ContentSums(request.hashing());
    this.part = part;
    this.reservation = reservation;
    this.claim = claim;
    this.accepted = durable;
    this.written = durable;
    this.durable = durable;
    this.nameIsDurable = durable > 0;
    this.readingBack = durable > 0;
    this.receivedIsKnown = durable == 0 || !altered;
    this.writing = new Lane(store.disk(), this::writeSome, () -> onRejected(this::dropUnwritten));
    this.hashing = new Lane(store.disk(), this::hashSome, () -> onRejected(this::dropUnhashed));
    this.syncing = new Lane(store.disk(), this::syncAll, () -> onRejected(this::refuseWaiting));
  }

  void start() {
    hashing.signal();
  }

  @Override
  public UUID session() {
    return request.session();
  }

  @Override
  public FileName name() {
    return request.name();
  }

  @Override
  public OptionalLong size() {
    return request.size();
  }

  @Override
  public Optional<Instant> modified() {
    return request.modified();
  }

  /** What was asked for when it began. */
  public UploadRequest request() {
    return request;
  }

  /** A new handle, which appends at {@link #received}; all older ones are stale from now on. */
  public synchronized Writer takeOver() {
    Writer fresh = new Writer(this);
    writer = fresh;
    part.wake();
    return fresh;
  }

  /** Bytes accepted in order. */
  public synchronized long received() {
    return accepted;
  }

  /** Bytes that survive a power cut. */
  @Override
  public long durable() {
    return durable;
  }

  /** Why nothing more is stored; empty while all is well. */
  public synchronized Optional<ProtocolException> failure() {
    return Optional.ofNullable(failure);
  }

  // ---- writing

  private boolean append(
      Writer by, ByteBuffer data, @Nullable ByteBuffer received, Runnable release) {
    if (!data.isDirect()) {
      throw new IllegalArgumentException("buffer: on the heap (expected: a direct one)");
    }
    Chunk chunk = null;
    boolean hash = false;
    boolean here = isHashedHere(data.remaining());
    synchronized (this) {
      if (by == writer && failure == null && wish == null && discarded == null) {
        hash = !readingBack;
        chunk = new Chunk(data, received, release, hash ? 2 : 1);
        receivedIsKnown &= received == null || hash;
        unwritten.add(chunk);
        if (hash) {
          unhashed.add(chunk);
        }
        accepted += data.remaining();
      }
    }
    if (chunk == null) {
      release.run();
      return false;
    }
    writing.signal();
    if (hash && !here) {
      hashing.signal();
    }
    return true;
  }

  /**
   * Whether so much is hashed by the thread that wrote it: by the time it is handed on it is done.
   */
  private boolean isHashedHere(long bytes) {
    return bytes <= SMALL || isSummedOnly();
  }

  private boolean isSummedOnly() {
    return request.hashing() == UploadRequest.Hashing.SUMS;
  }

  private synchronized boolean isCurrent(Writer candidate) {
    return candidate == writer;
  }

  private boolean writeSome() {
    List<Chunk> batch = new ArrayList<>();
    long bytes = 0;
    long at;
    boolean failed;
    synchronized (this) {
      failed = failure != null;
      at = written;
      for (Chunk chunk : unwritten) {
        if (failed || batch.size() == MOST_BUFFERS || bytes >= MOST_BATCH_BYTES) {
          break;
        }
        batch.add(chunk);
        bytes += chunk.toWrite.remaining();
      }
    }
    if (failed) {
      dropUnwritten();
      return false;
    }
    if (batch.isEmpty()) {
      return false;
    }
    try {
      claim.cover(name(), at + bytes);
      reservation.cover(bytes);
      part.write(at, buffersOf(batch));
      reservation.used(bytes);
      store.steps().at("put.written");
    } catch (IOException e) {
      fail(Refusals.io(name(), "write", e));
      return true;
    } catch (ProtocolException e) {
      fail(e);
      return true;
    } catch (RuntimeException | Error e) {
      fail(bug(e));
      return true;
    }
    boolean more;
    boolean someWait;
    synchronized (this) {
      for (int i = 0; i < batch.size(); i++) {
        unwritten.remove();
      }
      written += bytes;
      more = !unwritten.isEmpty();
      someWait = !waiting.isEmpty();
    }
    batch.forEach(Chunk::drop);
    tellCopies();
    if (someWait) {
      syncing.signal();
    }
    if (isHashedHere(bytes)) {
      hashing.signalHere();
    } else {
      hashing.signal();
    }
    commitWhenReady().ifPresent(this::commitNow);
    return more;
  }

  private static ByteBuffer[] buffersOf(List<Chunk> batch) {
    ByteBuffer[] buffers = new ByteBuffer[batch.size()];
    Arrays.setAll(buffers, i -> batch.get(i).toWrite);
    return buffers;
  }

  private void dropUnwritten() {
    List<Chunk> dropped;
    synchronized (this) {
      dropped = new ArrayList<>(unwritten);
      unwritten.clear();
    }
    dropped.forEach(Chunk::drop);
  }

  // ---- hashing

  private boolean hashSome() {
    Chunk chunk = null;
    long from = -1;
    long upTo = 0;
    boolean failed;
    synchronized (this) {
      failed = failure != null;
      if (!failed && readingBack) {
        from = hashed;
        upTo = written;
        if (from == upTo) {
          // caught up: go on with the buffers that are not in the part yet
          readingBack = false;
          from = -1;
          for (Chunk late : unwritten) {
            late.hold();
            unhashed.add(late);
          }
        }
      }
      if (!failed && !readingBack) {
        chunk = unhashed.peek();
      }
    }
    if (failed) {
      dropUnhashed();
      return false;
    }
    try {
      if (from >= 0) {
        int n = sums.readBack(part, from, upTo);
        synchronized (this) {
          hashed += n;
        }
        tellCopiesOfBlocks();
        return true;
      }
      sums.readBackIsOver();
      if (chunk == null) {
        commitWhenReady().ifPresent(this::commitNow);
        return false;
      }
      int size = chunk.toHash.remaining();
      sums.update(chunk.toHash, chunk.received);
      synchronized (this) {
        unhashed.remove();
        hashed += size;
      }
      chunk.drop();
      tellCopiesOfBlocks();
      return true;
    } catch (IOException e) {
      fail(Refusals.io(name(), "reading what is staged", e));
      return true;
    } catch (RuntimeException | Error e) {
      fail(bug(e));
      return true;
    }
  }

  private void tellCopiesOfBlocks() {
    int whole = sums.blocks().whole();
    if (whole > toldBlocks) {
      toldBlocks = whole;
      tellCopies();
    }
  }

  private void dropUnhashed() {
    List<Chunk> dropped;
    synchronized (this) {
      dropped = new ArrayList<>(unhashed);
      unhashed.clear();
    }
    dropped.forEach(Chunk::drop);
  }

  // ---- syncing

  /**
   * Makes all that was accepted before the call durable; gives {@link #durable}. Fails with a
   * {@link ProtocolException}. Completed on a disk thread, or at once where nothing is to be done.
   */
  public CompletionStage<Long> sync() {
    CompletableFuture<Long> answer = new CompletableFuture<>();
    ProtocolException failed;
    boolean done;
    synchronized (this) {
      failed = failure;
      done = durable >= accepted;
      if (failed == null && !done) {
        waiting.add(new Waiting(accepted, answer));
      }
    }
    if (failed != null) {
      answer.completeExceptionally(again(failed));
    } else if (done) {
      answer.complete(durable);
    } else {
      syncing.signal();
    }
    return answer;
  }

  private boolean syncAll() {
    long goal;
    boolean failed;
    synchronized (this) {
      failed = failure != null;
      goal = written;
      Waiting first = waiting.peek();
      if (!failed && (first == null || first.goal > goal)) {
        return false;
      }
    }
    if (failed) {
      refuseWaiting();
      return false;
    }
    try {
      if (goal > durable) {
        store.requireHealthy();
        force(part.acquire());
        store.steps().at("put.synced");
      }
    } catch (IOException e) {
      fail(Refusals.io(name(), "opening what is staged", e));
      return true;
    } catch (ProtocolException e) {
      fail(e);
      return true;
    } catch (RuntimeException | Error e) {
      fail(bug(e));
      return true;
    }
    List<Waiting> answered = new ArrayList<>();
    boolean more;
    synchronized (this) {
      durable = Math.max(durable, goal);
      while (!waiting.isEmpty() && waiting.element().goal <= goal) {
        answered.add(waiting.remove());
      }
      more = !waiting.isEmpty();
    }
    long now = durable;
    answered.forEach(each -> each.answer.complete(now));
    return more;
  }

  private void force(FileChannel channel) throws ProtocolException {
    try {
      if (!nameIsDurable) {
        store.commits().forceStaging();
        nameIsDurable = true;
      }
      Fsync.force(channel, false);
    } catch (IOException e) {
      throw store.forceFailed(name(), e);
    } finally {
      part.release();
    }
  }

  private void refuseWaiting() {
    List<Waiting> refused;
    ProtocolException failed;
    synchronized (this) {
      refused = new ArrayList<>(waiting);
      waiting.clear();
      failed = failure;
    }
    if (failed != null) {
      refused.forEach(each -> each.answer.completeExceptionally(again(failed)));
    }
  }

  // ---- commit

  /**
   * Makes the file visible under its name, whole and durable. A second call gives the first one's
   * result. Fails with a {@link ProtocolException}: {@code bad-offset} where {@code size} is not
   * what was received, {@code bad-field} for a wrong SHA-256, {@code exists} and {@code changed} by
   * the precondition, {@code no-space}, {@code internal}. Completed on a disk thread, or at once
   * where it is refused at once.
   *
   * @param sha256 as the client has it, which is checked beside the one of the request
   */
  public CompletionStage<Completed> commit(long size, Optional<String> sha256) {
    return wish(new Wish(size, sha256, Optional.empty(), null, /* whole= */ true));
  }

  /**
   * The first half of a commit: all that can be refused is decided, and durable. Otherwise as
   * {@link #commit}; {@link #publish} is the other half.
   *
   * @param version of the name
   */
  public CompletionStage<Completed> seal(long size, Optional<String> sha256, String version) {
    return wish(new Wish(size, sha256, Optional.of(version), null, /* whole= */ false));
  }

  /**
   * The same for a copy of what another node received.
   *
   * @param sha256 of the whole file, there; believed where only blocks are summed here, which who
   *     calls has compared
   * @param received of what its client sent, where known
   * @param lastSum of the last block, where that is not whole; checked where only blocks are summed
   */
  public CompletionStage<Completed> sealCopy(
      long size, String sha256, Optional<String> received, int lastSum, String version) {
    return wish(
        new Wish(
            size,
            Optional.of(sha256),
            Optional.of(version),
            new Received(received, lastSum),
            /* whole= */ false));
  }

  /**
   * The second half of a commit, once {@link #seal} is done: the name. A second call gives the
   * first one's result. Fails with a {@link ProtocolException}.
   */
  public CompletionStage<Completed> publish() {
    CompletableFuture<Completed> answer;
    Completed decided;
    ProtocolException failed;
    synchronized (this) {
      CompletableFuture<Completed> known = published;
      if (known != null) {
        return known;
      }
      answer = new CompletableFuture<>();
      decided = sealed;
      failed = failure;
      if (failed == null) {
        if (decided == null || discarded != null) {
          throw new IllegalStateException("session " + session() + " is not sealed");
        }
        published = answer;
        committing = true;
      }
    }
    if (failed != null) {
      answer.completeExceptionally(again(failed));
      return answer;
    }
    Completed named = Objects.requireNonNull(decided);
    try {
      store.disk().execute(() -> finish(answer, () -> publishNow(named)));
    } catch (RejectedExecutionException e) {
      fail(stopping());
      settle(answer, null);
    }
    return answer;
  }

  private CompletionStage<Completed> wish(Wish mine) {
    long size = mine.size;
    ProtocolException refused = null;
    synchronized (this) {
      Wish known = wish;
      if (known != null && known.size == size) {
        return known.answer;
      }
      long expected = known == null ? accepted : known.size;
      if (failure != null) {
        // first: bytes that came behind a failure are not counted
        refused = again(failure);
      } else if (size != expected) {
        refused =
            new ProtocolException(
                ErrorCode.BAD_OFFSET,
                "Size: " + size + " (expected: " + expected + ", which is what was received)");
      } else {
        wish = mine;
      }
    }
    if (refused != null) {
      mine.answer.completeExceptionally(refused);
    } else {
      commitWhenReady().ifPresent(this::commitOnDisk);
    }
    return mine.answer;
  }

  private void commitOnDisk(Wish due) {
    try {
      store.disk().execute(() -> commitNow(due));
    } catch (RejectedExecutionException e) {
      fail(stopping());
      settle(due.answer, null);
    }
  }

  /** The commit where all is here; given once, to who makes it. */
  private Optional<Wish> commitWhenReady() {
    synchronized (this) {
      Wish due = wish;
      if (due == null
          || committing
          || sealed != null
          || discarded != null
          || failure != null
          || written < accepted
          || hashed < accepted) {
        return Optional.empty();
      }
      committing = true;
      return Optional.of(due);
    }
  }

  private void commitNow(Wish due) {
    finish(
        due.answer,
        () -> {
          Completed decided = sealNow(due);
          return due.whole ? publishNow(decided) : decided;
        });
  }

  private Completed sealNow(Wish due) throws IOException, ProtocolException {
    Received elsewhere = due.elsewhere;
    Optional<String> received;
    String stored;
    if (isSummedOnly()) {
      if (elsewhere == null || elsewhere.lastSum != sums.blocks().last()) {
        throw Refusals.internal(
            Texts.quote(name().value())
                + ": the last block has another CRC32C than where it came from");
      }
      received = elsewhere.sha256;
      stored = due.sha256.orElseThrow();
    } else {
      received = receivedSha256();
      requireSha(request.expectedSha256(), received);
      requireSha(due.sha256, received);
      received = elsewhere == null ? received : elsewhere.sha256;
      stored = sums.sha256();
    }
    FileChannel channel = part.acquire();
    Completed decided;
    try {
      decided =
          store.commits().seal(request, part, channel, due.size, stored, received, due.version);
    } finally {
      part.release();
    }
    synchronized (this) {
      sealed = decided;
      durable = due.size;
    }
    return decided;
  }

  private Completed publishNow(Completed decided) throws ProtocolException {
    Optional<String> version;
    synchronized (this) {
      version = Objects.requireNonNull(wish).version;
    }
    store.commits().publish(request, part, decided, version);
    synchronized (this) {
      committed = true;
    }
    part.retire();
    reservation.close();
    store.remove(this);
    return decided;
  }

  /** A half of a commit, or both. */
  private interface Half {
    Completed make() throws IOException, ProtocolException;
  }

  /** Makes it, on a disk thread; what comes of it is told when nothing more of it goes on. */
  private void finish(CompletableFuture<Completed> answer, Half half) {
    Completed made = null;
    try {
      made = half.make();
    } catch (IOException e) {
      fail(Refusals.io(name(), "commit", e));
    } catch (ProtocolException e) {
      fail(e);
    } catch (RuntimeException | Error e) {
      fail(bug(e));
    }
    settle(answer, made);
  }

  /** Answers, and lets a discard go on that waited for its end. */
  private void settle(CompletableFuture<Completed> answer, @Nullable Completed made) {
    ProtocolException failed;
    CompletableFuture<Void> discard;
    synchronized (this) {
      committing = false; // first: who is answered may go on with the other half at once
      failed = failure;
      discard = discarded;
    }
    if (made != null) {
      answer.complete(made);
    } else if (failed != null) {
      answer.completeExceptionally(again(failed));
    }
    if (discard != null) {
      remove(discard);
    }
  }

  private synchronized Optional<String> receivedSha256() {
    return receivedIsKnown ? Optional.of(sums.received()) : Optional.empty();
  }

  private static void requireSha(Optional<String> given, Optional<String> received)
      throws ProtocolException {
    String computed = received.orElse("");
    if (given.isPresent()
        && received.isPresent()
        && !given.get().toLowerCase(Locale.ROOT).equals(computed)) {
      throw new ProtocolException(
          ErrorCode.BAD_FIELD,
          "SHA-256: "
              + given.get()
              + " (expected: "
              + computed
              + ", which is that of the bytes received)");
    }
  }

  /** The SHA-256 of what is stored, once it is sealed. */
  public synchronized String storedSha256() {
    return sums.sha256();
  }

  /** The CRC32C of each block of 1 MiB; complete once the upload is committed. */
  synchronized int[] blockSums() {
    return sums.blocks().toArray();
  }

  @Override
  public synchronized int lastSum() {
    return sums.blocks().last();
  }

  /** Whole blocks of 1 MiB whose sums are known. Never falls. */
  public int summed() {
    return sums.blocks().whole();
  }

  /** The CRC32C of some of these. */
  public int[] sums(int firstBlock, int count) {
    return sums.blocks().whole(firstBlock, count);
  }

  // ---- being copied

  /**
   * What is staged, to be copied elsewhere while it is written; opens its descriptor where it has
   * none, so it may wait for the disk. It goes on to its end where the upload is committed.
   *
   * @throws ProtocolException where the upload has failed, or is over
   */
  @Override
  public Source source() throws ProtocolException {
    FileChannel channel;
    try {
      channel = part.acquire();
    } catch (IOException e) {
      throw Refusals.io(name(), "opening what is staged", e);
    }
    Copying copying = new Copying(channel);
    copies.add(copying);
    if (failure().isPresent()) {
      copying.close();
      throw again(failure().get());
    }
    return copying;
  }

  private void tellCopies() {
    copies.forEach(Copying::changed);
  }

  /** What one who copies sees of the upload. */
  private final class Copying implements Source {
    private final FileChannel channel;
    private final AtomicBoolean closed = new AtomicBoolean();
    private volatile Runnable watcher = () -> {};

    Copying(FileChannel channel) {
      this.channel = channel;
    }

    @Override
    public FileChannel channel() {
      return channel;
    }

    @Override
    public long available() {
      synchronized (Upload.this) {
        return written;
      }
    }

    @Override
    public int summed() {
      return Upload.this.summed();
    }

    @Override
    public int[] sums(int firstBlock, int count) {
      return Upload.this.sums(firstBlock, count);
    }

    @Override
    public Optional<ProtocolException> failure() {
      return Upload.this.failure();
    }

    @Override
    public void onChange(Runnable next) {
      watcher = next;
      changed(); // what came before is not told again
    }

    void changed() {
      watcher.run();
    }

    @Override
    public void close() {
      if (closed.compareAndSet(false, true)) {
        copies.remove(this);
        part.release();
      }
    }
  }

  // ---- the end

  /**
   * Gives back the descriptor, once what was accepted is written; the next use opens it again. For
   * an upload whose connection is lost.
   */
  public void suspend() {
    part.rest();
    try {
      store.disk().execute(part::settle);
    } catch (RejectedExecutionException e) {
      LOG.debug("session {}: the descriptor stays open until the store is closed", session());
    }
  }

  /**
   * Ends the upload, removes its part, gives back its space; completes when that is done. A commit
   * that has begun is waited for, and stands where it succeeds.
   */
  public CompletionStage<Void> discard() {
    CompletableFuture<Void> answer;
    boolean now;
    synchronized (this) {
      if (discarded != null) {
        return discarded;
      }
      answer = new CompletableFuture<>();
      discarded = answer;
      now = !committing;
    }
    if (now) {
      remove(answer);
    }
    return answer;
  }

  private void remove(CompletableFuture<Void> answer) {
    synchronized (this) {
      if (committed) {
        answer.complete(null);
        return;
      }
    }
    fail(Refusals.internal(Texts.quote(name().value()) + " was given up (expected: a new upload)"));
    try {
      store
          .disk()
          .execute(
              () -> {
                part.retire();
                part.awaitIdle();
                try {
                  store.commits().removePart(session(), part.component());
                } catch (IOException e) {
                  LOG.warn("session {}: part not removed: {}", session(), Refusals.reason(e));
                }
                reservation.close();
                store.remove(this);
                answer.complete(null);
              });
    } catch (RejectedExecutionException e) {
      // the store is being closed: the part has no mark, so the next start removes it
      answer.complete(null);
    }
  }

  /** Whether its part is going away. */
  synchronized boolean isDiscarded() {
    return discarded != null;
  }

  /**
   * Ends the upload here and leaves its part, so that the store can reopen it; waits for those who
   * use it right now.
   */
  public void letGo() {
    abandon();
    store.remove(this);
  }

  /** Lets go of the part, which stays; waits for those who use it right now. */
  void abandon() {
    synchronized (this) {
      abandoned = true;
    }
    fail(stopping());
    part.retire();
    part.awaitIdle();
    reservation.close();
  }

  private void fail(ProtocolException reason) {
    Wish due;
    boolean expected;
    synchronized (this) {
      if (failure != null || committed) {
        return;
      }
      failure = reason;
      expected = abandoned || discarded != null;
      due = committing ? null : wish;
    }
    if (expected) {
      LOG.debug("session {}: {}", session(), reason.getMessage());
    } else if (reason.code() == ErrorCode.INTERNAL || reason.code() == ErrorCode.NO_SPACE) {
      LOG.warn("session {}: upload stopped: {}", session(), reason.errorText());
    }
    writing.signal();
    hashing.signal();
    syncing.signal();
    tellCopies();
    if (due != null) {
      due.answer.completeExceptionally(again(reason));
    }
  }

  private void onRejected(Runnable drain) {
    fail(stopping());
    drain.run();
  }

  private ProtocolException stopping() {
    return Refusals.internal(
        Texts.quote(name().value()) + ": the upload was let go (expected: to be taken up again)");
  }

  private ProtocolException bug(Throwable e) {
    LOG.error("session {}: upload broke", session(), e);
    return Refusals.internal(Texts.quote(name().value()) + ": " + e);
  }

  /** The same reason with the trace of who meets it now. */
  private static ProtocolException again(ProtocolException reason) {
    return new ProtocolException(reason.code(), String.valueOf(reason.getMessage()));
  }
}
