package io.theseus.session;

import akka.actor.Cancellable;
import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.ChildFailed;
import akka.actor.typed.DispatcherSelector;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.StashBuffer;
import akka.persistence.typed.PersistenceId;
import akka.persistence.typed.RecoveryCompleted;
import akka.persistence.typed.RecoveryFailed;
import akka.persistence.typed.javadsl.CommandHandler;
import akka.persistence.typed.javadsl.Effect;
import akka.persistence.typed.javadsl.EventHandler;
import akka.persistence.typed.javadsl.EventSourcedBehavior;
import akka.persistence.typed.javadsl.RetentionCriteria;
import akka.persistence.typed.javadsl.SignalHandler;
import io.theseus.channel.Direction;
import io.theseus.channel.Progress;
import io.theseus.journal.FinalEvent;
import io.theseus.module.Revision;
import io.theseus.store.Completed;
import io.theseus.store.LiveStream;
import io.theseus.store.StoredFile;
import io.theseus.store.Upload;
import io.theseus.store.UploadRequest;
import io.theseus.wire.ClientMessage;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One session: it opens what is transferred, spawns workers, keeps the durable offset, and ends.
 *
 * <p>It has one way to come to life, {@link #adopt}: a {@link Transfer}, with or without a
 * connection, with or without marks. It begins as a plain behaviour and becomes event sourced at
 * its first mark, so a session without a mark never touches the journal.
 *
 * <pre>
 * state       Attach                 report finished   report closed           failure
 * OPENING     newest connection wins  -                 given up                ERROR, given up
 * RUNNING     older one superseded    COMMITTING (PUT)  DETACHED (PUT, live)    ERROR, DETACHED
 *                                     ended (GET)       ended (GET)
 * COMMITTING  answered at the end     -                 goes on                 ERROR, DETACHED or ended
 * DETACHED    RUNNING                 -                 -                       (expires: ended)
 * ended       taken up by another     -                 -                       -
 * </pre>
 *
 * <p>Supervision: a worker that fails is followed by another of the next generation at the
 * committed offset; three failures without progress end the connection with {@code internal} and
 * leave the session resumable. A failing journal stops this actor and nothing is acknowledged; a
 * failing disk is ERROR {@code no-space} or {@code internal}, session kept. When this actor fails
 * its supervisor adopts the same transfer again: whatever was under way is in the {@link Transfer},
 * not in this actor or its mailbox, and goes on.
 */
public final class SessionActor {
  private static final Logger LOG = LoggerFactory.getLogger(SessionActor.class);
  private static final int WORKER_FAILURES = 3;
  private static final int STASH = 4096;
  private static final int SNAPSHOT_EVERY = 100;
  private static final DispatcherSelector WORKERS =
      DispatcherSelector.fromConfig("theseus.dispatchers.channel");

  /** What a session can be told. */
  public sealed interface Command {}

  /** A connection begins or resumes the session by a GET or PUT. */
  public record Attach(SessionLink link, ClientMessage.Command command) {}

  /** An {@link Attach} waits in the transfer. */
  public record Arrived() implements Command {}

  /** Hold at the next packet boundary; answered when it stands there, marked. */
  public record Hold(ActorRef<Held> replyTo) implements Command {}

  /** Go on, under the given revision, after a hold or in the middle. */
  public record Switch(Revision revision) implements Command {}

  /** Give an unfinished session up: its time is over. */
  public record Expire() implements Command {}

  /** The supervisor has forgotten the session; nothing more will come. */
  public record Stop() implements Command {}

  /** Answer to {@link Hold}. */
  public record Held(UUID session, long offset) {}

  private record ReportReady(SessionLink link) implements Command {}

  /** The last report that an earlier incarnation took may not have been acted on. */
  private record ReportAgain() implements Command {}

  private record FileOpened(@Nullable StoredFile file, @Nullable LiveStream live)
      implements Command {}

  private record Reopened(StoredFile file) implements Command {}

  private record UploadOpened(Upload upload) implements Command {}

  private record AlreadyCompleted(Completed completed) implements Command {}

  private record OpenFailed(ErrorCode code, String message) implements Command {}

  private record Synced(long durable) implements Command {}

  private record Committed(Completed completed) implements Command {}

  private record StoreFailed(ErrorCode code, String message) implements Command {}

  private record Persist(Next next) implements Command {}

  /** What a session tells its supervisor. */
  public sealed interface Notice {}

  /** The session is over; forget it, then send {@link Stop}. */
  public record Finished(UUID session, ActorRef<Command> actor) implements Notice {}

  /** What the journal keeps. */
  public sealed interface Event {}

  /** The first mark: what the session is, and how far it has come. */
  record Begun(Facts facts, String module, long offset) implements Event {}

  /** All before the offset is durable (PUT) or acknowledged (GET). */
  record Checkpointed(long offset) implements Event {}

  /** Held at the offset. */
  record Paused(long offset) implements Event {}

  /** Goes on under another module. */
  record RevisionChanged(String module) implements Event {}

  /** Over; nothing of it is kept. */
  record Ended(String outcome) implements Event, FinalEvent {}

  /** What the journal says of a session; {@code facts} is null before the first mark. */
  record State(@Nullable Facts facts, String module, long offset, boolean paused) {
    static final State NONE = new State(null, "", 0, false);

    State on(Event event) {
      if (event instanceof Begun begun) {
        return new State(begun.facts(), begun.module(), begun.offset(), false);
      } else if (event instanceof Checkpointed checkpointed) {
        return new State(facts, module, checkpointed.offset(), paused);
      } else if (event instanceof Paused pausedAt) {
        return new State(facts, module, pausedAt.offset(), true);
      } else if (event instanceof RevisionChanged changed) {
        return new State(facts, changed.module(), offset, false);
      }
      return NONE;
    }
  }

  /** What a handler wants: events first, then an act, then perhaps the end of the actor. */
  private record Next(List<Event> events, Runnable then, boolean stop) {
    static final Next STAY = new Next(List.of(), () -> {}, false);
    static final Next STOP = new Next(List.of(), () -> {}, true);
  }

  private final ActorContext<Command> context;
  private final StashBuffer<Command> stash;
  private final SessionEnvironment environment;
  private final ActorRef<Notice> supervisor;
  private final Transfer transfer;
  private final SessionLog log;

  private Revision revision;
  private @Nullable ActorRef<DataChannelWorker.Advance> worker;
  private Upload.@Nullable Writer writer;
  private @Nullable Cancellable expiry;
  private final List<ActorRef<Held>> awaitingHold = new ArrayList<>();
  private boolean expiring;
  private boolean syncing;
  private int workerFailures;
  private long failedAt = -1;

  /** Brings a session to life: the only way. */
  public static Behavior<Command> adopt(
      Transfer transfer, SessionEnvironment environment, ActorRef<Notice> supervisor) {
    return Behaviors.setup(
        context ->
            Behaviors.withStash(
                STASH,
                stash ->
                    new SessionActor(context, stash, transfer, environment, supervisor).start()));
  }

  /** The id under which a session's events are persisted. */
  public static String persistenceId(UUID session) {
    return "session|" + session;
  }

  /** The session of a persistence id; empty for ids of another kind. */
  public static Optional<UUID> sessionOf(String persistenceId) {
    return persistenceId.startsWith("session|")
        ? Optional.of(UUID.fromString(persistenceId.substring("session|".length())))
        : Optional.empty();
  }

  private SessionActor(
      ActorContext<Command> context,
      StashBuffer<Command> stash,
      Transfer transfer,
      SessionEnvironment environment,
      ActorRef<Notice> supervisor) {
    this.context = context;
    this.stash = stash;
    this.transfer = transfer;
    this.log = new SessionLog(transfer.id);
    this.environment = environment;
    this.supervisor = supervisor;
    Revision switched = transfer.revision;
    this.revision = switched == null ? environment.revision() : switched;
  }

  private Behavior<Command> start() {
    if (transfer.marked) {
      return new Marked(/* adopted= */ true);
    }
    takeUp();
    return Behaviors.receive(Command.class)
        .onAnyMessage(this::onPlain)
        .onSignal(
            ChildFailed.class,
            failed -> {
              onWorkerFailed(failed);
              return Behaviors.same();
            })
        .build();
  }

  /** Goes on where an earlier incarnation stopped; a session that begins has nothing to take up. */
  private void takeUp() {
    if (transfer.over) {
      context.getSelf().tell(new Persist(ended("over")));
      return;
    }
    for (int i = transfer.waiting(); i > 0; i--) {
      context.getSelf().tell(new Arrived());
    }
    if (transfer.opening != null) {
      awaitOpening(transfer.opening);
    }
    SessionLink link = transfer.link;
    if (link == null) {
      if (transfer.facts != null) {
        expireLater();
      }
      return;
    }
    listenTo(link);
    if (!transfer.accepted) {
      open();
    } else if (transfer.committing) {
      commit();
    } else {
      respawn(false);
      if (transfer.held) {
        link.hold();
      }
      Report last = transfer.report;
      if (last != null && (last.finished() || last.closure() != null)) {
        context.getSelf().tell(new ReportAgain());
      }
    }
  }

  private Behavior<Command> onPlain(Command command) {
    Next next = handle(command);
    if (!next.events().isEmpty()) {
      // the first mark: event sourced from here on; the stash carries the act over
      transfer.marked = true;
      stash.stash(new Persist(next));
      return stash.unstashAll(new Marked(/* adopted= */ false));
    }
    next.then().run();
    return next.stop() ? Behaviors.stopped() : Behaviors.same();
  }

  private Next handle(Command command) {
    if (command instanceof Arrived) {
      return onArrived();
    } else if (command instanceof ReportReady ready) {
      return onReport(ready);
    } else if (command instanceof ReportAgain) {
      Report last = transfer.report;
      return last == null || transfer.link == null ? Next.STAY : onReport(last);
    } else if (command instanceof Synced synced) {
      return onSynced(synced);
    } else if (command instanceof FileOpened opened) {
      return onFileOpened(opened);
    } else if (command instanceof Reopened reopened) {
      return onReopened(reopened);
    } else if (command instanceof UploadOpened opened) {
      return onUploadOpened(opened);
    } else if (command instanceof Committed committed) {
      return onCommitted(committed);
    } else if (command instanceof AlreadyCompleted completed) {
      return onAlreadyCompleted(completed);
    } else if (command instanceof OpenFailed failed) {
      return onOpenFailed(failed);
    } else if (command instanceof StoreFailed failed) {
      return onStoreFailed(failed);
    } else if (command instanceof Persist persist) {
      return persist.next();
    } else if (command instanceof Hold hold) {
      return onHold(hold);
    } else if (command instanceof Switch switching) {
      return onSwitch(switching);
    } else if (command instanceof Expire) {
      return onExpire();
    }
    return Next.STOP;
  }

  // ---- connections

  private Next onArrived() {
    // those that come too late stay for the session that the supervisor begins after this one
    Attach attach = transfer.over ? null : transfer.nextArrival();
    return attach == null ? Next.STAY : onAttach(attach);
  }

  private Next onAttach(Attach attach) {
    SessionLink link = attach.link();
    Optional<ProtocolException> refusal = refusal(attach.command());
    if (refusal.isPresent()) {
      link.fail(refusal.get().code(), message(refusal.get()));
      return Next.STAY;
    }
    SessionLink older = transfer.link;
    if (older != null) {
      log.info("connection {} superseded by {}", older.remote(), link.remote());
      older.fail(
          ErrorCode.SUPERSEDED,
          "session " + transfer.id + " has a newer connection (expected: one at a time)");
    }
    cancelExpiry();
    expiring = false;
    stopWorker();
    transfer.link = link;
    transfer.command = attach.command();
    transfer.accepted = false;
    transfer.report = null;
    listenTo(link);
    Upload upload = transfer.upload;
    if (upload != null) {
      // from here on nothing of the older connection is stored
      writer = upload.takeOver();
    }
    open();
    return Next.STAY;
  }

  private Optional<ProtocolException> refusal(ClientMessage.Command command) {
    Facts facts = transfer.facts;
    if (facts == null) {
      return Optional.empty();
    }
    Direction direction = command instanceof ClientMessage.Get ? Direction.GET : Direction.PUT;
    if (direction != facts.direction()) {
      return mismatch("verb", direction.name(), facts.direction().name());
    }
    if (command instanceof ClientMessage.Get get) {
      if (!get.name().value().equals(facts.name())) {
        return mismatch("name", get.name().value(), facts.name());
      }
    } else if (command instanceof ClientMessage.Put put) {
      if (!put.name().value().equals(facts.name())) {
        return mismatch("name", put.name().value(), facts.name());
      }
      if (put.size().isPresent() && !put.size().equals(facts.size())) {
        return mismatch(
            "Size",
            String.valueOf(put.size().getAsLong()),
            facts.size().isPresent() ? String.valueOf(facts.size().getAsLong()) : "none");
      }
      Upload upload = transfer.upload;
      // without an upload the disk says what is there: all of it, where only COMPLETE was lost
      if (upload != null && put.offset() > upload.received() && !transfer.committing) {
        return Optional.of(unknownSession(put.offset(), upload.received()));
      }
    }
    return Optional.empty();
  }

  private Optional<ProtocolException> mismatch(String what, String found, String begun) {
    return Optional.of(
        new ProtocolException(
            ErrorCode.BAD_FIELD,
            what
                + " of a resumed session: "
                + Texts.quote(found)
                + " (expected: as it began, "
                + Texts.quote(begun)
                + ")"));
  }

  private ProtocolException unknownSession(long offset, long has) {
    return new ProtocolException(
        ErrorCode.UNKNOWN_SESSION,
        "session "
            + transfer.id
            + " from Offset "
            + offset
            + " (expected: at most "
            + has
            + ", all that node "
            + environment.nodeId()
            + " has of it)");
  }

  private void listenTo(SessionLink link) {
    ActorRef<Command> self = context.getSelf();
    link.onReport(() -> self.tell(new ReportReady(link)));
  }

  // ---- opening

  private void open() {
    ClientMessage.Command command = transfer.command;
    if (transfer.opening != null || transfer.committing) {
      return; // the newest connection is served when that is done
    }
    if (command instanceof ClientMessage.Get get) {
      openGet(get);
    } else if (command instanceof ClientMessage.Put put) {
      openPut(put);
    }
  }

  private void openGet(ClientMessage.Get get) {
    LiveStream live = transfer.live;
    if (live != null) {
      serveGet(get, null, live);
      return;
    }
    closeFile();
    openOnDisk(
        () -> {
          Optional<LiveStream> stream = environment.store().openLive(get.name());
          return stream.isPresent()
              ? new FileOpened(null, stream.get())
              : new FileOpened(environment.store().openFile(get.name()), null);
        });
  }

  private Next onFileOpened(FileOpened opened) {
    transfer.opening = null;
    transfer.file = opened.file();
    transfer.live = opened.live();
    if (transfer.link != null && transfer.command instanceof ClientMessage.Get get) {
      return serveGet(get, opened.file(), opened.live());
    }
    return finish("given up before READY");
  }

  private Next serveGet(
      ClientMessage.Get get, @Nullable StoredFile file, @Nullable LiveStream live) {
    SessionLink link = connected();
    try {
      checkGet(get, file, live);
    } catch (ProtocolException e) {
      return giveUp(e.code(), message(e));
    }
    String identity = file == null ? String.valueOf(transfer.id) : file.identity();
    boolean changed =
        get.offset() > 0 && get.identity().isPresent() && !get.identity().get().equals(identity);
    if (transfer.facts == null) {
      transfer.facts =
          new Facts(
              Direction.GET,
              get.name().value(),
              file == null ? OptionalLong.empty() : OptionalLong.of(file.size()),
              Optional.of(identity),
              get.streamConsumer(),
              Optional.empty(),
              Optional.empty(),
              Optional.empty());
    }
    transfer.file = null; // the connection closes it
    transfer.lastMark = get.offset();
    transfer.lastMarkNanos = System.nanoTime();
    transfer.workerGeneration++;
    transfer.accepted = true;
    link.ready(
        new Ready.ReadyGet(
            transfer.id,
            get.offset(),
            revision.module(),
            transfer.workerGeneration,
            identity,
            file,
            live,
            changed));
    environment.steps().at("get.ready");
    if (transfer.held) {
      link.hold();
    } else if (!changed) {
      long end = file == null ? Progress.UNKNOWN_END : file.size();
      spawn(0, get.offset(), end);
    }
    return Next.STAY;
  }

  private void checkGet(ClientMessage.Get get, @Nullable StoredFile file, @Nullable LiveStream live)
      throws ProtocolException {
    if (live != null) {
      if (!get.streamConsumer()) {
        throw new ProtocolException(
            ErrorCode.INCOMPATIBLE,
            "Consumer: rewindable, but "
                + Texts.quote(get.name().value())
                + " is a live stream, which can't go back (expected: Consumer: stream)");
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
      return;
    }
    if (file == null) {
      return;
    }
    boolean changed =
        get.offset() > 0
            && get.identity().isPresent()
            && !get.identity().get().equals(file.identity());
    if (changed && get.streamConsumer()) {
      throw new ProtocolException(
          ErrorCode.CHANGED,
          "Identity: "
              + get.identity().orElse("")
              + ", but the file is "
              + file.identity()
              + " now (expected: the same, because a Consumer: stream can't go back)");
    }
    if (!changed && get.offset() > file.size()) {
      throw new ProtocolException(
          ErrorCode.BAD_OFFSET,
          "Offset: " + get.offset() + " (expected: at most the size, " + file.size() + ")");
    }
  }

  private void openPut(ClientMessage.Put put) {
    if (transfer.upload != null) {
      // what came over older connections is made durable, then the client goes on behind it
      sync();
      return;
    }
    Facts known = transfer.facts;
    if (known != null) {
      long durable = transfer.durable;
      openOnDisk(() -> reopen(known, durable, put.offset()));
      return;
    }
    openOnDisk(() -> begin(put));
  }

  private Command begin(ClientMessage.Put put) throws Exception {
    if (put.session().isPresent()) {
      Optional<Completed> completed = environment.store().completed(transfer.id, put.name());
      if (completed.isPresent()) {
        return new AlreadyCompleted(completed.get());
      }
    }
    if (put.offset() > 0) {
      throw unknownSession(put.offset(), 0);
    }
    return new UploadOpened(
        environment
            .store()
            .begin(
                new UploadRequest(
                    transfer.id,
                    put.name(),
                    put.size(),
                    put.ifIdentity(),
                    put.sha256(),
                    put.modified())));
  }

  private Command reopen(Facts facts, long durable, long offset) throws Exception {
    FileName name = FileName.parse(facts.name());
    Optional<Completed> completed = environment.store().completed(transfer.id, name);
    if (completed.isPresent()) {
      return new AlreadyCompleted(completed.get());
    }
    long staged = environment.store().stagedBytes(transfer.id);
    if (staged < durable) {
      log.warn(
          "lost acknowledged bytes of {}: {} are staged (expected: >= {})",
          Texts.quote(facts.name()),
          staged,
          durable);
    }
    if (offset > Math.min(staged, durable)) {
      throw unknownSession(offset, Math.min(staged, durable));
    }
    return new UploadOpened(
        environment
            .store()
            .reopen(
                new UploadRequest(
                    transfer.id,
                    name,
                    facts.size(),
                    facts.ifIdentity(),
                    facts.sha256(),
                    facts.modified()),
                durable));
  }

  private Next onUploadOpened(UploadOpened opened) {
    transfer.opening = null;
    Upload upload = opened.upload();
    transfer.upload = upload;
    writer = null; // one of an upload that failed appends nothing to this one
    if (transfer.link == null) {
      if (transfer.facts == null || expiring) {
        return finish(expiring ? "expired" : "given up before READY");
      }
      upload.suspend();
      expireLater();
      return Next.STAY;
    }
    if (transfer.facts == null && transfer.command instanceof ClientMessage.Put put) {
      transfer.facts =
          new Facts(
              Direction.PUT,
              put.name().value(),
              put.size(),
              Optional.empty(),
              put.streamProducer(),
              put.sha256(),
              put.ifIdentity(),
              put.modified());
    }
    servePut();
    return Next.STAY;
  }

  private void servePut() {
    SessionLink link = connected();
    Upload upload = upload();
    Facts facts = facts();
    if (writer == null) {
      writer = upload.takeOver();
    }
    transfer.workerGeneration++;
    transfer.accepted = true;
    boolean whole = facts.size().isPresent() && facts.size().getAsLong() == upload.received();
    link.ready(
        new Ready.ReadyPut(
            transfer.id,
            whole ? upload.received() : transfer.durable,
            revision.module(),
            transfer.workerGeneration,
            whole ? null : writer,
            facts.size(),
            facts.stream()));
    environment.steps().at("put.ready");
    if (whole) {
      commit();
    } else if (transfer.held) {
      link.hold();
    } else {
      spawn(0, transfer.durable, facts.size().orElse(Progress.UNKNOWN_END));
    }
  }

  private Next onAlreadyCompleted(AlreadyCompleted already) {
    transfer.opening = null;
    Completed completed = already.completed();
    SessionLink link = transfer.link;
    if (link != null && transfer.command instanceof ClientMessage.Put put) {
      if (!put.name().equals(completed.name())) {
        return giveUp(
            ErrorCode.BAD_FIELD,
            message(mismatch("name", put.name().value(), completed.name().value()).get()));
      }
      if (put.size().isPresent() && put.size().getAsLong() != completed.size()) {
        return giveUp(
            ErrorCode.BAD_FIELD,
            message(
                mismatch(
                        "Size",
                        String.valueOf(put.size().getAsLong()),
                        String.valueOf(completed.size()))
                    .get()));
      }
      if (put.offset() > completed.size()) {
        return giveUp(
            ErrorCode.UNKNOWN_SESSION, message(unknownSession(put.offset(), completed.size())));
      }
      sayCompleted(link, completed);
    }
    return finish("completed before");
  }

  private Next onOpenFailed(OpenFailed failed) {
    transfer.opening = null;
    if (expiring && transfer.link == null) {
      return finish("expired");
    }
    String place = failed.code() == ErrorCode.NOT_FOUND ? "; " + environment.elsewhere() : "";
    return giveUp(failed.code(), failed.message() + place);
  }

  /** Refuses the connection; a session that was accepted before stays, another is over. */
  private Next giveUp(ErrorCode code, String message) {
    log.info("refused {}: {}", code.label(), Texts.escape(message));
    SessionLink link = transfer.link;
    if (link != null) {
      link.fail(code, message);
      transfer.link = null;
    }
    if (transfer.facts == null || (facts().direction() == Direction.GET && transfer.live == null)) {
      return finish("refused: " + code.label());
    }
    return detach();
  }

  // ---- running

  private Next onReport(ReportReady ready) {
    SessionLink link = transfer.link;
    if (link == null || ready.link() != link) {
      return Next.STAY;
    }
    Report report = link.drain();
    if (report == null) {
      return Next.STAY;
    }
    return onReport(report);
  }

  private Next onReport(Report report) {
    transfer.report = report;
    if (!transfer.accepted) {
      return report.closure() == null ? Next.STAY : onClosed(report.closure());
    }
    return facts().direction() == Direction.GET ? onGetReport(report) : onPutReport(report);
  }

  private Next onGetReport(Report report) {
    LiveStream live = transfer.live;
    if (live != null) {
      live.release(report.acked());
    }
    if (report.finished()) {
      return finish("complete");
    }
    if (report.closure() != null) {
      return onClosed(report.closure());
    }
    if (report.changed()) {
      // of an older generation: said before RESTART was on its way
      return report.workerGeneration() == transfer.workerGeneration ? reopenChanged() : Next.STAY;
    }
    if (report.held()) {
      return onHeld(report.acked());
    }
    advance(report);
    long since = report.acked() - transfer.lastMark;
    boolean due =
        since >= environment.settings().markBytes()
            || (since > 0
                && System.nanoTime() - transfer.lastMarkNanos
                    >= environment.settings().markInterval().toNanos());
    if (!due) {
      return Next.STAY;
    }
    transfer.lastMark = report.acked();
    transfer.lastMarkNanos = System.nanoTime();
    return new Next(
        mark(report.acked()), () -> environment.steps().at("get.marked"), /* stop= */ false);
  }

  private Next onPutReport(Report report) {
    boolean givenUp = report.closure() != null && report.closure().endsSession();
    if (report.finished() && !transfer.committing && !givenUp) {
      commit();
    }
    if (report.closure() != null) {
      return onClosed(report.closure());
    }
    if (transfer.committing) {
      return Next.STAY;
    }
    if (report.checkpoint() > transfer.durable) {
      sync();
    }
    if (report.held()) {
      return onHeld(transfer.durable);
    }
    advance(report);
    return Next.STAY;
  }

  private void advance(Report report) {
    if (report.position() > failedAt) {
      workerFailures = 0;
    }
    if (worker != null && report.workerGeneration() == transfer.workerGeneration) {
      worker.tell(
          new DataChannelWorker.Advance(report.seekEpoch(), report.position(), report.end()));
    } else if (worker == null && !transfer.held) {
      spawn(report.seekEpoch(), report.position(), report.end());
    }
  }

  private List<Event> mark(long offset) {
    return transfer.marked
        ? List.of(new Checkpointed(offset))
        : List.of(new Begun(facts(), revision.module(), offset));
  }

  private void sync() {
    if (syncing) {
      return;
    }
    syncing = true;
    pipe(upload().sync(), Synced::new, SessionActor::storeFailed);
  }

  private Next onSynced(Synced synced) {
    syncing = false;
    environment.steps().at("session.synced");
    long durable = synced.durable();
    if (transfer.link == null || transfer.committing || transfer.over) {
      return Next.STAY; // nobody waits for it
    }
    OptionalLong size = facts().size();
    if (durable <= transfer.durable || (size.isPresent() && durable == size.getAsLong())) {
      // nothing new, or the commit is the mark
      return acknowledged();
    }
    return new Next(
        mark(durable),
        () -> {
          environment.steps().at("put.marked");
          transfer.durable = durable;
          acknowledged();
        },
        /* stop= */ false);
  }

  private Next acknowledged() {
    SessionLink link = transfer.link;
    if (link == null) {
      return Next.STAY;
    }
    if (!transfer.accepted) {
      if (upload().durable() < upload().received()) {
        sync(); // that was an older connection's checkpoint
      } else {
        servePut();
      }
      return Next.STAY;
    }
    link.durable(transfer.durable);
    environment.steps().at("put.acknowledged");
    Report report = transfer.report;
    if (report != null && report.checkpoint() > transfer.durable) {
      sync();
    }
    return Next.STAY;
  }

  private void commit() {
    transfer.committing = true;
    stopWorker();
    Report report = transfer.report;
    Optional<String> said = report == null ? Optional.empty() : report.sha256();
    environment.steps().at("put.commit");
    pipe(
        upload().commit(upload().received(), said.or(() -> facts().sha256())),
        Committed::new,
        SessionActor::storeFailed);
  }

  private Next onCommitted(Committed committed) {
    Completed completed = committed.completed();
    environment.steps().at("put.committed");
    log.info("complete: {} bytes in {}", completed.size(), Texts.quote(facts().name()));
    SessionLink link = transfer.link;
    if (link != null) {
      if (transfer.accepted) {
        link.complete(completed);
      } else {
        sayCompleted(link, completed);
      }
      environment.steps().at("put.complete-sent");
    }
    return finish("complete");
  }

  private void sayCompleted(SessionLink link, Completed completed) {
    boolean stream = transfer.command instanceof ClientMessage.Put put && put.streamProducer();
    link.ready(
        new Ready.ReadyPut(
            transfer.id,
            completed.size(),
            revision.module(),
            transfer.workerGeneration,
            null,
            OptionalLong.of(completed.size()),
            stream));
    link.complete(completed);
  }

  private Next onStoreFailed(StoreFailed failed) {
    syncing = false;
    transfer.committing = false;
    boolean ends =
        switch (failed.code()) {
          case BAD_FIELD, BAD_OFFSET, EXISTS, CHANGED, INCOMPATIBLE -> true;
          default -> false;
        };
    log.warn("{}: {}", failed.code().label(), Texts.escape(failed.message()));
    SessionLink link = transfer.link;
    transfer.link = null;
    stopWorker();
    if (link != null) {
      link.fail(failed.code(), failed.message());
    }
    Upload upload = transfer.upload;
    if (!ends && upload != null && upload.failure().isPresent()) {
      // it stays failed; the next connection opens what is durable anew
      upload.suspend();
      transfer.upload = null;
    }
    return ends ? finish("failed: " + failed.code().label()) : detach();
  }

  private Next reopenChanged() {
    if (transfer.opening != null) {
      return Next.STAY; // under way
    }
    stopWorker();
    if (transfer.command instanceof ClientMessage.Get get && !get.streamConsumer()) {
      openOnDisk(() -> new Reopened(environment.store().openFile(get.name())));
      return Next.STAY;
    }
    return giveUp(
        ErrorCode.CHANGED,
        "the file changed while it was sent (expected: the same, because a Consumer: stream"
            + " can't go back)");
  }

  private Next onReopened(Reopened reopened) {
    transfer.opening = null;
    SessionLink link = transfer.link;
    if (link == null) {
      transfer.file = reopened.file();
      return finish("connection lost");
    }
    transfer.workerGeneration++;
    link.restart(reopened.file(), transfer.workerGeneration);
    return Next.STAY;
  }

  // ---- holding and switching

  private Next onHold(Hold hold) {
    awaitingHold.add(hold.replyTo());
    transfer.held = true;
    SessionLink link = transfer.link;
    if (link != null && transfer.accepted && !transfer.committing && !transfer.over) {
      link.hold();
      return Next.STAY;
    }
    return onHeld(transfer.durable);
  }

  private Next onHeld(long offset) {
    stopWorker();
    if (awaitingHold.isEmpty()) {
      return Next.STAY;
    }
    List<ActorRef<Held>> waiting = List.copyOf(awaitingHold);
    awaitingHold.clear();
    Runnable answer = () -> waiting.forEach(to -> to.tell(new Held(transfer.id, offset)));
    if (transfer.facts == null || transfer.over) {
      answer.run();
      return Next.STAY;
    }
    List<Event> events = new ArrayList<>();
    if (!transfer.marked) {
      events.addAll(mark(offset));
    }
    events.add(new Paused(offset));
    transfer.lastMark = offset;
    return new Next(events, answer, /* stop= */ false);
  }

  private Next onSwitch(Switch switching) {
    revision = switching.revision();
    transfer.revision = revision;
    transfer.held = false;
    if (transfer.link != null && transfer.accepted && !transfer.committing && !transfer.over) {
      respawn(true);
    }
    return transfer.marked
        ? new Next(List.of(new RevisionChanged(revision.module())), () -> {}, /* stop= */ false)
        : Next.STAY;
  }

  // ---- workers

  /** Makes the connection obey a new generation; the worker follows with the next report. */
  private void respawn(boolean tell) {
    stopWorker();
    transfer.workerGeneration++;
    connected().swap(transfer.workerGeneration, revision.module(), tell);
  }

  private void spawn(long seekEpoch, long position, long end) {
    ActorRef<DataChannelWorker.Advance> spawned =
        context.spawn(
            DataChannelWorker.create(
                connected(),
                facts().direction(),
                revision,
                transfer.workerGeneration,
                seekEpoch,
                position,
                environment.steps()),
            "worker-" + transfer.workerGeneration,
            WORKERS);
    context.watch(spawned);
    worker = spawned;
    spawned.tell(new DataChannelWorker.Advance(seekEpoch, position, end));
  }

  private void stopWorker() {
    ActorRef<DataChannelWorker.Advance> running = worker;
    if (running != null) {
      worker = null;
      context.unwatch(running);
      context.stop(running);
    }
  }

  private void onWorkerFailed(ChildFailed failed) {
    if (worker == null || !failed.getRef().path().equals(worker.path())) {
      return;
    }
    worker = null;
    Report report = transfer.report;
    long at = report == null ? 0 : report.position();
    workerFailures = at > failedAt ? 1 : workerFailures + 1;
    failedAt = at;
    log.warn(
        "worker {} of {} failed at offset {}: {}",
        transfer.workerGeneration,
        revision.module(),
        at,
        String.valueOf(failed.getCause()));
    SessionLink link = transfer.link;
    if (link == null) {
      return;
    }
    if (workerFailures < WORKER_FAILURES) {
      respawn(false);
      return;
    }
    context
        .getSelf()
        .tell(
            new StoreFailed(
                ErrorCode.INTERNAL,
                "module "
                    + revision.module()
                    + " failed "
                    + workerFailures
                    + " times at offset "
                    + at));
  }

  // ---- the end

  private Next onClosed(Closure closure) {
    SessionLink link = transfer.link;
    transfer.link = null;
    stopWorker();
    if (transfer.committing) {
      return Next.STAY; // all of it is here: the commit goes on
    }
    log.info(
        "connection {} closed at {}: {}",
        link == null ? "?" : link.remote(),
        transfer.report == null ? 0 : transfer.report.position(),
        Texts.escape(closure.reason()));
    if (transfer.opening != null) {
      return Next.STAY; // decided when that is done
    }
    if (closure.endsSession() || transfer.facts == null) {
      return finish("failed: " + closure.reason());
    }
    if (facts().direction() == Direction.GET && transfer.live == null) {
      return finish("connection lost");
    }
    return detach();
  }

  private Next detach() {
    transfer.link = null;
    transfer.accepted = false;
    stopWorker();
    if (transfer.upload != null) {
      transfer.upload.suspend();
    }
    expireLater();
    if (!awaitingHold.isEmpty()) {
      return onHeld(transfer.durable);
    }
    return Next.STAY;
  }

  private void expireLater() {
    cancelExpiry();
    Duration keep =
        transfer.facts != null && transfer.facts.direction() == Direction.PUT
            ? environment.settings().keep()
            : environment.settings().keepGet();
    expiry = context.scheduleOnce(keep, context.getSelf(), new Expire());
  }

  private void cancelExpiry() {
    if (expiry != null) {
      expiry.cancel();
      expiry = null;
    }
  }

  private Next onExpire() {
    if (transfer.link != null || transfer.over || transfer.opening != null || transfer.committing) {
      return Next.STAY;
    }
    if (transfer.upload == null && transfer.facts != null && facts().direction() == Direction.PUT) {
      // recovered and never resumed: open what is staged, so that it can be removed
      Facts known = facts();
      long durable = transfer.durable;
      openOnDisk(() -> reopen(known, durable, 0));
      expiring = true;
      return Next.STAY;
    }
    log.info("kept long enough, removed");
    return finish("expired");
  }

  /** Lets go of everything; the journal forgets the session, then the supervisor does. */
  private Next finish(String outcome) {
    transfer.over = true;
    stopWorker();
    cancelExpiry();
    closeFile();
    LiveStream live = transfer.live;
    if (live != null) {
      onDiskQuietly(live::close);
      transfer.live = null;
    }
    Upload upload = transfer.upload;
    if (upload != null) {
      upload.discard();
      transfer.upload = null;
    }
    for (ActorRef<Held> waiting : awaitingHold) {
      waiting.tell(new Held(transfer.id, transfer.durable));
    }
    awaitingHold.clear();
    return ended(outcome);
  }

  private Next ended(String outcome) {
    return new Next(
        transfer.marked ? List.of(new Ended(outcome)) : List.of(),
        () -> {
          environment.steps().at("session.ended");
          supervisor.tell(new Finished(transfer.id, context.getSelf()));
        },
        /* stop= */ false);
  }

  private void closeFile() {
    StoredFile file = transfer.file;
    if (file != null) {
      transfer.file = null;
      onDiskQuietly(file::close);
    }
  }

  // ---- helpers

  private SessionLink connected() {
    SessionLink link = transfer.link;
    if (link == null) {
      throw new IllegalStateException("session " + transfer.id + " without a connection");
    }
    return link;
  }

  private Facts facts() {
    Facts facts = transfer.facts;
    if (facts == null) {
      throw new IllegalStateException("session " + transfer.id + " was not accepted yet");
    }
    return facts;
  }

  private Upload upload() {
    Upload upload = transfer.upload;
    if (upload == null) {
      throw new IllegalStateException("session " + transfer.id + " without an upload");
    }
    return upload;
  }

  /**
   * Opens something. What was opened belongs to the transfer, not to the message that tells of it:
   * an actor that dies in between leaves it to the next one.
   */
  private void openOnDisk(Callable<Command> task) {
    CompletionStage<Command> opening =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return task.call();
              } catch (Exception e) {
                return openFailed(e);
              }
            },
            environment.disk());
    transfer.opening = opening;
    awaitOpening(opening);
  }

  private void awaitOpening(CompletionStage<Command> opening) {
    pipe(opening, opened -> opened, SessionActor::openFailed);
  }

  private <T> void pipe(
      CompletionStage<T> stage, Function<T, Command> done, Function<Throwable, Command> failed) {
    context.pipeToSelf(
        stage, (value, failure) -> failure == null ? done.apply(value) : failed.apply(failure));
  }

  private interface Closing {
    void close() throws Exception;
  }

  private void onDiskQuietly(Closing closing) {
    environment
        .disk()
        .execute(
            () -> {
              try {
                closing.close();
              } catch (Exception e) {
                LOG.warn("close failed: {}", e.toString());
              }
            });
  }

  private static Command openFailed(Throwable failure) {
    ProtocolException refusal = refusalOf(failure);
    return new OpenFailed(refusal.code(), message(refusal));
  }

  private static Command storeFailed(Throwable failure) {
    ProtocolException refusal = refusalOf(failure);
    return new StoreFailed(refusal.code(), message(refusal));
  }

  private static ProtocolException refusalOf(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    if (cause instanceof ProtocolException refusal) {
      return refusal;
    }
    LOG.warn("unexpected failure", cause);
    return new ProtocolException(ErrorCode.INTERNAL, String.valueOf(cause));
  }

  private static String message(ProtocolException refusal) {
    return String.valueOf(refusal.getMessage());
  }

  /** The session from its first mark on. */
  private final class Marked extends EventSourcedBehavior<Command, Event, State> {
    private final boolean adopted;

    Marked(boolean adopted) {
      super(PersistenceId.ofUniqueId(SessionActor.persistenceId(transfer.id)));
      this.adopted = adopted;
    }

    @Override
    public State emptyState() {
      return State.NONE;
    }

    @Override
    public CommandHandler<Command, Event, State> commandHandler() {
      return (state, command) -> {
        Next next = handle(command);
        if (next.stop()) {
          return Effect().stop();
        }
        if (next.events().isEmpty()) {
          next.then().run();
          return Effect().none();
        }
        if (!transfer.over) {
          transfer.marked = true;
        }
        if (next.events().get(0) instanceof Ended
            && (lastSequenceNumber(context) + 1) % SNAPSHOT_EVERY == 0) {
          // the end must not be the event that is followed by a snapshot: nothing may stay behind
          // it
          return Effect()
              .persist(new Checkpointed(state.offset()))
              .thenRun(() -> context.getSelf().tell(new Persist(next)));
        }
        return Effect().persist(next.events()).thenRun(() -> next.then().run());
      };
    }

    @Override
    public EventHandler<State, Event> eventHandler() {
      return State::on;
    }

    @Override
    public SignalHandler<State> signalHandler() {
      return newSignalHandlerBuilder()
          .onSignal(RecoveryCompleted.instance(), this::onRecovered)
          .onSignal(RecoveryFailed.class, (state, failed) -> onRecoveryFailed(failed))
          .onSignal(ChildFailed.class, (state, failed) -> onWorkerFailed(failed))
          .build();
    }

    @Override
    public RetentionCriteria retentionCriteria() {
      return RetentionCriteria.snapshotEvery(SNAPSHOT_EVERY, 1).withDeleteEventsOnSnapshot();
    }

    private void onRecovered(State state) {
      if (!adopted) {
        return; // the first mark is on its way
      }
      Facts recovered = state.facts();
      if (recovered == null) {
        transfer.marked = false; // it was never persisted
      } else if (transfer.facts == null) {
        transfer.facts = recovered;
        transfer.durable = state.offset();
      }
      takeUp();
    }

    private void onRecoveryFailed(RecoveryFailed failed) {
      SessionLink link = transfer.link;
      if (link != null) {
        link.fail(ErrorCode.INTERNAL, "journal: " + failed.getFailure().getMessage());
        transfer.link = null;
      }
    }
  }
}
