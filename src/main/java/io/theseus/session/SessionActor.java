package io.theseus.session;

import akka.actor.Cancellable;
import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.ChildFailed;
import akka.actor.typed.Signal;
import akka.actor.typed.javadsl.AbstractOnMessageBehavior;
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
import io.theseus.channel.Admission;
import io.theseus.channel.Direction;
import io.theseus.journal.OpenSession;
import io.theseus.module.Revision;
import io.theseus.module.SessionCode;
import io.theseus.names.Place;
import io.theseus.store.Completed;
import io.theseus.store.LiveStream;
import io.theseus.store.StoredFile;
import io.theseus.store.Upload;
import io.theseus.wire.ClientMessage;
import io.theseus.wire.Epoch;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One session: it opens what is transferred, spawns workers, keeps the durable offset, and ends.
 *
 * <p>It has one way to come to life, {@link #adopt}: a {@link Transfer}, with or without a
 * connection, with or without marks. It begins as a plain behaviour and becomes event sourced at
 * its first mark, so a session without a mark never touches the journal. An actor whose session
 * ended without having begun anything that could still reach it rests, and may adopt another one:
 * one actor for each session, but not a new one for each.
 *
 * <pre>
 * state       Attach                 report finished   report closed           failure
 * OPENING     newest connection wins  -                 given up                ERROR, given up
 * RUNNING     older one superseded    COMMITTING (PUT)  DETACHED (PUT, live)    ERROR, DETACHED
 *                                     ended (GET)       ended (GET)
 * COMMITTING  answered at the end     -                 goes on                 ERROR, DETACHED or ended
 * DETACHED    RUNNING                 -                 -                       (expires: ended)
 * ended       taken up by another     -                 -                       -
 * resting     -                       -                 -                       -        (Adopt: OPENING)
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
  private static final int STASH = 4096;
  private static final int SNAPSHOT_EVERY = 100;

  /** What a session can be told. */
  public sealed interface Command {}

  /** A connection begins or resumes the session by a GET or PUT. */
  public record Attach(SessionLink link, ClientMessage.Command command) {}

  /** An {@link Attach} waits in the transfer. */
  public record Arrived() implements Command {}

  /** Hold at the next packet boundary; answered when it stands there, marked. */
  public record Hold(ActorRef<Held> replyTo) implements Command {}

  /** Go on after a hold, under the revision that is in force. */
  public record Resume() implements Command {}

  /** Look whether another revision is in force than the one that the session runs. */
  public record FollowSwitch() implements Command {}

  /** End the connection; an unfinished PUT stays resumable. */
  public record Kill(String reason) implements Command {}

  /** A GET has a newer connection at another node: end this one. */
  public record Fence() implements Command {}

  /** Give an unfinished session up: its time is over. */
  public record Expire() implements Command {}

  /** Commit what was decided by an earlier life of the node, though no client asks for it. */
  public record Finish() implements Command {}

  /** Answer to {@link Hold}. */
  public record Held(UUID session, long offset) {}

  /** Bring this session to life; to an actor that {@linkplain Finished#rests() rests}. */
  public record Adopt(Transfer transfer) implements Command {}

  record ReportReady(SessionLink link) implements Command {}

  /** The last report that an earlier incarnation took may not have been acted on. */
  record ReportAgain() implements Command {}

  record FileOpened(@Nullable StoredFile file, @Nullable LiveStream live) implements Command {}

  record Reopened(StoredFile file) implements Command {}

  record UploadOpened(Upload upload) implements Command {}

  record AlreadyCompleted(Completed completed) implements Command {}

  /** What is asked for is at another node. */
  record Elsewhere(Place place) implements Command {}

  /** The name's version, once nothing but the commit is to be done. */
  record Versioned(String version) implements Command {}

  record OpenFailed(ErrorCode code, String reason) implements Command {}

  record Synced(long durable) implements Command {}

  /** Copies have become short, or whole again. */
  record CopiesChanged() implements Command {}

  /** All copies are whole, and can't be refused any more. */
  record SealedEverywhere() implements Command {}

  record Committed(Completed completed) implements Command {}

  /** The store or the module can't go on. */
  record Failed(ErrorCode code, String reason) implements Command {}

  /** Code of a module is there, and says whether the session may be. */
  record CodeBegun(
      long attempt, long switchGeneration, Revision revision, SessionCode code, Admission admission)
      implements Command {
    /** What became of code that was begun. */
    static Command of(
        long attempt,
        long switchGeneration,
        Revision revision,
        SessionCode.@Nullable Begun begun,
        @Nullable Throwable failure) {
      return begun == null
          ? new CodeFailed(attempt, revision, SessionCode.reason(failure))
          : new CodeBegun(attempt, switchGeneration, revision, begun.code(), begun.admission());
    }
  }

  /**
   * Code of a module failed; what is stable goes on.
   *
   * @param attempt to begin it; 0 where it had begun
   */
  record CodeFailed(long attempt, Revision revision, String what) implements Command {}

  /** The code that a worker of the given generation asks has failed. */
  record WorkerFailed(long generation, String what) implements Command {}

  /** The code that a worker of the given generation asks lets nothing more pass. */
  record WorkerDenied(long generation, String reason) implements Command {}

  /** What was decided outside of a handler. */
  record Decided(Next next) implements Command {}

  /** What a session tells its supervisor. */
  public sealed interface Notice {}

  /** Bytes of the session move, and code was switched: it follows before those that stand. */
  public record Due(UUID session) implements Notice {}

  /**
   * The session is over; to be forgotten, and its actor stopped, or kept for another one.
   *
   * @param rests whether the actor may be told to {@link Adopt} another session, as nothing that
   *     this one began can reach it any more
   */
  public record Finished(UUID session, ActorRef<Command> actor, boolean rests) implements Notice {}

  private final ActorContext<Command> context;
  private final StashBuffer<Command> stash;
  private final SessionEnvironment environment;
  private final ActorRef<Notice> supervisor;
  private final Transfer transfer;
  private final SessionLog log;
  private final DiskTasks disk;
  private final Workers workers;
  private final CodeSide code;
  private final GetSide get;
  private final PutSide put;

  private @Nullable Cancellable expiry;
  private boolean expiring;

  /** Whether the session began here without the journal: nothing was taken up. */
  private boolean began;

  /** Whether it has ended so that another one may follow, see {@link #isAlone}. */
  private boolean clean;

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

  /** Whether all was decided when the node's last life ended, and the commit was not. */
  public static boolean isCommitting(OpenSession session) {
    return session.lastEvent().equals(SessionEvent.Committing.class.getName());
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
    this.environment = environment;
    this.supervisor = supervisor;
    this.log = new SessionLog(transfer.id);
    this.disk = new DiskTasks(context, transfer, environment.disk());
    this.workers =
        new Workers(context, transfer, environment.bandwidth(), environment.steps(), log);
    this.code = new CodeSide(this, context, environment, transfer, workers, log);
    this.get = new GetSide(this, environment, transfer, workers, disk);
    this.put = new PutSide(this, environment, transfer, workers, disk, log);
  }

  private Behavior<Command> start() {
    if (transfer.marked) {
      return new Marked(/* adopted= */ true);
    }
    began = transfer.isNew();
    takeUp();
    return new Plain();
  }

  /** Goes on where an earlier incarnation stopped; a session that begins has nothing to take up. */
  private void takeUp() {
    if (transfer.over) {
      later(ended("over"));
      return;
    }
    boolean isNew = transfer.isNew();
    if (isNew) {
      later(onArrived());
    }
    for (int i = transfer.waiting(); i > 0; i--) {
      context.getSelf().tell(new Arrived());
    }
    if (isNew) {
      return;
    }
    if (transfer.opening != null) {
      disk.await(transfer.opening);
    }
    if (transfer.switching != null) {
      code.await(transfer.switching);
    }
    if (transfer.committing) {
      put.commit(); // goes on whether or not somebody waits for it
    }
    SessionLink link = transfer.link;
    if (link == null) {
      takeUpDetached();
      return;
    }
    listenTo(link);
    put.listen();
    if (!transfer.accepted) {
      later(open());
    } else if (!transfer.committing) {
      workers.respawn(/* keep= */ false, /* tell= */ false);
      followLater(); // an earlier incarnation may have been told, and not have come to it
      Report last = transfer.report;
      if (last != null && (last.finished() || last.closure() != null)) {
        context.getSelf().tell(new ReportAgain());
      }
    }
  }

  private void takeUpDetached() {
    if (transfer.facts != null) {
      expireLater();
    }
    if (!transfer.awaitingHold.isEmpty()) {
      later(onHeld(transfer.committed()));
    }
  }

  private void later(Next next) {
    if (!next.equals(Next.STAY)) {
      context.getSelf().tell(new Decided(next));
    }
  }

  private Behavior<Command> onPlain(Command command) {
    Next next = handle(command);
    if (!next.events().isEmpty()) {
      // the first mark: event sourced from here on; the stash carries the act over
      transfer.marked = true;
      stash.stash(new Decided(next));
      return stash.unstashAll(new Marked(/* adopted= */ false));
    }
    next.then().run();
    return clean ? new Resting(this) : Behaviors.same();
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
      return put.onSynced(synced);
    } else if (command instanceof FileOpened opened) {
      return get.onOpened(opened);
    } else if (command instanceof Reopened reopened) {
      return get.onReopened(reopened);
    } else if (command instanceof UploadOpened opened) {
      return put.onOpened(opened);
    } else if (command instanceof CopiesChanged) {
      return put.onCopiesChanged();
    } else if (command instanceof SealedEverywhere) {
      return put.onSealedEverywhere();
    } else if (command instanceof Committed committed) {
      return put.onCommitted(committed);
    } else if (command instanceof AlreadyCompleted completed) {
      return put.onAlreadyCompleted(completed);
    } else if (command instanceof OpenFailed failed) {
      return onOpenFailed(failed);
    } else if (command instanceof Elsewhere elsewhere) {
      return onElsewhere(elsewhere.place());
    } else if (command instanceof Versioned versioned) {
      return put.onVersioned(versioned.version());
    } else if (command instanceof Failed failed) {
      return onFailed(failed);
    } else if (command instanceof Decided decided) {
      return decided.next();
    } else if (command instanceof Hold hold) {
      return onHold(hold);
    } else if (command instanceof CodeBegun begun) {
      return code.onBegun(begun);
    } else if (command instanceof CodeFailed failed) {
      return code.onFailed(failed);
    } else if (command instanceof WorkerFailed failed) {
      return failed.generation() == transfer.workerGeneration
          ? code.onFailed(new CodeFailed(/* attempt= */ 0, transfer.running(), failed.what()))
          : Next.STAY;
    } else if (command instanceof WorkerDenied denied) {
      return denied.generation() == transfer.workerGeneration && transfer.isRunning()
          ? onFailed(new Failed(ErrorCode.DENIED, workers.module() + ": " + denied.reason()))
          : Next.STAY;
    } else if (command instanceof FollowSwitch) {
      return code.follow();
    } else if (command instanceof Resume) {
      return code.resume();
    } else if (command instanceof Kill kill) {
      return onKill(kill);
    } else if (command instanceof Fence) {
      return onFence();
    } else if (command instanceof Finish) {
      return put.finish();
    }
    return command instanceof Expire ? onExpire() : Next.STAY; // Adopt is for those that rest
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
      link.fail(refusal.get().code(), refusal.get().reason());
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
    workers.stop();
    transfer.dropCode(); // it is asked anew, for this client
    transfer.link = link;
    transfer.command = attach.command();
    transfer.accepted = false;
    transfer.report = null;
    listenTo(link);
    put.takeOver();
    return open();
  }

  private Optional<ProtocolException> refusal(ClientMessage.Command command) {
    Facts facts = transfer.facts;
    if (facts == null) {
      return Optional.empty();
    }
    Optional<ProtocolException> mismatch = facts.refusal(command);
    return mismatch.isEmpty() && command instanceof ClientMessage.Put wanted
        ? put.refusal(wanted)
        : mismatch;
  }

  /** By any thread. */
  Runnable telling(Command command) {
    ActorRef<Command> self = context.getSelf();
    return () -> self.tell(command);
  }

  private void listenTo(SessionLink link) {
    ActorRef<Command> self = context.getSelf();
    link.onReport(() -> self.tell(new ReportReady(link)));
    Due due = new Due(transfer.id);
    link.onSwitch(environment.switchboard()::generation, () -> supervisor.tell(due));
  }

  /** Opens what the connection asks for, once the code that serves it is there. */
  Next open() {
    if (transfer.opening != null || transfer.committing) {
      return Next.STAY; // the newest connection is served when that is done
    }
    return code.prepare() ? openContent() : Next.STAY;
  }

  Next openContent() {
    ClientMessage.Command command = transfer.command;
    if (command instanceof ClientMessage.Get wanted) {
      return get.open(wanted);
    } else if (command instanceof ClientMessage.Put wanted) {
      put.open(wanted);
    }
    return Next.STAY;
  }

  /** Something was opened, but the connection is gone, or there was none. */
  Next onOpenedForNobody() {
    if (transfer.facts == null || expiring) {
      return finish(expiring ? "expired" : "given up before READY");
    }
    put.suspend();
    expireLater();
    return Next.STAY;
  }

  private Next onOpenFailed(OpenFailed failed) {
    transfer.opening = null;
    if (expiring && transfer.link == null) {
      return finish("expired");
    }
    boolean alone = failed.code() == ErrorCode.NOT_FOUND && environment.names().isAlone();
    String place = alone ? "; " + environment.elsewhere() : "";
    return giveUp(failed.code(), failed.reason() + place);
  }

  /** The client goes on at another node. */
  private Next onElsewhere(Place place) {
    transfer.opening = null;
    log.info("is at node {}", place.node());
    SessionLink link = transfer.link;
    if (link != null) {
      transfer.link = null;
      link.migrate(transfer.id, place);
    }
    return outlivesConnection() ? detach() : finish("at node " + place.node());
  }

  /** Refuses the connection; a session that was accepted before stays, another is over. */
  Next giveUp(ErrorCode code, String reason) {
    log.info("refused {}: {}", code.label(), Texts.escape(reason));
    SessionLink link = transfer.link;
    if (link != null) {
      transfer.link = null;
      link.fail(code, reason);
    }
    return outlivesConnection() ? detach() : finish("refused: " + code.label());
  }

  /** Whether a client can come back: not to a GET that any session serves as well. */
  private boolean outlivesConnection() {
    Facts facts = transfer.facts;
    LiveStream live = transfer.live;
    return facts != null
        && (facts.direction() == Direction.PUT || (live != null && !live.isRewindable()));
  }

  // ---- running

  private Next onReport(ReportReady ready) {
    SessionLink link = transfer.link;
    if (link == null || ready.link() != link) {
      return Next.STAY;
    }
    Report report = link.drain();
    return report == null ? Next.STAY : onReport(report);
  }

  private Next onReport(Report report) {
    transfer.report = report;
    Closure closure = report.closure();
    if (!transfer.accepted) {
      return closure == null ? Next.STAY : onClosed(closure);
    }
    return transfer.facts().direction() == Direction.GET
        ? get.onReport(report)
        : put.onReport(report);
  }

  /**
   * The events that say how far the session has come; the first ones say what it is, too, and the
   * next ones behind a switch under what it runs, and whether that may change bytes. A switch alone
   * writes nothing.
   */
  List<SessionEvent> marks(long offset) {
    String module = workers.module();
    List<SessionEvent> marks = new ArrayList<>();
    if (transfer.altered && !transfer.markedAltered) {
      transfer.markedAltered = true;
      marks.add(new SessionEvent.Altered());
    }
    if (!transfer.marked) {
      marks.add(0, new SessionEvent.Begun(transfer.facts(), module, offset));
    } else {
      if (!transfer.markedModule.equals(module)) {
        marks.add(new SessionEvent.RevisionChanged(module));
      }
      marks.add(new SessionEvent.Checkpointed(offset));
    }
    transfer.markedModule = module;
    put.markOfCopies().ifPresent(marks::add);
    return List.copyOf(marks);
  }

  private void onWorkerFailed(ChildFailed failed) {
    workers.onFailed(failed).ifPresent(command -> context.getSelf().tell(command));
  }

  /** As if the connection were lost, which is told why. */
  private Next onKill(Kill kill) {
    SessionLink link = transfer.link;
    if (link == null) {
      return Next.STAY;
    }
    link.fail(ErrorCode.DENIED, kill.reason());
    return onClosed(new Closure(/* endsSession= */ false, kill.reason()));
  }

  private Next onFence() {
    SessionLink link = transfer.link;
    boolean isPut =
        transfer.command instanceof ClientMessage.Put
            || (transfer.facts != null && transfer.facts.direction() == Direction.PUT);
    if (link == null || isPut) {
      return Next.STAY; // who resumes a PUT is sent to the node that has it
    }
    String reason =
        "session "
            + transfer.id
            + " has a newer connection at another node (expected: one at a time)";
    link.fail(ErrorCode.SUPERSEDED, reason);
    return onClosed(new Closure(/* endsSession= */ false, reason));
  }

  Next onFailed(Failed failed) {
    boolean ends =
        switch (failed.code()) {
          case BAD_FIELD, BAD_OFFSET, EXISTS, CHANGED, INCOMPATIBLE -> true;
          default -> false;
        };
    log.warn("{}: {}", failed.code().label(), Texts.escape(failed.reason()));
    SessionLink link = transfer.link;
    transfer.link = null;
    workers.stop();
    if (link != null) {
      link.fail(failed.code(), failed.reason());
    }
    put.onFailed(/* kept= */ !ends);
    return ends ? finish("failed: " + failed.code().label()) : detach();
  }

  // ---- holding and switching

  private Next onHold(Hold hold) {
    transfer.awaitingHold.add(hold.replyTo());
    transfer.held = true;
    SessionLink link = transfer.link;
    if (link != null && transfer.isRunning()) {
      link.hold();
      return Next.STAY;
    }
    return onHeld(transfer.committed());
  }

  /** The connection was accepted: what was switched while it could not follow is followed now. */
  void accepted() {
    transfer.accepted = true;
    followLater();
  }

  private void followLater() {
    if (transfer.followed() != environment.switchboard().generation()) {
      context.getSelf().tell(new FollowSwitch());
    }
  }

  /** Whether it is to stand still, itself or with the whole node. */
  boolean isHeld() {
    transfer.held = transfer.held || environment.switchboard().isPaused();
    return transfer.held;
  }

  /** The transfer stands still at an offset, which is marked before it is told. */
  Next onHeld(long offset) {
    workers.stop();
    if (transfer.awaitingHold.isEmpty()) {
      return Next.STAY;
    }
    if (transfer.facts == null || transfer.over || transfer.markedVersion) {
      answerHold(offset);
      return Next.STAY;
    }
    SessionEvent paused = new SessionEvent.Paused(offset);
    transfer.lastMark = offset;
    List<SessionEvent> events = new ArrayList<>();
    if (!transfer.marked) {
      events.addAll(marks(offset));
    }
    events.add(paused);
    return Next.persist(List.copyOf(events), () -> answerHold(offset));
  }

  private void answerHold(long offset) {
    List<ActorRef<Held>> waiting = List.copyOf(transfer.awaitingHold);
    transfer.awaitingHold.clear();
    waiting.forEach(to -> to.tell(new Held(transfer.id, offset)));
  }

  // ---- the end

  /** The connection has nothing more to do with the session. */
  Next onClosed(Closure closure) {
    SessionLink link = transfer.link;
    transfer.link = null;
    workers.stop();
    transfer.dropCode();
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
    return outlivesConnection() ? detach() : finish("connection lost");
  }

  private Next detach() {
    transfer.link = null;
    transfer.accepted = false;
    workers.stop();
    transfer.dropCode();
    put.suspend();
    expireLater();
    return transfer.awaitingHold.isEmpty() ? Next.STAY : onHeld(transfer.committed());
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
    Facts facts = transfer.facts;
    if (transfer.markedVersion) {
      expireLater(); // only forward: it may have its name elsewhere
      return put.finish();
    }
    if (facts != null && facts.direction() == Direction.PUT && transfer.upload == null) {
      expiring = true;
      put.openToRemove();
      return Next.STAY;
    }
    log.info("kept long enough, removed");
    return finish("expired");
  }

  /** A GET has sent all that it was asked for. */
  Next complete() {
    clean = isAlone();
    return finish("complete");
  }

  /**
   * Whether nobody but its supervisor and its connection, whose reports name it, has ever had to do
   * with this actor. What these and itself have told it comes before the next session; a worker, a
   * timer, the disk, the journal, code of modules might come later.
   */
  private boolean isAlone() {
    return began
        && !transfer.marked
        && transfer.attempts == 0
        && transfer.live == null
        && !workers.haveBegun()
        && !disk.wasAwaited();
  }

  /** Lets go of everything; the journal forgets the session, then the supervisor does. */
  Next finish(String outcome) {
    transfer.over = true;
    workers.stop();
    transfer.dropCode();
    cancelExpiry();
    get.end();
    put.end();
    answerHold(transfer.committed());
    return ended(outcome);
  }

  private Next ended(String outcome) {
    return Next.persist(
        transfer.marked ? List.of(new SessionEvent.Ended(outcome)) : List.of(),
        () -> {
          environment.steps().at("session.ended");
          supervisor.tell(new Finished(transfer.id, context.getSelf(), clean));
        });
  }

  /** The session before its first mark. */
  private final class Plain extends AbstractOnMessageBehavior<Command> {
    Plain() {
      super(context);
    }

    @Override
    public Behavior<Command> onMessage(Command command) {
      return onPlain(command);
    }

    @Override
    public Behavior<Command> onSignal(Signal signal) {
      if (signal instanceof ChildFailed failed) {
        onWorkerFailed(failed);
        return this;
      }
      return Behaviors.unhandled();
    }
  }

  /**
   * No session: the last one is over, and the supervisor hasn't told of another. It holds nothing
   * of the last one but what those are answered who asked it to hold too late.
   */
  private static final class Resting extends AbstractOnMessageBehavior<Command> {
    private final ActorContext<Command> context;
    private final StashBuffer<Command> stash;
    private final SessionEnvironment environment;
    private final ActorRef<Notice> supervisor;
    private final Held last;

    Resting(SessionActor ended) {
      super(ended.context);
      this.context = ended.context;
      this.stash = ended.stash;
      this.environment = ended.environment;
      this.supervisor = ended.supervisor;
      this.last = new Held(ended.transfer.id, ended.transfer.committed());
    }

    @Override
    public Behavior<Command> onMessage(Command command) {
      if (command instanceof Adopt adopt) {
        return new SessionActor(context, stash, adopt.transfer(), environment, supervisor).start();
      }
      if (command instanceof Hold hold) {
        hold.replyTo().tell(last);
      }
      return this; // what came too late for the last session
    }
  }

  /** The session from its first mark on. */
  private final class Marked extends EventSourcedBehavior<Command, SessionEvent, SessionState> {
    private final boolean adopted;

    Marked(boolean adopted) {
      super(PersistenceId.ofUniqueId(SessionActor.persistenceId(transfer.id)));
      this.adopted = adopted;
    }

    @Override
    public SessionState emptyState() {
      return SessionState.NONE;
    }

    @Override
    public CommandHandler<Command, SessionEvent, SessionState> commandHandler() {
      return (state, command) -> {
        Next next = handle(command);
        if (next.events().isEmpty()) {
          next.then().run();
          return Effect().none();
        }
        if (!transfer.over) {
          transfer.marked = true;
        }
        if (next.events().get(0) instanceof SessionEvent.Ended
            && (lastSequenceNumber(context) + 1) % SNAPSHOT_EVERY == 0) {
          // the end must not be the event that is followed by a snapshot: nothing may stay behind
          // it
          return Effect()
              .persist(new SessionEvent.Checkpointed(state.offset()))
              .thenRun(() -> context.getSelf().tell(new Decided(next)));
        }
        return Effect().persist(next.events()).thenRun(() -> next.then().run());
      };
    }

    @Override
    public EventHandler<SessionState, SessionEvent> eventHandler() {
      return SessionState::on;
    }

    @Override
    public SignalHandler<SessionState> signalHandler() {
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

    private void onRecovered(SessionState state) {
      if (!adopted) {
        return; // the first mark is on its way
      }
      transfer.altered |= state.altered();
      transfer.markedAltered = state.altered();
      Facts recovered = state.facts();
      if (recovered == null) {
        transfer.marked = false; // it was never persisted
      } else if (transfer.facts == null) {
        transfer.facts = recovered;
        transfer.durable = state.offset();
        transfer.epoch = state.epoch() == null ? Epoch.NONE : state.epoch();
        transfer.markedEpoch = transfer.epoch;
        transfer.markedCopies = state.copies();
        transfer.version = state.version();
        transfer.markedVersion = state.version() != null;
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
