package io.theseus.net;

import io.netty.buffer.ByteBuf;
import io.theseus.backup.Replication;
import io.theseus.channel.Progress;
import io.theseus.channel.Range;
import io.theseus.session.Counters;
import io.theseus.session.Grant;
import io.theseus.session.PayloadPath;
import io.theseus.session.Ready;
import io.theseus.session.Report;
import io.theseus.store.Completed;
import io.theseus.store.Upload;
import io.theseus.wire.ClientMessage;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.ProtocolException;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * A PUT on its connection: hands what comes to the upload, and acknowledges what became durable.
 *
 * <p>Input is taken only where it is granted and the disk keeps up; otherwise it stays with the
 * kernel and the client. Where functions look at the bytes, pieces of packets pass them first, one
 * at a time, in order; a piece that doesn't get through stays here, and goes what way the next
 * grant says.
 */
// as in Connection
@SuppressWarnings("FutureReturnValueIgnored")
final class PutLink extends Link {
  /** Bytes that may wait for the disk. */
  private static final long BACKLOG = 4L << 20;

  /** The same while all PUTs together keep the disk too busy. */
  private static final long BACKLOG_LEAST = 512L << 10;

  private static final long REPORT_BYTES = 4L << 20;

  private final ClientMessage.Put put;
  private final LongAdder receivedBytes;
  private @Nullable PutPump pump;
  private Upload.@Nullable Writer writer;
  private Optional<String> sha256 = Optional.empty();

  /** Bytes of this PUT that wait for the disk; disk threads take off what they are done with. */
  private final AtomicLong backlog = new AtomicLong();

  /** What was received and is not handed on, because functions look at it first. */
  private final ArrayDeque<ByteBuf> pieces = new ArrayDeque<>();

  /** Whether they look at the first of these now. */
  private boolean passing;

  private long lastOffset = -1;
  private boolean holdTold;
  private boolean timing;
  private long timedPosition;
  private boolean finishReported;
  private long reportedPosition;

  PutLink(Connection connection, ClientMessage.Put put) {
    super(connection);
    this.put = put;
    this.receivedBytes = connection.door().counters().of(Counters.Count.BYTES_RECEIVED);
  }

  @Override
  protected void onReady(Ready ready) {
    Ready.ReadyPut accepted = (Ready.ReadyPut) ready;
    connection.door().counters().add(Counters.Count.UPLOADS_BEGUN);
    NetSettings settings = connection.settings();
    writer = accepted.writer();
    long end = accepted.size().orElse(Progress.UNKNOWN_END);
    connection.sendInfo(
        Replies.readyPut(
            accepted,
            connection.door().node().get(),
            connection.door().nodes().get(),
            settings.maxData(),
            settings.idle().toSeconds(),
            settings.putWindow(),
            connection.door().keepSeconds()));
    PutPump begun =
        new PutPump(accepted.offset(), end, settings.putWindow(), accepted.workerGeneration());
    pump = begun;
    finishReported = begun.finished();
    if (!begun.finished()) {
      sendOffset(accepted.offset());
    }
  }

  @Override
  protected void dropped(Ready ready) {
    // the upload belongs to the session
  }

  @Override
  protected void onGrant(Grant grant) {
    granted(grant.workerGeneration(), grant.range(), grant.payload());
    passOn();
  }

  private void granted(long workerGeneration, Range range, @Nullable PayloadPath path) {
    PutPump begun = pump();
    boolean starved = begun.starved();
    begun.grant(workerGeneration, range, path);
    if (begun.starved() && !starved) {
      report(); // a successor's first word, which ends within the packet that is being taken
    }
  }

  @Override
  protected void onHold() {
    forgetRemark();
    pump().hold();
    if (holdTold) {
      report(); // the client knows; who holds it again does not
    }
    tellHold();
  }

  private void tellHold() {
    if (pump().standsStill() && !holdTold) {
      holdTold = true;
      connection.sendInfo(Replies.modifying(pump().position()));
      report();
    }
  }

  @Override
  protected void onSwap(long workerGeneration, boolean keep) {
    holdTold = false;
    if (keep) {
      pump().succeed(workerGeneration);
    } else {
      pump().swap(workerGeneration);
    }
  }

  @Override
  protected void onRevoke(long workerGeneration) {
    pump().revoke(workerGeneration);
  }

  @Override
  protected void progress() {
    // input that waits is taken by the connection behind every task
    passOn();
  }

  @Override
  public void durable(long offset) {
    whileServing(
        () -> {
          if (pump().durable(offset)) {
            sendOffset(offset);
          }
        });
  }

  @Override
  public void copies(Replication.Whole whole) {
    whileServing(() -> connection.sendInfo(Replies.copies(whole)));
  }

  @Override
  public void complete(Completed completed) {
    whileServing(
        () -> {
          // a checkpoint just before END may have said OFFSET(size) already: it is said once
          if (lastOffset != completed.size()) {
            sendOffset(completed.size());
          }
          tellSwitch();
          connection.sendInfo(Replies.complete(completed));
          connection.door().counters().add(Counters.Count.UPLOADS_COMPLETED);
          end();
          connection.sessionOver(this);
        });
  }

  private void sendOffset(long offset) {
    tellSwitch();
    lastOffset = offset;
    connection.sendOffset(offset);
  }

  @Override
  protected void onOver() {
    writer = null;
    ByteBuf piece;
    while ((piece = pieces.poll()) != null) {
      free(piece, piece.readableBytes());
    }
  }

  @Override
  protected Report snapshot() {
    PutPump begun = pump;
    if (begun == null) {
      return Report.beforeReady(closure());
    }
    return new Report(
        begun.generation(),
        0,
        begun.position(),
        begun.acked(),
        begun.end(),
        begun.starved() ? begun.position() : begun.grantedNow(),
        begun.requested(),
        begun.finished(),
        sha256,
        begun.standsStill(),
        false,
        closure());
  }

  @Override
  boolean mayTake() {
    PutPump begun = pump;
    if (begun == null) {
      return false;
    }
    if (begun.whole()) {
      return true; // late END, ALIVE, one command
    }
    long most =
        connection.door().backlog().get() > DoorContext.BACKLOG_MOST ? BACKLOG_LEAST : BACKLOG;
    return backlog.get() < most && begun.mayTake();
  }

  @Override
  boolean takesNextCommand() {
    return pump().whole();
  }

  @Override
  boolean outlivesInput() {
    PutPump begun = pump;
    return begun != null && begun.whole();
  }

  @Override
  boolean owes() {
    PutPump begun = pump;
    return begun != null && (begun.requested() > begun.acked() || begun.passing());
  }

  @Override
  void onOffset(long offset) throws ProtocolException {
    throw new ProtocolException(
        ErrorCode.BAD_PACKET, "OFFSET " + offset + " within a PUT (expected: DATA or END)");
  }

  @Override
  void onData(long offset, int length) throws ProtocolException {
    lookAtSwitch();
    pump().data(offset, length);
    if (pump().starved()) {
      report(); // the packet waits for a grant, which waits for a report
    }
  }

  @Override
  void onPayload(ByteBuf input, int index, int length) {
    if (writer == null) {
      return;
    }
    ByteBuf piece = input.retainedSlice(index, length);
    backlog.addAndGet(length);
    receivedBytes.add(length);
    connection.door().backlog().addAndGet(length);
    PutPump begun = pump();
    begun.received(length);
    if (pieces.isEmpty() && begun.payload() == null) {
      handOn(piece);
    } else {
      pieces.add(piece);
      passOn();
    }
  }

  /** Lets the next piece pass, where it is granted and none is on the way. */
  private void passOn() {
    PutPump begun = pump;
    ByteBuf piece;
    while (begun != null && !passing && (piece = pieces.peek()) != null) {
      int length = piece.readableBytes();
      if (begun.grantedAhead() < length) {
        return;
      }
      PayloadPath path = begun.payload();
      if (path == null) {
        pieces.remove();
        handOn(piece);
      } else {
        passing = true;
        byte[] bytes = new byte[length]; // dropped where code hangs, as it may still write there
        piece.getBytes(piece.readerIndex(), bytes);
        path.pass(begun.position(), bytes)
            .thenAccept(through -> connection.execute(() -> passed(path, bytes, through)));
      }
    }
  }

  private void passed(PayloadPath path, byte[] bytes, boolean through) {
    passing = false;
    if (over()) {
      return;
    }
    if (through) {
      ByteBuf piece = pieces.remove();
      if (path.transforms()) {
        ByteBuf stored = connection.channel().alloc().directBuffer(bytes.length, bytes.length);
        stored.writeBytes(bytes);
        handOn(piece, stored);
      } else {
        handOn(piece);
      }
    } else {
      pump().refused(path);
    }
    tellHold();
    passOn();
  }

  /** Hands bytes to the upload as they came. */
  private void handOn(ByteBuf piece) {
    Upload.Writer target = writer;
    if (target != null) {
      int length = piece.readableBytes();
      target.write(piece.nioBuffer(), () -> written(piece, length));
      handedOn(length);
    }
  }

  /** Hands other bytes to the upload than came. */
  private void handOn(ByteBuf piece, ByteBuf changed) {
    Upload.Writer target = writer;
    if (target != null) {
      int length = piece.readableBytes();
      target.write(
          changed.nioBuffer(),
          piece.nioBuffer(),
          () -> {
            changed.release();
            written(piece, length);
          });
      handedOn(length);
    }
  }

  private void handedOn(int length) {
    PutPump begun = pump();
    begun.handedOn(length);
    if (begun.finished()) {
      finished();
      return;
    }
    boolean due = begun.checkpoint(/* quiet= */ false);
    if (due || begun.position() - reportedPosition >= REPORT_BYTES || begun.starved()) {
      report();
    }
    tellHold();
    startTimer();
  }

  /** Called by a disk thread. */
  private void written(ByteBuf piece, int length) {
    if (free(piece, length) >= BACKLOG_LEAST) {
      connection.execute(() -> {}); // input may wait for it
    }
  }

  /** Returns what waited so far. */
  private long free(ByteBuf piece, int length) {
    piece.release();
    connection.door().backlog().addAndGet(-length);
    return backlog.getAndAdd(-length);
  }

  private void finished() {
    if (!finishReported) {
      finishReported = true;
      connection.door().steps().at("put.received");
      report();
    }
  }

  /** A PUT that pauses is made durable soon, not only at half a window. */
  private void startTimer() {
    if (!timing) {
      timing = true;
      timedPosition = pump().position();
      connection
          .channel()
          .eventLoop()
          .schedule(
              this::onTimer,
              connection.settings().checkpointDelay().toMillis(),
              TimeUnit.MILLISECONDS);
    }
  }

  private void onTimer() {
    timing = false;
    if (over() || pump().finished()) {
      return;
    }
    if (pump().position() != timedPosition) {
      startTimer(); // still coming
    } else if (pump().checkpoint(/* quiet= */ true)) {
      report();
    }
  }

  @Override
  void onEnd(ClientMessage.End end) {
    try {
      if (end.sha256().isPresent()
          && put.sha256().isPresent()
          && !end.sha256().equals(put.sha256())) {
        throw new ProtocolException(
            ErrorCode.BAD_FIELD,
            "SHA-256 of END: "
                + end.sha256().get()
                + " (expected: that of the PUT, "
                + put.sha256().get()
                + ")");
      }
      pump().end(end.size()); // last: from here on the PUT is whole
    } catch (ProtocolException e) {
      connection.refuse(e, /* endsSession= */ true);
      return;
    }
    if (end.sha256().isPresent()) {
      sha256 = end.sha256();
    }
    if (pump().finished()) {
      finished();
    }
  }

  @Override
  void tick(long now) {
    // checkpoints have a timer of their own
  }

  @Override
  protected void reported(Report report) {
    reportedPosition = report.position();
  }

  @Override
  protected @Nullable Pump pumped() {
    return pump;
  }

  @Override
  protected void take(long workerGeneration, long seekEpoch, Range range) {
    granted(workerGeneration, range, /* path= */ null);
  }

  private PutPump pump() {
    PutPump begun = pump;
    if (begun == null) {
      throw new IllegalStateException("not accepted yet");
    }
    return begun;
  }
}
