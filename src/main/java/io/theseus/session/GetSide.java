package io.theseus.session;

import io.theseus.channel.Direction;
import io.theseus.channel.Progress;
import io.theseus.names.Names;
import io.theseus.session.SessionActor.Command;
import io.theseus.store.LiveStream;
import io.theseus.store.StoredFile;
import io.theseus.wire.ClientMessage;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** What a session does for a GET: opens the file or live stream, and marks what is acknowledged. */
final class GetSide {
  private final SessionActor session;
  private final SessionEnvironment environment;
  private final Transfer transfer;
  private final Workers workers;
  private final DiskTasks disk;

  GetSide(
      SessionActor session,
      SessionEnvironment environment,
      Transfer transfer,
      Workers workers,
      DiskTasks disk) {
    this.session = session;
    this.environment = environment;
    this.transfer = transfer;
    this.workers = workers;
    this.disk = disk;
  }

  // ---- opening

  Next open(ClientMessage.Get get) {
    LiveStream live = transfer.live;
    if (live != null) {
      return serve(get, null, live);
    }
    close();
    FileName place;
    try {
      place = transfer.place(get.name());
    } catch (ProtocolException e) {
      return session.giveUp(e.code(), e.reason());
    }
    boolean fromStart = get.offset() == 0;
    Names names = environment.names();
    boolean resumed = !fromStart && get.session().isPresent() && transfer.facts == null;
    if (resumed && !names.isAlone()) {
      // it may have a connection elsewhere, over which nothing more is to move
      disk.open(names.fence(transfer.id).thenCompose(any -> anywhere(place, fromStart)));
      return Next.STAY;
    }
    if (names.isSettled()) {
      Optional<StoredFile> known = environment.store().openKnown(place);
      if (known.isPresent()) {
        return onOpened(new SessionActor.FileOpened(known.get(), null));
      }
    }
    disk.open(anywhere(place, fromStart));
    return Next.STAY;
  }

  private Command here(FileName place, boolean fromStart) throws ProtocolException {
    Optional<LiveStream> stream = environment.store().openLive(place, fromStart);
    return stream.isPresent()
        ? new SessionActor.FileOpened(null, stream.get())
        : new SessionActor.FileOpened(environment.store().openFile(place), null);
  }

  /** What is here, where that is known to be the newest; all are asked otherwise. */
  private CompletionStage<Command> anywhere(FileName place, boolean fromStart) {
    Names names = environment.names();
    if (!names.isSettled()) {
      return located(place, fromStart);
    }
    CompletionStage<Command> opened = disk.run(() -> here(place, fromStart));
    return names.isAlone()
        ? opened
        : opened.exceptionallyCompose(
            failure ->
                mayBeElsewhere(DiskTasks.refusalOf(failure).code())
                    ? located(place, fromStart)
                    : CompletableFuture.failedFuture(failure));
  }

  /** Whether it is only this node that does not have it, or has it and can't serve it. */
  private static boolean mayBeElsewhere(ErrorCode code) {
    return code == ErrorCode.NOT_FOUND || code == ErrorCode.INTERNAL;
  }

  private CompletionStage<Command> located(FileName place, boolean fromStart) {
    return environment
        .names()
        .locate(place)
        .thenCompose(
            where ->
                where.at().isPresent()
                    ? CompletableFuture.completedFuture(
                        new SessionActor.Elsewhere(where.at().get()))
                    : disk.run(() -> here(place, fromStart)));
  }

  Next onOpened(SessionActor.FileOpened opened) {
    transfer.opening = null;
    transfer.file = opened.file();
    transfer.live = opened.live();
    if (transfer.link != null && transfer.command instanceof ClientMessage.Get get) {
      // where it is a newer connection than it was opened for, code is asked first
      return transfer.isServed() ? serve(get, opened.file(), opened.live()) : session.open();
    }
    return session.finish("given up before READY");
  }

  private Next serve(ClientMessage.Get get, @Nullable StoredFile file, @Nullable LiveStream live) {
    SessionLink link = transfer.connected();
    try {
      check(get, file, live);
    } catch (ProtocolException e) {
      return session.giveUp(e.code(), e.reason());
    }
    String identity = identity(file, live);
    boolean changed = isOther(get, identity);
    if (transfer.facts == null) {
      OptionalLong size = file == null ? OptionalLong.empty() : OptionalLong.of(file.size());
      transfer.facts = Facts.of(get, size, identity, transfer.target);
    }
    transfer.file = null; // the connection closes it
    transfer.lastMark = get.offset();
    transfer.lastMarkNanos = System.nanoTime();
    session.accepted();
    link.ready(
        new Ready.ReadyGet(
            transfer.id,
            get.offset(),
            workers.module(),
            transfer.nextGeneration(),
            identity,
            file,
            live,
            changed,
            transfer.altered));
    environment.steps().at("get.ready");
    if (session.isHeld()) {
      link.hold();
    } else if (!changed) {
      long end = file == null ? Progress.UNKNOWN_END : file.size();
      workers.begin(Direction.GET, get.offset(), end);
    }
    return Next.STAY;
  }

  /** A live stream that is no other reader's is as old as its session. */
  private String identity(@Nullable StoredFile file, @Nullable LiveStream live) {
    if (file != null) {
      return file.identity();
    }
    return live == null ? transfer.id.toString() : live.identity().orElseGet(transfer.id::toString);
  }

  /** Whether the client has the first bytes of something else. */
  private static boolean isOther(ClientMessage.Get get, String identity) {
    return get.offset() > 0 && get.identity().isPresent() && !get.identity().get().equals(identity);
  }

  private void check(ClientMessage.Get get, @Nullable StoredFile file, @Nullable LiveStream live)
      throws ProtocolException {
    boolean other = isOther(get, identity(file, live));
    if (other && (get.streamConsumer() || (live != null && !live.isRewindable()))) {
      throw new ProtocolException(
          ErrorCode.CHANGED,
          "Identity: "
              + get.identity().orElse("")
              + ", but "
              + (file == null ? "the stream" : "the file")
              + " is "
              + identity(file, live)
              + " now (expected: the same, because a "
              + (get.streamConsumer() ? "Consumer: stream" : "live stream")
              + " can't go back)");
    }
    if (live != null) {
      checkLive(get, live, other);
    } else if (file != null && !other && get.offset() > file.size()) {
      throw new ProtocolException(
          ErrorCode.BAD_OFFSET,
          "Offset: " + get.offset() + " (expected: at most the size, " + file.size() + ")");
    }
  }

  private static void checkLive(ClientMessage.Get get, LiveStream live, boolean other)
      throws ProtocolException {
    if (!get.streamConsumer() && !live.isRewindable()) {
      throw new ProtocolException(
          ErrorCode.INCOMPATIBLE,
          "Consumer: rewindable, but "
              + Texts.quote(get.name().value())
              + " is a live stream, which can't go back (expected: Consumer: stream)");
    }
    if (other) {
      return; // RESTART follows
    }
    if (get.offset() < live.base() || get.offset() > live.end()) {
      throw new ProtocolException(
          ErrorCode.BAD_OFFSET,
          "Offset: "
              + get.offset()
              + " (expected: "
              + live.base()
              + " to "
              + live.end()
              + ", what the live stream still keeps)");
    }
  }

  // ---- running

  Next onReport(Report report) {
    LiveStream live = transfer.live;
    if (live != null) {
      live.release(report.acked());
    }
    Closure closure = report.closure();
    if (report.finished()) {
      return session.complete();
    }
    if (closure != null) {
      return session.onClosed(closure);
    }
    if (report.changed()) {
      // of an older generation: said before RESTART was on its way
      return report.workerGeneration() == transfer.workerGeneration ? reopen() : Next.STAY;
    }
    if (report.held()) {
      return session.onHeld(report.acked());
    }
    workers.advance(Direction.GET, report);
    return isMarkDue(report.acked()) ? mark(report.acked()) : Next.STAY;
  }

  private boolean isMarkDue(long acked) {
    long since = acked - transfer.lastMark;
    return since >= environment.settings().markBytes()
        || (since > 0
            && System.nanoTime() - transfer.lastMarkNanos
                >= environment.settings().markInterval().toNanos());
  }

  private Next mark(long acked) {
    transfer.lastMark = acked;
    transfer.lastMarkNanos = System.nanoTime();
    return Next.persist(
        session.marks(acked),
        () -> {
          environment.steps().at("get.marked");
          environment.counters().add(Counters.Count.MARKS);
        });
  }

  // ---- a file that changed under the transfer

  private Next reopen() {
    if (transfer.opening != null) {
      return Next.STAY; // under way
    }
    workers.stop();
    if (transfer.command instanceof ClientMessage.Get get && !get.streamConsumer()) {
      disk.open(
          () ->
              new SessionActor.Reopened(environment.store().openFile(transfer.place(get.name()))));
      return Next.STAY;
    }
    return session.giveUp(
        ErrorCode.CHANGED,
        "the file changed while it was sent (expected: the same, because a Consumer: stream"
            + " can't go back)");
  }

  Next onReopened(SessionActor.Reopened reopened) {
    transfer.opening = null;
    SessionLink link = transfer.link;
    if (link == null) {
      transfer.file = reopened.file();
      return session.finish("connection lost");
    }
    link.restart(reopened.file(), transfer.nextGeneration());
    return Next.STAY;
  }

  // ---- the end

  /** Lets go of what is open; the connection closes what it was given. */
  void end() {
    close();
    LiveStream live = transfer.live;
    if (live != null) {
      transfer.live = null;
      disk.close(live::close);
    }
  }

  private void close() {
    StoredFile file = transfer.file;
    if (file != null) {
      transfer.file = null;
      disk.close(file::close);
    }
  }
}
