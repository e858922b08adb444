package io.theseus.peer;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** The end of a connection between members that asks for bytes. */
final class Taker extends Member {
  private final String node;
  private final Runnable onOver;
  private final LongAdder copied;
  private final AtomicLong held;
  private final long mostHeld;
  private final Runnable onRoom;
  private final Map<UUID, Intake> intakes = new HashMap<>();

  /** STOPs that were not answered: what comes of these sessions was asked for before. */
  private final Map<UUID, Integer> stopping = new HashMap<>();

  /** What was asked for before the other end said who it is. */
  private final List<Runnable> early = new ArrayList<>();

  private boolean begun;

  /** Why it has ended; null while it has not. */
  private @Nullable String over;

  private @Nullable Intake taking;
  private long at;

  /**
   * Asks a node.
   *
   * @param node that it must be
   * @param copied counts bytes that come, of all connections of the node
   * @param held bytes that intakes have not released, of all connections of the node
   * @param mostHeld with more nothing is read
   * @param onRoom told, by any thread, when that are no longer too many: all may read again
   * @param onOver told once, on the loop
   */
  Taker(
      Channel channel,
      String nodeId,
      String node,
      LongAdder copied,
      AtomicLong held,
      long mostHeld,
      Runnable onRoom,
      Runnable onOver) {
    super(channel, nodeId);
    this.node = node;
    this.copied = copied;
    this.held = held;
    this.mostHeld = mostHeld;
    this.onRoom = onRoom;
    this.onOver = onOver;
  }

  /** Asks for bytes of a session; on the loop. */
  void pull(UUID session, PeerMessage.Pull pull, Intake intake) {
    String ended = over;
    if (ended != null) {
      intake.lost(ended);
      return;
    }
    Intake before = intakes.get(session);
    if (before != null && !before.equals(intake)) {
      stop(session, before);
      before.lost("somebody else asks for it now");
    }
    intakes.put(session, intake);
    say(() -> send(session, pull));
  }

  /** Asks for nothing more of a session; on the loop. */
  void stop(UUID session, Intake intake) {
    if (over == null && intakes.remove(session, intake)) {
      stopping.merge(session, 1, Integer::sum);
      say(() -> send(session, new PeerMessage.Stop()));
    }
  }

  private void say(Runnable message) {
    if (begun) {
      message.run();
    } else {
      early.add(message);
    }
  }

  @Override
  protected Optional<String> refusal(String found) {
    return found.equals(node)
        ? Optional.empty()
        : Optional.of("Node: " + Texts.quote(found) + " (expected: " + Texts.quote(node) + ")");
  }

  @Override
  protected void look() {
    send(NONE, new PeerMessage.Hello(nodeId)); // answered: so both hear that the other one lives
  }

  @Override
  protected void begun(String found) {
    begun = true;
    early.forEach(Runnable::run);
    early.clear();
  }

  @Override
  protected void onMessage(UUID session, PeerMessage message) throws ProtocolException {
    Intake intake = asking(session);
    if (message instanceof PeerMessage.Stopped) {
      stopping.computeIfPresent(session, (any, count) -> count == 1 ? null : count - 1);
    } else if (message instanceof PeerMessage.Sums sums) {
      if (intake != null) {
        intake.sums(sums.firstBlock(), sums.sums().stream().mapToInt(Integer::intValue).toArray());
      }
    } else if (message instanceof PeerMessage.Failed failed) {
      if (intake != null) {
        intakes.remove(session);
        intake.failed(failed.code(), failed.reason());
      }
    } else {
      throw new ProtocolException(
          ErrorCode.BAD_PACKET,
          message.getClass().getSimpleName()
              + " (expected: SUMS, FAILED or STOPPED of who is asked)");
    }
  }

  @Override
  protected void onData(UUID session, long offset, int length) {
    taking = asking(session); // none where it was stopped: dropped
    at = offset;
  }

  /** For whom it comes; null where it was asked for before a STOP. */
  private @Nullable Intake asking(UUID session) {
    return stopping.containsKey(session) ? null : intakes.get(session);
  }

  @Override
  protected void onPayload(ByteBuf piece, boolean last) {
    copied.add(piece.readableBytes());
    Intake intake = taking;
    if (intake == null) {
      piece.release();
    } else {
      ByteBuf bytes = direct(piece);
      int length = bytes.readableBytes();
      held.addAndGet(length);
      intake.data(at, bytes.nioBuffer(), () -> released(bytes, length));
      at += length;
      readOrNot();
    }
  }

  /** By any thread. */
  private void released(ByteBuf bytes, int length) {
    bytes.release();
    long before = held.getAndAdd(-length);
    if (before > mostHeld && before - length <= mostHeld) {
      onRoom.run();
    }
  }

  /** Reads only while not too much is held; on the loop. */
  void readOrNot() {
    boolean read = held.get() <= mostHeld;
    if (read != channel.config().isAutoRead()) {
      heard(); // it is not the other end that was silent
      channel.config().setAutoRead(read);
    }
  }

  /** TLS of the JDK decrypts into the heap. */
  private ByteBuf direct(ByteBuf piece) {
    if (piece.isDirect()) {
      return piece;
    }
    try {
      return channel.alloc().directBuffer(piece.readableBytes()).writeBytes(piece);
    } finally {
      piece.release();
    }
  }

  @Override
  protected void over(String reason) {
    over = reason;
    List<Intake> told = List.copyOf(intakes.values());
    intakes.clear();
    early.clear();
    onOver.run();
    told.forEach(each -> each.lost(reason));
  }
}
