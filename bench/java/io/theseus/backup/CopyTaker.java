package io.theseus.backup;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import io.theseus.peer.PeerPort;
import io.theseus.store.FileStore;
import io.theseus.store.Source;
import io.theseus.store.Upload;
import io.theseus.store.UploadRequest;
import io.theseus.wire.Epoch;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The end that takes copies: by the backup's own data plane ({@link Copy}), or as {@link Piece}s.
 * Both ways end in the same {@link Upload}, whose blocks are summed up, and which is made durable
 * for each 8 MiB; nothing is marked in a journal, nor committed, which neither way has a part in.
 */
final class CopyTaker extends AbstractBehavior<CopyTaker.Command> {
  /** Its actor's; what goes there is large. */
  static final String NAME = "copies";

  /** Bytes that are asked for and not yet written, and how many are asked for at once: as Copy. */
  private static final long CREDIT = 16L << 20;

  private static final long RANGE = 4L << 20;
  private static final long DURABLE_EVERY = 8L << 20;

  /** By whom a session is asked for. */
  static final Epoch EPOCH = Epoch.first(CopyEnd.GIVES);

  /** What it can be told. */
  sealed interface Command
      permits FromGiver, Piece.Arrived, Written, Reached, Synced, Gone, Broken {}

  /** What it can be told by the other end. */
  sealed interface FromGiver extends Command, CopyEnd.Remote permits Begin, End {}

  /**
   * Take a copy. Answered by {@link CopyGiver.Durable} again and again.
   *
   * @param port of the other end's data plane; 0 where the bytes shall come as pieces, which are
   *     asked for by {@link CopyGiver.Ask}
   */
  record Begin(UUID session, long size, int port, ActorRef<CopyGiver.Command> replyTo)
      implements FromGiver {}

  /** Let go of a copy. Answered by {@link CopyGiver.Ended}. */
  record End(UUID session) implements FromGiver {}

  private record Written(Taking one, int length) implements Command {}

  private record Reached(Taking one) implements Command {}

  private record Synced(Taking one, long durable) implements Command {}

  private record Gone(Taking one) implements Command {}

  private record Broken(Taking one, String reason) implements Command {}

  /** A copy that is made. */
  private static final class Taking {
    final Begin what;
    final Upload upload;
    final Upload.Writer writer;
    @Nullable Copy copy;
    long asked;
    long written;
    boolean syncing;

    Taking(Begin what, Upload upload) {
      this.what = what;
      this.upload = upload;
      this.writer = upload.takeOver();
    }
  }

  private final FileStore store;
  private final PeerPort port;
  private final Executor disk;
  private final Map<UUID, Taking> taking = new HashMap<>();

  static Behavior<Command> create(FileStore store, PeerPort port, Executor disk) {
    return Behaviors.setup(context -> new CopyTaker(context, store, port, disk));
  }

  private CopyTaker(ActorContext<Command> context, FileStore store, PeerPort port, Executor disk) {
    super(context);
    this.store = store;
    this.port = port;
    this.disk = disk;
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Begin.class, this::onBegin)
        .onMessage(Piece.Arrived.class, this::onPiece)
        .onMessage(Written.class, this::onWritten)
        .onMessage(Reached.class, reached -> syncOrAwait(reached.one))
        .onMessage(Synced.class, this::onSynced)
        .onMessage(End.class, this::onEnd)
        .onMessage(Gone.class, this::onGone)
        .onMessage(Broken.class, this::onBroken)
        .build();
  }

  private Behavior<Command> onBegin(Begin begin) {
    Upload upload;
    try {
      upload = store.begin(request(begin));
    } catch (ProtocolException e) {
      begin.replyTo.tell(new CopyGiver.Failed(String.valueOf(e.getMessage())));
      return this;
    }
    Taking one = new Taking(begin, upload);
    taking.put(begin.session, one);
    if (begin.port == 0) {
      ask(one);
    } else {
      Copy copy =
          new Copy(
              port,
              new PeerPort.Address(CopyEnd.GIVES, CopyEnd.HOST, begin.port),
              EPOCH,
              upload,
              OptionalLong.of(begin.size),
              Optional.empty(),
              disk,
              new Listening(one));
      one.copy = copy;
      copy.begin();
    }
    return syncOrAwait(one);
  }

  private static UploadRequest request(Begin begin) {
    return new UploadRequest(
        begin.session,
        new FileName(begin.session.toString()),
        OptionalLong.of(begin.size),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        UploadRequest.Hashing.SUMS);
  }

  /** Tells this actor, by any thread. */
  private final class Listening implements Copy.Listener {
    private final Taking one;

    Listening(Taking one) {
      this.one = one;
    }

    @Override
    public void reached(long received) {
      getContext().getSelf().tell(new Reached(one));
    }

    @Override
    public void interrupted(String reason, boolean refused) {
      corrupt(reason);
    }

    @Override
    public void corrupt(String reason) {
      getContext().getSelf().tell(new Broken(one, reason));
    }
  }

  // ---- pieces

  private void ask(Taking one) {
    long before = one.asked;
    while (one.asked < one.what.size && one.asked - one.written < CREDIT) {
      one.asked = Math.min(one.what.size, one.asked + RANGE);
    }
    if (one.asked > before) {
      one.what.replyTo.tell(new CopyGiver.Ask(one.what.session, one.asked));
    }
  }

  private Behavior<Command> onPiece(Piece.Arrived piece) {
    Taking one = taking.get(piece.session());
    int length = piece.bytes().readableBytes();
    if (one == null || piece.offset() != one.upload.received()) {
      piece.bytes().release();
      return one == null ? this : onBroken(new Broken(one, "a piece is lost"));
    }
    ActorRef<Command> self = getContext().getSelf();
    boolean accepted =
        one.writer.write(
            piece.bytes().nioBuffer(),
            () -> {
              piece.bytes().release();
              self.tell(new Written(one, length));
            });
    return accepted ? syncOrAwait(one) : onBroken(new Broken(one, "it can't be written"));
  }

  private Behavior<Command> onWritten(Written written) {
    written.one.written += written.length;
    ask(written.one);
    return this;
  }

  // ---- both

  /** Whether it has not been let go of since. */
  private boolean isTaking(Taking one) {
    return one.equals(taking.get(one.what.session));
  }

  private Behavior<Command> syncOrAwait(Taking one) {
    if (!isTaking(one)) {
      return this;
    }
    Upload upload = one.upload;
    long durable = upload.durable();
    long goal = Math.min(one.what.size, (durable / DURABLE_EVERY + 1) * DURABLE_EVERY);
    Copy copy = one.copy;
    if (durable == one.what.size) {
      if (copy == null || copy.isCompared((int) (durable / Source.BLOCK_BYTES))) {
        one.what.replyTo.tell(new CopyGiver.Durable(one.what.session, durable));
      }
    } else if (!one.syncing && upload.received() >= goal) {
      one.syncing = true;
      getContext()
          .pipeToSelf(
              upload.sync(),
              (now, failure) ->
                  failure == null
                      ? new Synced(one, now)
                      : new Broken(one, String.valueOf(failure.getMessage())));
    } else if (!one.syncing && copy != null) {
      copy.await(goal);
    }
    return this;
  }

  private Behavior<Command> onSynced(Synced synced) {
    Taking one = synced.one;
    one.syncing = false;
    if (synced.durable < one.what.size) {
      one.what.replyTo.tell(new CopyGiver.Durable(one.what.session, synced.durable));
    }
    return syncOrAwait(one);
  }

  private Behavior<Command> onEnd(End end) {
    Taking one = taking.remove(end.session);
    if (one != null) {
      if (one.copy != null) {
        one.copy.stop();
      }
      getContext().pipeToSelf(one.upload.discard(), (done, failure) -> new Gone(one));
    }
    return this;
  }

  private Behavior<Command> onGone(Gone gone) {
    gone.one.what.replyTo.tell(new CopyGiver.Ended(gone.one.what.session));
    return this;
  }

  private Behavior<Command> onBroken(Broken broken) {
    if (isTaking(broken.one)) {
      broken.one.what.replyTo.tell(new CopyGiver.Failed(broken.reason));
    }
    return this;
  }
}
