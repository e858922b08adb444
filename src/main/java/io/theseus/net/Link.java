package io.theseus.net;

import io.netty.buffer.ByteBuf;
import io.theseus.backup.Replication;
import io.theseus.channel.Range;
import io.theseus.names.Place;
import io.theseus.session.Closure;
import io.theseus.session.Grant;
import io.theseus.session.Ready;
import io.theseus.session.Report;
import io.theseus.session.SessionLink;
import io.theseus.store.Completed;
import io.theseus.store.StoredFile;
import io.theseus.wire.ClientMessage;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.ProtocolException;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What a connection keeps for the session that it serves; its door to the session's actor.
 *
 * <p>Calls of the actor become tasks of the event loop. Reports go up through one slot: the latest
 * wins, and the actor is woken when the slot turns from empty to full.
 */
abstract class Link implements SessionLink {
  /** Who hears of a switch. */
  private record Watched(LongSupplier generation, Runnable due) {}

  /** Granted bytes that are used up soon. */
  private static final long SOON = 4L << 20;

  protected final Connection connection;
  private final int lane;
  private final AtomicReference<@Nullable Report> slot = new AtomicReference<>();
  private volatile @Nullable Runnable wake;
  private volatile @Nullable Watched watched;

  /** The last switch that was told of. */
  private volatile long switchSeen;

  /** Whether the connection has nothing more to do with the session. */
  private boolean over;

  private @Nullable Closure closure;

  /** What runs now, which the client has not been told; null where it has. */
  private @Nullable String remark;

  Link(Connection connection) {
    this.connection = connection;
    this.lane = connection.lane();
  }

  // ---- the session's side, any thread

  @Override
  public final String remote() {
    return connection.remote();
  }

  @Override
  public final int lane() {
    return lane;
  }

  @Override
  public final void onReport(Runnable listener) {
    wake = listener;
    if (slot.get() != null) {
      listener.run();
    }
  }

  @Override
  public final void onSwitch(LongSupplier generation, Runnable due) {
    watched = new Watched(generation, due);
    switchSeen = generation.getAsLong();
  }

  @Override
  public final @Nullable Report drain() {
    return slot.getAndSet(null);
  }

  @Override
  public final void ready(Ready ready) {
    connection.execute(
        () -> {
          if (over) {
            dropped(ready);
          } else {
            connection.serving(this);
            onReady(ready);
          }
        });
  }

  @Override
  public final void grant(Grant grant) {
    whileServing(() -> onGrant(grant));
  }

  @Override
  public final void hold() {
    whileServing(this::onHold);
  }

  @Override
  public final void swap(long workerGeneration, String module, boolean keep, boolean tell) {
    whileServing(
        () -> {
          onSwap(workerGeneration, keep);
          if (tell || remark != null) {
            remark = module; // another one than it was to be told, perhaps
          }
          if (tell) {
            tellSwitch();
          }
          report();
          progress();
        });
  }

  @Override
  public final void succeed(
      long workerGeneration, String module, long seekEpoch, List<Range> ranges) {
    Pump obeys = pumped();
    if (over || obeys == null) {
      return;
    }
    boolean held = obeys.held();
    boolean waited = held || obeys.waits();
    onSwap(workerGeneration, /* keep= */ true);
    for (Range range : ranges) {
      take(workerGeneration, seekEpoch, range);
    }
    remark = module;
    Watched watch = watched;
    if (watch != null) {
      switchSeen = watch.generation().getAsLong();
    }
    boolean unread = slot.get() != null; // it says what is over now
    if (unread || obeys.waits() || obeys.grantedNow() - obeys.position() < SOON) {
      report(); // for a worker that goes on
    }
    if (waited) {
      connection.execute(
          () -> {
            if (held) {
              tellSwitch(); // it was told that it stands still
            }
            progress();
          });
    }
  }

  @Override
  public final @Nullable Report stands() {
    return over || pumped() == null ? null : snapshot();
  }

  @Override
  public final void revoke(long workerGeneration) {
    whileServing(() -> onRevoke(workerGeneration));
  }

  @Override
  public void durable(long offset) {
    throw new IllegalStateException("not a PUT");
  }

  @Override
  public void copies(Replication.Whole whole) {
    throw new IllegalStateException("not a PUT");
  }

  @Override
  public void complete(Completed completed) {
    throw new IllegalStateException("not a PUT");
  }

  @Override
  public void restart(StoredFile file, long workerGeneration) {
    throw new IllegalStateException("not a GET");
  }

  @Override
  public final void migrate(UUID session, Place to) {
    whileServing(
        () -> {
          end();
          connection.migrate(session, to);
        });
  }

  @Override
  public final void fail(ErrorCode code, String message) {
    whileServing(
        () -> {
          end();
          connection.fail(code.label() + ": " + message);
        });
  }

  /** The same in a turn of its own, never within the call. */
  protected final void soon(Runnable task) {
    connection.later(
        () -> {
          if (!over) {
            task.run();
          }
        });
  }

  protected final void whileServing(Runnable task) {
    connection.execute(
        () -> {
          if (!over) {
            task.run();
          }
        });
  }

  // ---- the event loop's side

  /** At a packet boundary: tells the session where code was switched since the last one. */
  protected final void lookAtSwitch() {
    Watched watch = watched;
    if (watch != null) {
      long generation = watch.generation().getAsLong();
      if (generation != switchSeen) {
        switchSeen = generation;
        watch.due().run();
      }
    }
  }

  /** Tells the client what runs now, where it does not know: in front of what leaves. */
  protected final void tellSwitch() {
    String module = remark;
    if (module != null) {
      remark = null;
      connection.sendInfo(Replies.resumed(module));
    }
  }

  /** A sign of life, which is due: the remark is one. */
  final boolean remarked() {
    boolean there = remark != null;
    tellSwitch();
    return there;
  }

  /** It stands still: what it runs is told when it goes on. */
  protected final void forgetRemark() {
    remark = null;
  }

  /** Puts a report into the slot. */
  protected final void report() {
    Runnable listener = wake;
    Report now = snapshot();
    reported(now);
    if (slot.getAndSet(now) == null && listener != null) {
      listener.run();
    }
  }

  /** The connection is done with the session for a reason that the session must hear. */
  final void close(Closure reason) {
    if (!over) {
      closure = reason;
      end();
      report();
    }
  }

  protected final @Nullable Closure closure() {
    return closure;
  }

  /** Lets go of everything. */
  protected final void end() {
    if (!over) {
      over = true;
      onOver();
    }
  }

  protected final boolean over() {
    return over;
  }

  protected abstract Report snapshot();

  /** The session is told. */
  protected abstract void reported(Report report);

  /** What decides which bytes move; null before READY. */
  protected abstract @Nullable Pump pumped();

  /** Takes a range of the worker of a generation. */
  protected abstract void take(long workerGeneration, long seekEpoch, Range range);

  protected abstract void onReady(Ready ready);

  /** A session was accepted, but the connection is gone. */
  protected abstract void dropped(Ready ready);

  protected abstract void onGrant(Grant grant);

  protected abstract void onHold();

  protected abstract void onSwap(long workerGeneration, boolean keep);

  protected abstract void onRevoke(long workerGeneration);

  /** Sends or takes what is possible now. */
  protected abstract void progress();

  protected abstract void onOver();

  /** Whether the next piece of input can be taken. */
  abstract boolean mayTake();

  /** Whether a pipelined command may be taken. */
  abstract boolean takesNextCommand();

  /** Whether the session goes on when the client has sent its last byte. */
  abstract boolean outlivesInput();

  /** Whether the client waits for something that is under way here: its silence is no fault. */
  abstract boolean owes();

  abstract void onOffset(long offset) throws ProtocolException;

  abstract void onData(long offset, int length) throws ProtocolException;

  abstract void onPayload(ByteBuf input, int index, int length) throws ProtocolException;

  abstract void onEnd(ClientMessage.End end) throws ProtocolException;

  /** Called about once a second. */
  abstract void tick(long now);
}
