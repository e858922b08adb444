package io.theseus.backup;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.PostStop;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.TimerScheduler;
import akka.persistence.typed.PersistenceId;
import akka.persistence.typed.RecoveryCompleted;
import akka.persistence.typed.javadsl.CommandHandler;
import akka.persistence.typed.javadsl.Effect;
import akka.persistence.typed.javadsl.EventHandler;
import akka.persistence.typed.javadsl.EventSourcedBehavior;
import akka.persistence.typed.javadsl.RetentionCriteria;
import akka.persistence.typed.javadsl.SignalHandler;
import io.theseus.peer.PeerPort;
import io.theseus.store.Completed;
import io.theseus.store.Salvage;
import io.theseus.store.Source;
import io.theseus.store.Upload;
import io.theseus.store.UploadRequest;
import io.theseus.wire.Epoch;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The copy of one session on a backup: pulls, makes durable, marks, acknowledges; decides and
 * commits when it is told.
 *
 * <p>Two things are durable before an Ack goes out, in this order: the bytes in the store, the mark
 * in the journal. All that it is told may come again, and is answered again.
 */
final class BackupSession
    extends EventSourcedBehavior<BackupSession.Command, BackupEvent, BackupState> {
  private static final Logger LOG = LoggerFactory.getLogger(BackupSession.class);
  private static final Duration RETRY = Duration.ofMillis(500);

  /** After so long a silence it asks what became of the session. */
  private static final Duration LOOK = Duration.ofSeconds(30);

  private static final int SNAPSHOT_EVERY = 100;
  private static final String PREFIX = "backup|";

  /** What it can be told. */
  sealed interface Command {}

  /** By the owner of the session. */
  record Told(Remote.OfSession what) implements Command {}

  private record Opened(Upload upload, Epoch by, Optional<Salvage> salvage) implements Command {}

  private record Already() implements Command {}

  private record Reached() implements Command {}

  private record Interrupted(Copy copy, String reason, boolean refused) implements Command {}

  private record Corrupt(Copy copy, String reason) implements Command {}

  private enum Again implements Command {
    PULL,
    OPEN
  }

  /** Somebody has said what became of the session. */
  record Heard(Remote.Told what) implements Command {}

  /** Perhaps nobody has said anything for long. */
  private enum Look implements Command {
    NOW
  }

  /** Another one has the part still, which lets go of it. */
  private record Busy() implements Command {}

  /** Nothing is left of the copy but what has its name. */
  private record Gone() implements Command {}

  /** What became of an upload; of one that is not in use any more it is not heard. */
  private record Of(Upload upload, Command what) implements Command {}

  private record Synced(long durable) implements Command {}

  private record SealedHere() implements Command {}

  private record Published() implements Command {}

  private record Failed(ErrorCode code, String reason) implements Command {}

  private final ActorContext<Command> context;
  private final TimerScheduler<Command> timers;
  private final BackupEnvironment environment;
  private final UUID session;
  private final ActorRef<BackupNode.Command> node;
  private final Duration lookEach;

  // of this life
  private Remote.@Nullable BackupInfo info;
  private Epoch epoch = Epoch.NONE;
  private boolean opening;
  private @Nullable Upload upload;
  private Optional<Salvage> salvage = Optional.empty();
  private @Nullable Copy copy;
  private long goal;

  /** Up to where the owner wants to know that all blocks are right; -1 where it doesn't. */
  private long toVerify = -1;

  private boolean syncing;
  private Remote.@Nullable Seal seal;
  private boolean sealing;
  private boolean sealed;
  private boolean publishing;

  /** What is to be done when nothing is left of it; null while it goes on. */
  private @Nullable Runnable ending;

  /** When its owner last said something, or somebody that it is wanted. */
  private long wantedNanos = System.nanoTime();

  static Behavior<Command> create(
      UUID session, BackupEnvironment environment, ActorRef<BackupNode.Command> node) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> new BackupSession(context, timers, session, environment, node)));
  }

  static String persistenceId(UUID session) {
    return PREFIX + session;
  }

  /** The session of a persistence id; empty for ids of another kind. */
  static Optional<UUID> sessionOf(String persistenceId) {
    return persistenceId.startsWith(PREFIX)
        ? Optional.of(UUID.fromString(persistenceId.substring(PREFIX.length())))
        : Optional.empty();
  }

  private BackupSession(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      UUID session,
      BackupEnvironment environment,
      ActorRef<BackupNode.Command> node) {
    super(PersistenceId.ofUniqueId(persistenceId(session)));
    this.context = context;
    this.timers = timers;
    this.session = session;
    this.environment = environment;
    this.node = node;
    Duration keep = environment.keep();
    this.lookEach = keep.dividedBy(4).compareTo(LOOK) < 0 ? keep.dividedBy(4) : LOOK;
    timers.startTimerWithFixedDelay(Look.NOW, lookEach);
  }

  @Override
  public BackupState emptyState() {
    return BackupState.NONE;
  }

  @Override
  public EventHandler<BackupState, BackupEvent> eventHandler() {
    return BackupState::on;
  }

  @Override
  public SignalHandler<BackupState> signalHandler() {
    return newSignalHandlerBuilder()
        .onSignal(RecoveryCompleted.instance(), this::onRecovered)
        .onSignal(PostStop.instance(), state -> onStop())
        .build();
  }

  private void onRecovered(BackupState state) {
    epoch = state.epoch();
  }

  /** It failed, or the actor system ends: the part stays, and is opened again by the next one. */
  private void onStop() {
    stopCopy();
    Upload left = upload;
    if (left != null) {
      environment.disk().execute(left::letGo);
    }
  }

  @Override
  public RetentionCriteria retentionCriteria() {
    return RetentionCriteria.snapshotEvery(SNAPSHOT_EVERY, 1).withDeleteEventsOnSnapshot();
  }

  @Override
  public CommandHandler<Command, BackupEvent, BackupState> commandHandler() {
    return this::handle;
  }

  private Effect<BackupEvent, BackupState> handle(BackupState state, Command command) {
    Runnable then = ending;
    if (then != null) {
      return handleTheLast(then, command);
    } else if (command instanceof Told told) {
      wantedNanos = System.nanoTime();
      return onTold(state, told.what());
    } else if (command instanceof Heard heard) {
      return onHeard(heard.what());
    } else if (command instanceof Look) {
      return onLook(state);
    } else if (command instanceof Of of) {
      return of.upload() == upload ? handle(state, of.what()) : Effect().none();
    } else if (command instanceof Opened opened) {
      onOpened(state, opened);
    } else if (command instanceof Already) {
      opening = false;
      return end(() -> answer(new Remote.Committed(session, epoch, environment.nodeId())));
    } else if (command instanceof Reached) {
      answerVerified();
      sync();
    } else if (command instanceof Interrupted interrupted) {
      onInterrupted(interrupted);
    } else if (command instanceof Busy) {
      opening = false;
      timers.startSingleTimer(Again.OPEN, RETRY);
    } else if (command instanceof Again again) {
      Remote.BackupInfo known = info;
      if (again == Again.PULL) {
        pull();
      } else if (known != null && upload == null) {
        open(state, known, /* stale= */ null);
      }
    } else if (command instanceof Synced synced) {
      return onSynced(state, synced.durable());
    } else if (command instanceof SealedHere) {
      sealing = false;
      sealed = true;
      environment.steps().at("backup.sealed");
      answerSealed();
    } else if (command instanceof Published) {
      environment.steps().at("backup.committed");
      return end(() -> answer(new Remote.Committed(session, epoch, environment.nodeId())));
    } else if (command instanceof Corrupt corrupt && corrupt.copy() == copy) {
      return refuse(ErrorCode.INTERNAL, corrupt.reason());
    } else if (command instanceof Failed failed) {
      opening = false;
      return refuse(failed.code(), failed.reason());
    }
    return Effect().none();
  }

  private Effect<BackupEvent, BackupState> onTold(BackupState state, Remote.OfSession what) {
    if (!what.epoch().isAtLeast(epoch)) {
      LOG.info("backup of {}: told by the owner of before, {}", session, what.epoch());
      if (what instanceof Remote.BackupInfo stale) {
        stale.replyTo().tell(superseded(stale.epoch()));
      }
      return Effect().none();
    }
    if (what instanceof Remote.BackupInfo begun) {
      return onInfo(state, begun);
    } else if (what instanceof Remote.Release) {
      return release();
    }
    if (info == null || !what.epoch().equals(epoch)) {
      return Effect().none(); // it is told what the session is, first
    }
    if (what instanceof Remote.BackupData mark) {
      onMark(state, mark);
    } else if (what instanceof Remote.Verify asked) {
      toVerify = asked.offset();
      answerVerified();
    } else if (what instanceof Remote.Seal asked) {
      onSeal(asked);
    } else if (what instanceof Remote.Commit) {
      onCommit();
    }
    return Effect().none();
  }

  private Remote.Answer superseded(Epoch by) {
    return new Remote.Refused(
        session,
        by,
        environment.nodeId(),
        ErrorCode.SUPERSEDED,
        "epoch " + by + " (expected: at least " + epoch + ")");
  }

  private Effect<BackupEvent, BackupState> onInfo(BackupState state, Remote.BackupInfo begun) {
    boolean newer = !begun.epoch().equals(epoch);
    Remote.BackupInfo before = info;
    boolean moved =
        before == null || !before.host().equals(begun.host()) || before.port() != begun.port();
    info = begun;
    epoch = begun.epoch();
    if (newer || moved) {
      stopCopy();
    }
    boolean otherwise = before != null && before.sums() != begun.sums();
    Upload stale = newer ? letGoOfWhatIsBehind(begun.durable(), otherwise) : null;
    if (newer && state.isMarked()) {
      // fenced before it is answered: who comes back with the epoch of before is refused for ever
      BackupEvent owned =
          new BackupEvent.Owned(begun.epoch(), Math.min(state.durable(), begun.durable()));
      return Effect().persist(owned).thenRun(now -> goOn(now, begun, stale));
    }
    return Effect().none().thenRun(now -> goOn(now, begun, stale));
  }

  /**
   * What is behind the offset may be other bytes than the new owner gets from now on, and what was
   * decided it decides anew.
   *
   * @param otherwise whether what is whole is known by other sums from now on: by a SHA-256 that is
   *     made here, or by those of the owner
   * @return what is to be opened again; null where all goes on
   */
  private @Nullable Upload letGoOfWhatIsBehind(long offset, boolean otherwise) {
    Upload last = upload;
    boolean decided = seal != null;
    goal = 0;
    toVerify = -1;
    seal = null;
    if (last == null || (!decided && !otherwise && last.received() <= offset)) {
      return null;
    }
    upload = null;
    syncing = false;
    sealing = false;
    sealed = false;
    publishing = false;
    return last;
  }

  private void goOn(BackupState state, Remote.BackupInfo begun, @Nullable Upload stale) {
    if (upload == null) {
      open(state, begun, stale);
    } else {
      pull();
      answerReady(state);
    }
  }

  private void open(BackupState state, Remote.BackupInfo begun, @Nullable Upload stale) {
    if (opening) {
      return; // the owner says it again
    }
    opening = true;
    CompletionStage<Command> opened =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                if (stale != null) {
                  stale.letGo();
                }
                return opened(state.durable(), begun);
              } catch (ProtocolException e) {
                return e.code() == ErrorCode.BUSY ? new Busy() : new Failed(e.code(), e.reason());
              }
            },
            environment.disk());
    context.pipeToSelf(opened, (done, failure) -> failure == null ? done : failed(failure));
  }

  private Command opened(long durable, Remote.BackupInfo begun) throws ProtocolException {
    FileName name = FileName.parse(begun.name());
    Optional<Completed> completed = environment.store().completed(session, name);
    if (completed.isPresent() && environment.store().has(name)) {
      return new Already();
    }
    UploadRequest request =
        new UploadRequest(
            session,
            name,
            begun.size(),
            Optional.empty(),
            Optional.empty(),
            begun.modified(),
            begun.sums() ? UploadRequest.Hashing.SUMS : UploadRequest.Hashing.SHA256);
    Upload opened =
        durable > 0
            ? environment.store().reopen(request, durable, /* altered= */ false)
            : environment.store().begin(request);
    return new Opened(opened, begun.epoch(), environment.store().contents().salvage(name, session));
  }

  private void onOpened(BackupState state, Opened opened) {
    opening = false;
    Remote.BackupInfo known = info;
    if (known != null && !opened.by().equals(epoch)) {
      open(state, known, opened.upload()); // the session has another owner since
      return;
    }
    upload = opened.upload();
    salvage = opened.salvage();
    pull();
    answerReady(state);
  }

  private void answerReady(BackupState state) {
    Upload into = upload;
    long progress = into == null ? 0 : into.received() + (long) into.summed() * Source.BLOCK_BYTES;
    answer(new Remote.Ready(session, epoch, environment.nodeId(), state.durable(), progress));
  }

  private void pull() {
    Upload into = upload;
    Remote.BackupInfo from = info;
    if (into == null || from == null || copy != null || sealed) {
      return;
    }
    Listening listening = new Listening();
    Copy begun =
        new Copy(
            environment.port(),
            new PeerPort.Address(from.owner(), from.host(), from.port()),
            epoch,
            into,
            from.size(),
            salvage,
            environment.disk(),
            listening);
    listening.mine = begun;
    copy = begun;
    begun.begin();
    Remote.Seal asked = seal;
    if (asked != null && into.received() == asked.size()) {
      sealNow(into, asked);
    } else {
      awaitNext();
    }
    answerVerified();
  }

  /** Tells this actor, by any thread. */
  private final class Listening implements Copy.Listener {
    private volatile @Nullable Copy mine;

    @Override
    public void reached(long received) {
      context.getSelf().tell(new Reached());
    }

    @Override
    public void interrupted(String reason, boolean refused) {
      tell(copying -> new Interrupted(copying, reason, refused));
    }

    @Override
    public void corrupt(String reason) {
      tell(copying -> new Corrupt(copying, reason));
    }

    private void tell(Function<Copy, Command> what) {
      Copy copying = mine;
      if (copying != null) {
        context.getSelf().tell(what.apply(copying));
      }
    }
  }

  private void onInterrupted(Interrupted interrupted) {
    if (interrupted.copy() != copy) {
      return;
    }
    LOG.info("backup of {}: interrupted: {}", session, interrupted.reason());
    copy = null;
    Upload into = upload;
    if (into != null && into.failure().isPresent()) {
      ProtocolException failure = into.failure().get();
      context.getSelf().tell(new Of(into, new Failed(failure.code(), failure.reason())));
    } else if (!interrupted.refused()) {
      timers.startSingleTimer(Again.PULL, RETRY);
    }
  }

  private void stopCopy() {
    Copy last = copy;
    if (last != null) {
      copy = null;
      last.stop();
    }
  }

  // ---- marks

  private void onMark(BackupState state, Remote.BackupData mark) {
    if (mark.end() <= state.durable()) {
      answerAck(state.durable());
      return;
    }
    goal = Math.max(goal, mark.end());
    awaitNext();
  }

  private void awaitNext() {
    Copy running = copy;
    Upload into = upload;
    if (running != null && into != null && !syncing && goal > into.durable()) {
      running.await(goal);
    }
  }

  private void sync() {
    Upload into = upload;
    if (into == null) {
      return;
    }
    Remote.Seal asked = seal;
    if (asked != null && into.received() == asked.size()) {
      sealNow(into, asked);
      return;
    }
    if (!syncing && !sealing && !sealed) {
      syncing = true;
      await(into, into.sync(), Synced::new);
    }
  }

  private Effect<BackupEvent, BackupState> onSynced(BackupState state, long durable) {
    syncing = false;
    environment.steps().at("backup.synced");
    Remote.BackupInfo known = info;
    if (known == null || durable <= state.durable()) {
      awaitNext();
      return Effect().none();
    }
    BackupEvent mark =
        state.isMarked()
            ? new BackupEvent.Marked(epoch, durable)
            : new BackupEvent.Begun(epoch, known.name(), known.size(), known.modified(), durable);
    return Effect()
        .persist(mark)
        .thenRun(
            marked -> {
              environment.steps().at("backup.marked");
              answerAck(durable);
              awaitNext();
            });
  }

  private void answerAck(long durable) {
    answer(new Remote.Ack(session, epoch, environment.nodeId(), durable));
  }

  /** Where that is not so yet, it is told once it is. */
  private void answerVerified() {
    Copy running = copy;
    if (running != null
        && toVerify >= 0
        && running.isCompared((int) (toVerify / Source.BLOCK_BYTES))) {
      answer(new Remote.Verified(session, epoch, environment.nodeId(), toVerify));
      toVerify = -1;
    }
  }

  // ---- the end

  private void onSeal(Remote.Seal asked) {
    if (sealed) {
      answerSealed();
      return;
    }
    seal = asked;
    Upload into = upload;
    if (into == null) {
      return; // told again, once it is open
    }
    if (into.received() == asked.size()) {
      sealNow(into, asked);
    } else {
      goal = asked.size();
      Copy running = copy;
      if (running != null) {
        running.await(goal);
      }
    }
  }

  private void sealNow(Upload into, Remote.Seal asked) {
    if (sealing || sealed) {
      return;
    }
    Remote.BackupInfo known = info;
    if (known != null && known.sums()) {
      int blocks = (int) (asked.size() / Source.BLOCK_BYTES);
      Copy running = copy;
      if (running == null || !running.isCompared(blocks)) {
        return; // told again, once it is
      }
    }
    sealing = true;
    stopCopy();
    await(
        into,
        into.sealCopy(
            asked.size(), asked.sha256(), asked.received(), asked.lastSum(), asked.version()),
        done -> new SealedHere());
  }

  private void answerSealed() {
    answer(new Remote.Sealed(session, epoch, environment.nodeId()));
  }

  private void onCommit() {
    Upload into = upload;
    if (into == null || !sealed || publishing) {
      return; // it is told to seal, first
    }
    publishing = true;
    environment.steps().at("backup.commit");
    await(into, into.publish(), done -> new Published());
  }

  private Effect<BackupEvent, BackupState> release() {
    LOG.info("backup of {}: released", session);
    return end(() -> {});
  }

  private Effect<BackupEvent, BackupState> refuse(ErrorCode code, String reason) {
    LOG.warn("backup of {}: {}: {}", session, code.label(), reason);
    return end(
        () -> answer(new Remote.Refused(session, epoch, environment.nodeId(), code, reason)));
  }

  // ---- what nobody says anything of

  private Effect<BackupEvent, BackupState> onLook(BackupState state) {
    long silence = System.nanoTime() - wantedNanos;
    if (silence < lookEach.toNanos()) {
      return Effect().none();
    }
    if (info == null && !state.isMarked()) {
      return Effect().stop(); // nothing was ever kept of it
    }
    if (silence > environment.keep().toNanos()) {
      LOG.warn(
          "backup of {} ({} of {}): removed, as no node that can be reached has known of it for {}",
          session,
          state.durable(),
          Texts.quote(state.name()),
          environment.keep());
      return end(() -> {});
    }
    node.tell(new BackupNode.Wonder(session, info == null ? state.name() : info.name()));
    return Effect().none();
  }

  private Effect<BackupEvent, BackupState> onHeard(Remote.Told told) {
    if (told.fate() == Remote.Fate.WANTED) {
      wantedNanos = System.nanoTime();
    } else if (told.fate() == Remote.Fate.DONE && told.by().equals(epoch.node())) {
      // only by the owner's word: another backup may have committed already what this one is still
      // to be told to, and who was promised both is to find both
      LOG.info("backup of {}: not wanted any more, by the word of node {}", session, told.by());
      return end(() -> {});
    }
    return Effect().none();
  }

  /** Lets go of all, then says so; what has its name stays. */
  private Effect<BackupEvent, BackupState> end(Runnable then) {
    stopCopy();
    ending = then;
    return Effect()
        .persist(new BackupEvent.Ended())
        .thenRun(
            ended -> {
              if (!opening) {
                discard();
              }
            });
  }

  private void discard() {
    Upload left = upload;
    upload = null;
    CompletionStage<Void> gone =
        left == null
            ? CompletableFuture.runAsync(this::removePart, environment.disk())
            : left.discard();
    context.pipeToSelf(gone, (done, failure) -> new Gone());
  }

  /** What an earlier life has staged. */
  private void removePart() {
    try {
      environment.store().removePart(session);
    } catch (IOException e) {
      LOG.warn("backup of {}: part not removed: {}", session, String.valueOf(e.getMessage()));
    }
  }

  /** The owner hears that it is over when it could begin again. */
  private Effect<BackupEvent, BackupState> handleTheLast(Runnable then, Command command) {
    if (command instanceof Gone) {
      then.run();
      return Effect().stop();
    }
    if (opening && (command instanceof Opened || command instanceof Failed)) {
      opening = false;
      upload = command instanceof Opened opened ? opened.upload() : null;
      discard();
    } else if (opening && (command instanceof Already || command instanceof Busy)) {
      opening = false;
      discard();
    }
    return Effect().none();
  }

  private void answer(Remote.Answer what) {
    Remote.BackupInfo known = info;
    if (known != null) {
      known.replyTo().tell(what);
    }
  }

  private <T> void await(Upload of, CompletionStage<T> stage, Function<T, Command> done) {
    context.pipeToSelf(
        stage,
        (value, failure) -> new Of(of, failure == null ? done.apply(value) : failed(failure)));
  }

  private static Command failed(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    return cause instanceof ProtocolException refusal
        ? new Failed(refusal.code(), refusal.reason())
        : new Failed(ErrorCode.INTERNAL, String.valueOf(cause));
  }
}
