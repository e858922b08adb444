package io.theseus.peer;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.DefaultFileRegion;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.Future;
import io.theseus.store.Source;
import io.theseus.wire.Epoch;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.Packets;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The end of a connection between members that has the bytes: sends what was asked for as soon as
 * it is there, the sessions taking turns, zero-copy from the file where nothing encrypts.
 */
@SuppressWarnings("FutureReturnValueIgnored") // as in Member
final class Giver extends Member {
  /** Packets that may be written and not yet taken by the kernel. */
  private static final int QUEUED = 2;

  /** Ranges of one session that may be asked for ahead. */
  private static final int MOST_PULLS = 64;

  /** Sessions that one connection may ask for at once. */
  private static final int MOST_SESSIONS = 100_000;

  private final PeerSettings settings;
  private final Sources sources;
  private final Executor disk;
  private final @Nullable PeerTls tls;
  private final Map<UUID, Giving> giving = new HashMap<>();
  private final Deque<Giving> turn = new ArrayDeque<>();
  private int queued;
  private boolean over;

  /** What is asked for of one session. */
  private final class Giving {
    final UUID session;
    final Epoch epoch;
    final Deque<PeerMessage.Pull> pulls = new ArrayDeque<>();
    final AtomicBoolean waking = new AtomicBoolean();
    @Nullable Source source;
    long at;

    /** All sums are sent: who goes on with a copy compares what it had, too. */
    int nextSum;

    boolean inTurn;
    boolean reading;

    /** Packets of it that are on their way from its file. */
    int leaving;

    /** Nothing more is sent; its source is closed as soon as nothing uses it. */
    boolean dropped;

    Giving(UUID session, PeerMessage.Pull first) {
      this.session = session;
      this.epoch = first.epoch();
      this.at = first.from();
    }

    /** The source has more: one task is enough for all that came until it runs. */
    void wake() {
      if (waking.compareAndSet(false, true)) {
        execute(
            () -> {
              waking.set(false);
              look(this);
            });
      }
    }
  }

  Giver(
      Channel channel,
      PeerSettings settings,
      Sources sources,
      Executor disk,
      @Nullable PeerTls tls) {
    super(channel, settings.nodeId());
    this.settings = settings;
    this.sources = sources;
    this.disk = disk;
    this.tls = tls;
  }

  @Override
  protected Optional<String> refusal(String node) {
    return settings.nodes().contains(node) && !node.equals(settings.nodeId())
        ? Optional.empty()
        : Optional.of(
            "Node: " + Texts.quote(node) + " (expected: another one of theseus.cluster.nodes)");
  }

  @Override
  protected Optional<String> refusalOfCertificate(SslHandler handler) {
    PeerTls judge = tls;
    return judge == null ? Optional.empty() : judge.refusal(handler.engine().getSession());
  }

  @Override
  protected void begun(String node) {
    // it asks
  }

  @Override
  protected void helloAgain() {
    send(NONE, new PeerMessage.Hello(settings.nodeId()));
  }

  @Override
  protected void onData(UUID session, long offset, int length) throws ProtocolException {
    throw new ProtocolException(
        ErrorCode.BAD_PACKET, "BACKUPDATA that nobody asked for (expected: PULL)");
  }

  @Override
  protected void onPayload(ByteBuf piece, boolean last) {
    piece.release();
  }

  @Override
  protected void onMessage(UUID session, PeerMessage message) throws ProtocolException {
    if (message instanceof PeerMessage.Pull pull) {
      onPull(session, pull);
    } else if (message instanceof PeerMessage.Stop) {
      drop(giving.remove(session));
      send(session, new PeerMessage.Stopped());
    } else {
      throw new ProtocolException(
          ErrorCode.BAD_PACKET,
          message.getClass().getSimpleName() + " (expected: PULL or STOP of who asks)");
    }
  }

  private void onPull(UUID session, PeerMessage.Pull pull) throws ProtocolException {
    Giving one = giving.get(session);
    if (one != null && (!one.epoch.equals(pull.epoch()) || one.dropped)) {
      giving.remove(session);
      drop(one);
      one = null;
    }
    if (one == null) {
      if (giving.size() >= MOST_SESSIONS) {
        throw new ProtocolException(
            ErrorCode.BUSY, "PULL of more than " + MOST_SESSIONS + " sessions (expected: fewer)");
      }
      one = new Giving(session, pull);
      giving.put(session, one);
      one.pulls.add(pull);
      open(one);
      return;
    }
    if (one.pulls.size() >= MOST_PULLS) {
      throw new ProtocolException(
          ErrorCode.BUSY,
          "session " + session + ": more than " + MOST_PULLS + " PULLs (expected: fewer)");
    }
    if (one.pulls.isEmpty()) {
      one.at = pull.from();
    }
    one.pulls.add(pull);
    look(one);
  }

  private void open(Giving one) {
    onDisk(
        one,
        () -> {
          Source opened = sources.open(one.session, one.epoch);
          if (!execute(() -> opened(one, opened))) {
            opened.close();
          }
        });
  }

  private void opened(Giving one, Source opened) {
    if (over || one.dropped) {
      opened.close();
      return;
    }
    one.source = opened;
    opened.onChange(one::wake);
    look(one);
  }

  /** Gives one its turn, where it has something to send. */
  private void look(Giving one) {
    Source source = one.source;
    if (source != null && !one.dropped && !one.pulls.isEmpty()) {
      source.from(one.at);
    }
    if (!one.inTurn && !one.dropped && hasMore(one)) {
      one.inTurn = true;
      turn.add(one);
    }
    send();
  }

  private static boolean hasMore(Giving one) {
    Source source = one.source;
    if (source == null || one.reading) {
      return false;
    }
    PeerMessage.Pull pull = one.pulls.peek();
    return source.failure().isPresent()
        || source.summed() > one.nextSum
        || (pull != null && source.available() > one.at);
  }

  private void send() {
    boolean some = false;
    while (queued < QUEUED && !over) {
      Giving one = turn.poll();
      if (one == null) {
        break;
      }
      one.inTurn = false;
      if (!one.dropped) {
        send(one);
        some = true;
      }
    }
    if (some) {
      channel.flush();
    }
  }

  private void send(Giving one) {
    Source source = one.source;
    if (source == null) {
      return;
    }
    Optional<ProtocolException> failure = source.failure();
    if (failure.isPresent()) {
      fail(one, failure.get());
      return;
    }
    sendSums(one, source);
    PeerMessage.Pull pull = one.pulls.peek();
    if (pull != null && source.available() > one.at) {
      int length = (int) Math.min(LONGEST, Math.min(source.available(), pull.to()) - one.at);
      long from = one.at;
      one.at += length;
      if (one.at == pull.to()) {
        one.pulls.remove();
        PeerMessage.Pull next = one.pulls.peek();
        one.at = next == null ? one.at : next.from();
      }
      send(one, source, from, length);
    }
    if (!one.inTurn && hasMore(one)) {
      one.inTurn = true;
      turn.add(one);
    }
  }

  private void sendSums(Giving one, Source source) {
    int known = source.summed();
    while (one.nextSum < known) {
      int count = Math.min(known - one.nextSum, PeerMessage.MOST_SUMS);
      PeerMessage.Sums sums =
          new PeerMessage.Sums(
              one.nextSum, Arrays.stream(source.sums(one.nextSum, count)).boxed().toList());
      channel.write(
          Unpooled.wrappedBuffer(Packets.backupInfo(one.session, sums.text())),
          channel.voidPromise());
      one.nextSum += count;
    }
  }

  private void send(Giving one, Source source, long from, int length) {
    queued++;
    if (isEncrypted()) {
      one.reading = true;
      onDisk(
          one,
          () -> {
            ByteBuf bytes = read(source.channel(), from, length);
            if (!execute(() -> onRead(one, from, bytes))) {
              bytes.release();
              source.close();
            }
          });
      return;
    }
    one.leaving++;
    channel.write(header(one.session, from, length), channel.voidPromise());
    channel
        .write(new Region(source.channel(), from, length))
        .addListener(
            left -> {
              one.leaving--;
              closeIdle(one);
              onLeft(left);
            });
  }

  private ByteBuf header(UUID session, long from, int length) {
    ByteBuffer header = ByteBuffer.allocate(Packets.BACKUPDATA_HEADER);
    Packets.putBackupDataHeader(header, session, length, from);
    return Unpooled.wrappedBuffer(header.flip());
  }

  private ByteBuf read(FileChannel file, long from, int length) throws IOException {
    ByteBuf bytes = channel.alloc().directBuffer(length, length);
    boolean whole = false;
    try {
      while (bytes.isWritable()) {
        if (bytes.writeBytes(file, from + bytes.readableBytes(), bytes.writableBytes()) < 0) {
          throw new EOFException(
              "it ends at "
                  + (from + bytes.readableBytes())
                  + " (expected: "
                  + (from + length)
                  + ")");
        }
      }
      whole = true;
      return bytes;
    } finally {
      if (!whole) {
        bytes.release();
      }
    }
  }

  private void onRead(Giving one, long from, ByteBuf bytes) {
    one.reading = false;
    if (over || one.dropped) {
      bytes.release();
      queued--;
      closeIdle(one);
    } else {
      channel.write(header(one.session, from, bytes.readableBytes()), channel.voidPromise());
      channel.writeAndFlush(bytes).addListener(left -> onLeft(left));
    }
    look(one);
  }

  private void onLeft(Future<?> left) {
    queued--;
    if (left.isSuccess()) {
      send();
    } else {
      end("a file can't be sent: " + left.cause().getMessage());
    }
  }

  /** What may throw, on a disk thread. */
  private interface Task {
    void run() throws IOException, ProtocolException;
  }

  private void onDisk(Giving one, Task task) {
    try {
      disk.execute(
          () -> {
            try {
              task.run();
            } catch (IOException e) {
              String reason = String.valueOf(e.getMessage());
              broken(one, new ProtocolException(ErrorCode.INTERNAL, reason));
            } catch (ProtocolException e) {
              broken(one, e);
            }
          });
    } catch (RejectedExecutionException e) {
      notRead(one);
      end("this node stops");
    }
  }

  /** By a disk thread. */
  private void broken(Giving one, ProtocolException reason) {
    Source source = one.source; // from before the task: nobody else touches it while it reads
    boolean told =
        execute(
            () -> {
              notRead(one);
              fail(one, reason);
              send();
            });
    if (!told && source != null) {
      source.close();
    }
  }

  private void notRead(Giving one) {
    if (one.reading) {
      one.reading = false;
      queued--;
      closeIdle(one);
    }
  }

  private void fail(Giving one, ProtocolException reason) {
    if (!one.dropped) {
      giving.remove(one.session, one);
      drop(one);
      send(one.session, new PeerMessage.Failed(reason.code(), reason.reason()));
    }
  }

  private static void drop(@Nullable Giving one) {
    if (one != null && !one.dropped) {
      one.dropped = true;
      closeIdle(one);
    }
  }

  private static void closeIdle(Giving one) {
    Source source = one.source;
    if (one.dropped && !one.reading && one.leaving == 0 && source != null) {
      source.close();
    }
  }

  /** False where the node stops. */
  private boolean execute(Runnable task) {
    try {
      channel.eventLoop().execute(task);
      return true;
    } catch (RejectedExecutionException e) {
      return false;
    }
  }

  @Override
  protected void over(String reason) {
    over = true;
    giving.values().forEach(Giver::drop);
    giving.clear();
    turn.clear();
  }

  /** Part of a file that belongs to its source. */
  private static final class Region extends DefaultFileRegion {
    Region(FileChannel file, long position, long count) {
      super(file, position, count);
    }

    @Override
    protected void deallocate() {
      // the source closes it
    }
  }
}
