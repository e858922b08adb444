package io.theseus.control;

import io.theseus.backup.Replication;
import io.theseus.channel.Progress;
import io.theseus.channel.Range;
import io.theseus.names.Place;
import io.theseus.session.Closure;
import io.theseus.session.Grant;
import io.theseus.session.Ready;
import io.theseus.session.Report;
import io.theseus.session.SessionLink;
import io.theseus.store.Completed;
import io.theseus.store.StoredFile;
import io.theseus.store.Upload;
import io.theseus.wire.ErrorCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A connection without a socket: a client that reads or sends whatever is granted, at once.
 *
 * <p>It obeys the newest worker generation alone, as a connection does, and keeps what it was told.
 * A PUT asks for a checkpoint each {@code step} bytes and sends no further than one step past the
 * last OFFSET; a GET acknowledges what it has read. {@code stopAt} is where the client falls
 * silent.
 */
final class FakeLink implements SessionLink {
  private static final AtomicInteger LINKS = new AtomicInteger();

  private final int lane = LINKS.getAndIncrement() % TestNode.LANES;
  private final byte[] content;
  private final long step;
  private final boolean sized;
  private long stopAt = Long.MAX_VALUE;

  private final byte[] read;
  private final List<Grant> grants = new ArrayList<>();
  private final List<Long> durables = new ArrayList<>();
  private final List<Ready> readies = new ArrayList<>();
  private final List<String> told = new ArrayList<>();
  private @Nullable Runnable wake;
  private @Nullable Report slot;
  private @Nullable Closure closure;
  private @Nullable Completed completed;
  private @Nullable StoredFile file;
  private Upload.@Nullable Writer writer;
  private Optional<String> failure = Optional.empty();
  private long generation;
  private long position;
  private long granted;
  private long acked;
  private long requested;
  private long end = Progress.UNKNOWN_END;
  private int staleGrants;
  private boolean put;
  private boolean held;
  private boolean finished;
  private boolean over;
  private boolean failsAtHold;
  private boolean ignoresHold;

  /** Whether what is granted is an older worker's word. */
  private boolean inherited;

  private FakeLink(byte[] content, long step, boolean sized) {
    this.content = content;
    this.read = new byte[content.length];
    this.step = step;
    this.sized = sized;
  }

  /** Reads a file of that content. */
  static FakeLink reading(byte[] content) {
    return new FakeLink(content, Long.MAX_VALUE, /* sized= */ true);
  }

  /** Sends the content with a checkpoint after each so many bytes. */
  static FakeLink sending(byte[] content, long step, boolean sized) {
    return new FakeLink(content, step, sized);
  }

  /** The client falls silent when so many bytes have moved. */
  synchronized FakeLink stopAt(long offset) {
    stopAt = offset;
    return this;
  }

  /** The first hold kills the actor that calls it. */
  synchronized FakeLink failAtHold() {
    failsAtHold = true;
    return this;
  }

  /** Whether that is still to come. */
  synchronized boolean failsAtHold() {
    return failsAtHold;
  }

  /** No packet ends any more: a hold is never obeyed. */
  synchronized FakeLink ignoreHold() {
    ignoresHold = true;
    return this;
  }

  /** The client goes on. */
  synchronized void goOn() {
    stopAt = Long.MAX_VALUE;
    move();
    report();
  }

  /** The connection is lost. */
  synchronized void lose() {
    closure = new Closure(/* endsSession= */ false, "lost");
    over = true;
    closeFile();
    report();
  }

  // ---- what happened

  synchronized List<Grant> grants() {
    return List.copyOf(grants);
  }

  synchronized List<Long> durables() {
    return List.copyOf(durables);
  }

  synchronized List<Ready> readies() {
    return List.copyOf(readies);
  }

  /** MODIFYING, RESUMED and the like, in order. */
  synchronized List<String> told() {
    return List.copyOf(told);
  }

  synchronized Optional<String> failure() {
    return failure;
  }

  synchronized Optional<Completed> completed() {
    return Optional.ofNullable(completed);
  }

  /** GET: all was read and acknowledged; PUT: COMPLETE came. */
  synchronized boolean finished() {
    return put ? completed != null : finished;
  }

  synchronized byte[] bytesRead() {
    return read.clone();
  }

  synchronized long position() {
    return position;
  }

  synchronized long acked() {
    return acked;
  }

  synchronized int staleGrants() {
    return staleGrants;
  }

  // ---- the session's side

  @Override
  public String remote() {
    return "fake";
  }

  /** Links take turns, so that sessions are resumed across lanes, too. */
  @Override
  public int lane() {
    return lane;
  }

  @Override
  public synchronized void onReport(Runnable listener) {
    wake = listener;
    if (slot != null) {
      listener.run();
    }
  }

  @Override
  public void onSwitch(LongSupplier generation, Runnable due) {
    // this client is in no hurry
  }

  @Override
  public synchronized @Nullable Report drain() {
    Report report = slot;
    slot = null;
    return report;
  }

  @Override
  public synchronized void ready(Ready ready) {
    if (over) {
      return;
    }
    readies.add(ready);
    generation = ready.workerGeneration();
    position = ready.offset();
    acked = position;
    requested = position;
    granted = position;
    if (ready instanceof Ready.ReadyGet get) {
      file = get.file();
      end = content.length;
    } else if (ready instanceof Ready.ReadyPut accepted) {
      put = true;
      writer = accepted.writer();
      end = sized ? content.length : Progress.UNKNOWN_END;
    }
    move();
  }

  @Override
  public synchronized void grant(Grant grant) {
    if (grant.payload() != null) {
      throw new IllegalStateException("this client has no way past functions");
    }
    grants.add(grant);
    if (over) {
      return;
    }
    if (grant.workerGeneration() != generation) {
      staleGrants++;
      return;
    }
    if (take(grant.range())) {
      move();
      report();
    }
  }

  private boolean take(Range range) {
    if (inherited && range.offset() <= position && range.end() > position) {
      inherited = false;
      granted = range.end();
      return true;
    }
    if (range.offset() <= granted && range.end() > granted) {
      granted = range.end();
      return true;
    }
    return false;
  }

  @Override
  public synchronized void hold() {
    if (failsAtHold) {
      failsAtHold = false;
      throw new IllegalStateException("killed at hold");
    }
    if (ignoresHold) {
      told.add("HOLD");
      return;
    }
    held = true;
    told.add("MODIFYING " + position);
    report();
  }

  @Override
  public synchronized void swap(long workerGeneration, String module, boolean keep, boolean tell) {
    if (over) {
      return;
    }
    generation = workerGeneration;
    inherited = keep && !held;
    granted = inherited ? granted : position;
    held = false;
    if (tell) {
      told.add("RESUMED " + module);
    }
    move();
    report();
  }

  @Override
  public synchronized void succeed(
      long workerGeneration, String module, long seekEpoch, List<Range> ranges) {
    if (over) {
      return;
    }
    generation = workerGeneration;
    inherited = !held;
    granted = inherited ? granted : position;
    held = false;
    told.add("RESUMED " + module);
    ranges.forEach(this::take);
    move();
    report();
  }

  @Override
  public synchronized @Nullable Report stands() {
    return over || readies.isEmpty() ? null : snapshot();
  }

  @Override
  public synchronized void revoke(long workerGeneration) {
    if (workerGeneration == generation && inherited) {
      inherited = false;
      granted = position;
    }
  }

  @Override
  public void copies(Replication.Whole whole) {
    throw new IllegalStateException("no copies are made here");
  }

  @Override
  public synchronized void durable(long offset) {
    if (!over && offset > acked) {
      acked = offset;
      durables.add(offset);
      move();
      report();
    }
  }

  @Override
  public synchronized void complete(Completed done) {
    if (!over) {
      completed = done;
      over = true;
    }
  }

  @Override
  public synchronized void restart(StoredFile reopened, long workerGeneration) {
    throw new IllegalStateException("RESTART of a file that nobody changes");
  }

  @Override
  public void migrate(UUID session, Place place) {
    throw new IllegalStateException("at " + place);
  }

  @Override
  public synchronized void fail(ErrorCode code, String message) {
    if (!over) {
      failure = Optional.of(code.label() + ": " + message);
      over = true;
      closeFile();
    }
  }

  // ---- the client's side

  private void move() {
    if (over || held) {
      return;
    }
    long most = Math.min(Math.min(granted, content.length), stopAt);
    if (put) {
      sendUpTo(most);
      boolean all = position == content.length && position <= stopAt;
      if (all && !finished) {
        finished = true;
        end = content.length;
        report();
      }
    } else {
      readUpTo(most);
      if (position == end && !finished) {
        finished = true;
        over = true;
        closeFile();
        report();
      }
    }
  }

  private void sendUpTo(long most) {
    Upload.Writer into = writer;
    long room = step == Long.MAX_VALUE ? most : Math.min(most, acked + step);
    while (into != null && position < room) {
      int length = (int) Math.min(64 << 10, room - position);
      ByteBuffer piece = ByteBuffer.allocateDirect(length);
      piece.put(content, (int) position, length).flip();
      into.write(piece, () -> {});
      position += length;
    }
    if (position - acked >= step && position < content.length) {
      requested = position;
    }
  }

  private void readUpTo(long most) {
    StoredFile from = file;
    try {
      while (from != null && position < most) {
        ByteBuffer into =
            ByteBuffer.wrap(read, (int) position, (int) Math.min(1 << 20, most - position));
        position += from.read(into, position);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    acked = position;
  }

  private void closeFile() {
    if (file != null) {
      file.close();
      file = null;
    }
  }

  private Report snapshot() {
    return new Report(
        generation,
        0,
        position,
        acked,
        end,
        inherited ? position : granted,
        put ? requested : 0,
        finished,
        Optional.empty(),
        held,
        /* changed= */ false,
        closure);
  }

  private void report() {
    Report report = snapshot();
    boolean empty = slot == null;
    slot = report;
    Runnable listener = wake;
    if (empty && listener != null) {
      listener.run();
    }
  }
}
