package io.theseus.net;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.DefaultFileRegion;
import io.theseus.channel.Progress;
import io.theseus.channel.Range;
import io.theseus.session.Counters;
import io.theseus.session.Grant;
import io.theseus.session.PayloadPath;
import io.theseus.session.Ready;
import io.theseus.session.Report;
import io.theseus.store.LiveStream;
import io.theseus.store.StoredFile;
import io.theseus.wire.ClientMessage;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.Packets;
import io.theseus.wire.ProtocolException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A GET on its connection: sends what is granted, zero-copy from the file, read from it where TLS
 * encrypts, or copied from a stream; past the functions that look at the bytes, where there are any
 * ({@link Passing}).
 *
 * <p>At most {@value #QUEUED} packets wait in the channel, so that a hold, a switch or an ERROR
 * takes effect soon; their size follows the rate at which the client takes them, which the
 * connection remembers for its next GET.
 */
// as in Connection
@SuppressWarnings("FutureReturnValueIgnored")
final class GetLink extends Link {
  private static final Logger LOG = LoggerFactory.getLogger(GetLink.class);

  /** Packets that may be written and not yet taken by the kernel. */
  private static final int QUEUED = 2;

  /** A packet's size before anything is known of a client's rate. */
  static final int LEAST_PACKET = 64 * 1024;

  /** What is copied, for TLS or from a stream, is held in memory until it has left. */
  private static final int LONGEST_COPY = 1024 * 1024;

  /** A packet that goes out faster is followed by a longer one. */
  private static final long FAST_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private static final long SLOW_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  /** The session hears at least after so many bytes. */
  private static final long REPORT_BYTES = 4L << 20;

  /** Shorter ranges are not read ahead. */
  private static final int READ_AHEAD = 256 * 1024;

  private final ClientMessage.Get get;
  private final LongAdder sentBytes;
  private final FileReads reads;
  private @Nullable GetPump pump;
  private @Nullable StoredFile file;
  private @Nullable LiveStream live;
  private String identity = "";
  private OptionalLong window = OptionalLong.empty();
  private int maxData;
  private long lastLeft = System.nanoTime();
  private int queued;
  private int regions;
  private final AtomicBoolean waking = new AtomicBoolean();
  private boolean endSent;
  private boolean holdTold;

  /** The packet that functions look at; nothing else leaves meanwhile. */
  private @Nullable Passing passing;

  /** Whether the client has, or may have, other bytes than the file's. */
  private boolean altered;

  private boolean changed;
  private boolean finished;

  /** Where what is to be read ahead of ends. */
  private long aheadTo;

  private long reportedEpoch;
  private long reportedPosition;
  private long reportedAcked;

  GetLink(Connection connection, ClientMessage.Get get) {
    super(connection);
    this.get = get;
    this.sentBytes = connection.door().counters().of(Counters.Count.BYTES_SENT);
    this.reads = new FileReads(connection, this::onRead);
  }

  @Override
  protected void onReady(Ready ready) {
    Ready.ReadyGet accepted = (Ready.ReadyGet) ready;
    file = accepted.file();
    live = accepted.live();
    identity = accepted.identity();
    altered = accepted.altered();
    connection.door().counters().add(Counters.Count.DOWNLOADS_BEGUN);
    NetSettings settings = connection.settings();
    maxData = (int) Math.min(settings.maxData(), get.maxData().orElse(settings.maxData()));
    if (get.window().isPresent()) {
      window = OptionalLong.of(Math.min(get.window().getAsLong(), settings.getWindow()));
      maxData = (int) Math.min(maxData, window.getAsLong());
    }
    StoredFile opened = file;
    OptionalLong size = opened == null ? OptionalLong.empty() : OptionalLong.of(opened.size());
    int announced = (int) Math.min(settings.maxData(), get.maxData().orElse(settings.maxData()));
    connection.sendInfo(
        Replies.readyGet(
            accepted,
            size,
            connection.door().node().get(),
            connection.door().nodes().get(),
            announced,
            settings.idle().toSeconds(),
            window));
    GetPump begun =
        new GetPump(
            accepted.offset(),
            size.orElse(Progress.UNKNOWN_END),
            isRewindable(),
            window,
            maxData,
            accepted.workerGeneration());
    pump = begun;
    LiveStream stream = live;
    if (accepted.restart()) {
      OptionalLong known = stream == null ? size : stream.size();
      endSent = known.isPresent();
      begun.restart(known.orElse(Progress.UNKNOWN_END), accepted.workerGeneration());
      connection.sendInfo(Replies.restart(identity, known));
    }
    if (stream != null) {
      stream.onChange(this::wake);
    }
    progress();
  }

  private boolean isRewindable() {
    LiveStream stream = live;
    return stream == null || stream.isRewindable();
  }

  /** The stream has more: one task is enough for all that came until it runs. */
  private void wake() {
    if (waking.compareAndSet(false, true)) {
      soon(
          () -> {
            waking.set(false);
            progress();
          });
    }
  }

  @Override
  protected void dropped(Ready ready) {
    if (ready instanceof Ready.ReadyGet accepted) {
      closeLater(accepted.file());
    }
  }

  @Override
  public void restart(StoredFile reopened, long workerGeneration) {
    connection.execute(
        () -> {
          if (over()) {
            closeLater(reopened);
            return;
          }
          // what is still read of the old file must not follow
          reads.drop();
          passing = null;
          closeLater(file);
          file = reopened;
          identity = reopened.identity();
          altered = false; // the client begins anew
          changed = false;
          pump().restart(reopened.size(), workerGeneration);
          connection.sendInfo(Replies.restart(identity, OptionalLong.of(reopened.size())));
          report();
        });
  }

  @Override
  protected void onGrant(Grant grant) {
    Range range = grant.range();
    pump().grant(grant.workerGeneration(), grant.seekEpoch(), range, grant.payload());
    readAhead(range.offset(), range.end());
    progress();
  }

  private void readAhead(long offset, long end) {
    StoredFile opened = file;
    LiveStream stream = live;
    long length = end - offset;
    aheadTo = end;
    if (opened != null && length >= READ_AHEAD) {
      // what is there already is not asked for: walking its pages again costs a thread's wake-up
      // and several times as much
      if (opened.mayWait(offset, length)) {
        connection.disk().execute(() -> opened.willNeed(offset, length));
      }
    } else if (stream != null && stream.end() - offset >= READ_AHEAD) {
      connection.disk().execute(() -> stream.willNeed(offset, length));
    }
  }

  @Override
  protected void onHold() {
    forgetRemark();
    pump().hold();
    tellHold();
  }

  /** What functions look at is sent before it stands still. */
  private void tellHold() {
    if (pump().held() && passing == null) {
      if (!holdTold) {
        holdTold = true;
        connection.sendInfo(Replies.modifying(pump().position()));
      }
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
    GetPump begun = pump;
    if (begun == null || over()) {
      return;
    }
    if (live != null && !checkLive(begun)) {
      return;
    }
    lookAtSwitch();
    while (queued < QUEUED && passing == null && !changed) {
      int length = begun.next(Math.min(connection.packetSize(), longest()));
      if (length <= 0 || !send(begun, length)) {
        break;
      }
    }
    if (begun.complete() && !finished) {
      complete(begun);
      return;
    }
    boolean due =
        begun.epoch() != reportedEpoch
            || begun.position() - reportedPosition >= REPORT_BYTES
            || begun.acked() - reportedAcked >= REPORT_BYTES;
    if (due) {
      report();
    }
  }

  private int longest() {
    if (pump().payload() != null) {
      return Passing.LONGEST;
    }
    return live != null || connection.encrypted() ? LONGEST_COPY : Packets.MAX_MAX_DATA;
  }

  /**
   * Sends END when the stream's is known, and ERROR when it broke or has left the reader behind.
   */
  private boolean checkLive(GetPump begun) {
    LiveStream stream = live;
    if (stream == null) {
      return true;
    }
    Optional<ProtocolException> failure = stream.failure();
    if (failure.isPresent()) {
      connection.refuse(failure.get(), /* endsSession= */ true);
      return false;
    }
    if (begun.restarting()) {
      return true; // where it goes on is the client's to say
    }
    if (begun.position() < stream.base()) {
      connection.refuse(
          new ProtocolException(
              ErrorCode.BAD_OFFSET,
              "the stream went on without this reader, which is at "
                  + begun.position()
                  + " (expected: "
                  + stream.base()
                  + " to "
                  + stream.end()
                  + ", what the live stream still keeps)"),
          /* endsSession= */ true);
      return false;
    }
    if (!endSent && stream.size().isPresent()) {
      endSent = true;
      connection.sendInfo(Replies.end(stream.size().getAsLong()));
      begun.end(stream.size().getAsLong());
    }
    return true;
  }

  private boolean send(GetPump begun, int length) {
    tellSwitch();
    StoredFile opened = file;
    LiveStream stream = live;
    PayloadPath path = begun.payload();
    if (path != null) {
      return pass(begun, length, path);
    }
    if (opened != null && opened.channel().isPresent()) {
      FileChannel channel = opened.channel().get();
      if (connection.encrypted()) {
        regions++;
        sent(begun, length, reads.send(channel, begun.position(), length));
      } else {
        sendRegion(begun, channel, length);
      }
      return true;
    }
    long there = stream == null ? length : Math.min(length, stream.end() - begun.position());
    return there > 0 && sendCopy(begun, (int) there, this::read);
  }

  /** Begins to let a packet pass; false where nothing of it is there. */
  private boolean pass(GetPump begun, int length, PayloadPath path) {
    StoredFile opened = file;
    if (opened != null && opened.channel().isPresent()) {
      regions++;
      passing(begun, length, path).readAndPass(opened::read);
      return true;
    }
    LiveStream stream = live;
    long there = stream == null ? length : Math.min(length, stream.end() - begun.position());
    if (there <= 0) {
      return false;
    }
    Passing packet = passing(begun, (int) there, path);
    if (packet.read(this::read)) {
      packet.pass();
      return true;
    }
    passing = null;
    lookAgain();
    return false;
  }

  /** A stream that others read, too, went on without this reader, or failed. */
  private void lookAgain() {
    LiveStream stream = live;
    if (stream != null && stream.isRewindable()) {
      wake();
    }
  }

  /** Reads what never waits for the disk. */
  private int read(ByteBuffer into, long from) throws IOException {
    StoredFile opened = file;
    LiveStream stream = live;
    if (opened != null) {
      return opened.read(into, from);
    }
    return stream == null ? -1 : stream.read(from, into);
  }

  private Passing passing(GetPump begun, int length, PayloadPath path) {
    Passing begins =
        new Passing(connection, this::passed, path, begun.position(), length, begun.epoch());
    passing = begins;
    return begins;
  }

  /** A packet has passed, or not: then it is granted anew, and read again. */
  private void passed(Passing packet, boolean through) {
    if (packet.ofFile()) {
      fileFreed();
    }
    if (packet != passing) {
      return; // given up meanwhile
    }
    passing = null;
    GetPump begun = pump();
    IOException failure = packet.failure();
    if (failure != null) {
      refuseUnread(failure);
      return;
    } else if (packet.missing() > 0) {
      changed();
    } else if (!through) {
      begun.refused(packet.path());
    } else if (packet.seekEpoch() == begun.epoch()) {
      altered |= packet.path().transforms();
      sendCopy(begun, packet.length(), packet::copy);
    }
    tellHold();
    progress();
  }

  /** Sends a packet of what is in memory; false where that was closed. */
  private boolean sendCopy(GetPump begun, int length, Passing.Content content) {
    int size = Packets.DATA_HEADER + length;
    boolean small = size <= Outbox.SMALL;
    ByteBuf packet =
        small ? connection.outbox().append(size) : connection.channel().alloc().ioBuffer(size);
    int at = packet.writerIndex();
    ByteBuffer view = packet.internalNioBuffer(at, size);
    Packets.putDataHeader(view, length, begun.position());
    int read;
    try {
      read = content.read(view, begun.position());
    } catch (IOException e) {
      read = -1;
    }
    if (read == length) {
      packet.writerIndex(at + size);
      connection.written();
      sent(begun, length, small ? connection.outbox().left() : connection.write(packet));
    } else {
      if (!small) {
        packet.release();
      }
      lookAgain();
    }
    return read == length;
  }

  private void sendRegion(GetPump begun, FileChannel channel, int length) {
    long at = begun.position();
    ByteBuf header = connection.outbox().append(Packets.DATA_HEADER);
    int end = header.writerIndex() + Packets.DATA_HEADER;
    Packets.putDataHeader(
        header.internalNioBuffer(header.writerIndex(), Packets.DATA_HEADER), length, at);
    header.writerIndex(end);
    Region region = new Region(channel, at, length);
    regions++;
    ChannelFuture written = connection.write(region);
    written.addListener(done -> regionDone(region, done.cause()));
    sent(begun, length, written);
  }

  private void sent(GetPump begun, int length, ChannelFuture written) {
    begun.sent(length);
    sentBytes.add(length);
    queued++;
    long since = System.nanoTime();
    int size = Math.min(connection.packetSize(), longest());
    written.addListener(
        done -> {
          queued--;
          long now = System.nanoTime();
          long took = now - Math.max(since, lastLeft); // without the wait for the one before it
          lastLeft = now;
          if (length >= size && took < FAST_NANOS) {
            connection.packetSize(Math.min(size * 2, Packets.MAX_MAX_DATA));
          } else if (took > SLOW_NANOS) {
            connection.packetSize(Math.max(LEAST_PACKET, size / 2));
          }
          if (done.isSuccess()) {
            progress();
            connection.flush();
          }
        });
  }

  /** A region of a file that became shorter ends early: the packet must still be whole. */
  private void regionDone(Region region, @Nullable Throwable failure) {
    if (failure == null && region.missing() > 0) {
      pad(region.missing());
      changed();
    }
    fileFreed();
  }

  /** A packet for TLS was read; where bytes were missing it is padded already. */
  private void onRead(int missing, @Nullable IOException failure) {
    if (failure != null && !over()) {
      refuseUnread(failure);
    } else if (missing > 0) {
      changed();
    }
    fileFreed();
  }

  private void refuseUnread(IOException failure) {
    connection.refuse(
        new ProtocolException(
            ErrorCode.INTERNAL,
            "reading " + get.name() + " failed (expected: no failure): " + failure.getMessage()),
        /* endsSession= */ false);
  }

  private void fileFreed() {
    regions--;
    if (over() && regions == 0) {
      closeLater(file);
      file = null;
    }
  }

  /** The file is not what it was: the session finds out what it is now. */
  private void changed() {
    if (!changed && !over()) {
      changed = true;
      LOG.warn("{}: the file changed while it was sent", remote());
      report();
    }
  }

  private void pad(long bytes) {
    ByteBuf zeros = connection.channel().alloc().ioBuffer((int) bytes);
    zeros.writeZero((int) bytes);
    connection.write(zeros);
    connection.flush();
  }

  private void complete(GetPump begun) {
    StoredFile opened = file;
    if (opened != null && opened.isChanged()) {
      changed();
      return;
    }
    finished = true;
    tellSwitch();
    connection.sendInfo(
        Replies.complete(
            begun.end(), identity, opened == null || altered ? Optional.empty() : opened.sha256()));
    connection.door().counters().add(Counters.Count.DOWNLOADS_COMPLETED);
    connection.door().steps().at("get.complete-sent");
    end();
    report();
    connection.sessionOver(this);
  }

  @Override
  protected void onOver() {
    reads.drop();
    passing = null;
    if (regions == 0) {
      closeLater(file);
      file = null;
    }
  }

  private void closeLater(@Nullable StoredFile closing) {
    if (closing != null && closing.channel().isPresent()) {
      connection.disk().execute(closing::close);
    }
  }

  @Override
  protected Report snapshot() {
    GetPump begun = pump;
    if (begun == null) {
      return Report.beforeReady(closure());
    }
    return new Report(
        begun.generation(),
        begun.epoch(),
        begun.position(),
        begun.acked(),
        begun.end(),
        begun.grantedNow(),
        0,
        finished,
        Optional.empty(),
        begun.held() && passing == null,
        changed,
        closure());
  }

  @Override
  boolean mayTake() {
    GetPump begun = pump;
    return begun != null && !begun.saturated();
  }

  @Override
  boolean takesNextCommand() {
    return false;
  }

  @Override
  boolean outlivesInput() {
    return false;
  }

  @Override
  boolean owes() {
    return false; // what is sent is the client's to acknowledge, and a stream's pause to sit out
  }

  @Override
  void onOffset(long offset) throws ProtocolException {
    LiveStream stream = live;
    if (stream != null && stream.isRewindable()) {
      requireKept(stream, offset);
    }
    pump().offset(offset);
    progress();
  }

  /** An OFFSET that does not only acknowledge goes where there is something. */
  private void requireKept(LiveStream stream, long offset) throws ProtocolException {
    GetPump begun = pump();
    boolean acknowledges =
        begun.restarting()
            ? offset != 0
            : window.isPresent() && offset >= begun.acked() && offset <= begun.position();
    if (!acknowledges && (offset < stream.base() || offset > stream.end())) {
      throw new ProtocolException(
          ErrorCode.BAD_OFFSET,
          "OFFSET: "
              + offset
              + " (expected: "
              + stream.base()
              + " to "
              + stream.end()
              + ", what the live stream still keeps)");
    }
  }

  @Override
  void onData(long offset, int length) throws ProtocolException {
    throw new ProtocolException(
        ErrorCode.BAD_PACKET, "DATA at " + offset + " within a GET (expected: OFFSET)");
  }

  @Override
  void onPayload(ByteBuf input, int index, int length) {
    throw new IllegalStateException("payload without DATA");
  }

  @Override
  void onEnd(ClientMessage.End end) throws ProtocolException {
    throw new ProtocolException(
        ErrorCode.BAD_PACKET, "END within a GET (expected: OFFSET or ALIVE)");
  }

  @Override
  void tick(long now) {
    GetPump begun = pump;
    if (begun != null && begun.acked() > reportedAcked) {
      report(); // marks of slow transfers are due by time
    }
  }

  @Override
  protected void reported(Report report) {
    reportedEpoch = report.seekEpoch();
    reportedPosition = report.position();
    reportedAcked = report.acked();
  }

  @Override
  protected @Nullable Pump pumped() {
    return pump;
  }

  @Override
  protected void take(long workerGeneration, long seekEpoch, Range range) {
    pump().grant(workerGeneration, seekEpoch, range, /* path= */ null);
    if (range.end() > aheadTo) { // most of it was granted before
      readAhead(Math.max(range.offset(), aheadTo), range.end());
    }
  }

  private GetPump pump() {
    GetPump begun = pump;
    if (begun == null) {
      throw new IllegalStateException("not accepted yet");
    }
    return begun;
  }

  /**
   * A region that leaves the file open, because others send from it too, and that ends where the
   * file ends, if that became shorter: sendfile has nothing to send then, and the transport takes
   * that for a broken connection.
   */
  private static final class Region extends DefaultFileRegion {
    private final FileChannel file;
    private final long promised;

    Region(FileChannel file, long position, long count) {
      super(file, position, count);
      this.file = file;
      this.promised = count;
    }

    /** Asked before each attempt to send. */
    @Override
    public long count() {
      try {
        return Math.min(promised, Math.max(transferred(), file.size() - position()));
      } catch (IOException e) {
        return promised;
      }
    }

    /** Bytes that were promised and are not in the file any more. */
    long missing() {
      return promised - transferred();
    }

    @Override
    protected void deallocate() {
      // the file belongs to the link
    }
  }
}
