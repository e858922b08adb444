package io.theseus.control;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.ChildFailed;
import akka.actor.typed.DispatcherSelector;
import akka.actor.typed.Signal;
import akka.actor.typed.SupervisorStrategy;
import akka.actor.typed.Terminated;
import akka.actor.typed.javadsl.AbstractOnMessageBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.persistence.typed.internal.JournalFailureException;
import io.theseus.session.Follower;
import io.theseus.session.SessionActor;
import io.theseus.session.SessionEnvironment;
import io.theseus.session.SessionLog;
import io.theseus.session.SessionSummary;
import io.theseus.session.Transfer;
import io.theseus.wire.ClientMessage;
import io.theseus.wire.ErrorCode;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Control's hand on one event loop: names the sessions that begin there, hands each command to its
 * session, and supervises them.
 *
 * <p>Supervision: a session that fails is adopted again with the transfer that outlived it, so its
 * client notices nothing; one that fails three times without progress, or whose journal fails,
 * loses its connection with {@code internal} and stays resumable. After a restart of the actor
 * system every transfer that is left is adopted in the same way; after a bug of this actor, too: it
 * is restarted.
 */
final class LaneActor extends AbstractOnMessageBehavior<LaneActor.Command> {
  private static final Logger LOG = LoggerFactory.getLogger(LaneActor.class);
  private static final int FAILURES = 3;

  /** More actors without a session are not kept. */
  private static final int MOST_RESTING = 256;

  /**
   * Sessions that follow a switch at a time: as many as take the lane's thread, for which the
   * packets of others wait, no longer than this. Few at first, as the code for it is cold then.
   */
  private static final long AT_A_TIME_NANOS = 100_000;

  private static final int LEAST_FOLLOWING = 4;
  private static final int MOST_FOLLOWING = 128;
  private static final int PACE_MEMORY = 8;

  /** Sessions that are looked at for it: under a canary most have nothing to follow. */
  private static final int LOOKING = 512;

  /** Those of them that need their actor, which takes a hundred times as long. */
  private static final int BY_ACTOR = 4;

  private static final Duration BETWEEN = Duration.ofMillis(1);

  /** Sessions that are listed at a time. */
  private static final int LISTING = 256;

  /** What a lane can be told. */
  sealed interface Command {}

  /** A connection sent GET or PUT: it waits in the {@link Lane}, where no mailbox loses it. */
  record OpenSession() implements Command {}

  /** The time of a session without an actor is over. */
  record Expire(UUID session) implements Command {}

  /** Tells every session, or one, something. */
  record Tell(Optional<UUID> session, SessionActor.Command what) implements Command {}

  /** Code was switched: sessions that nobody uses follow, too, a few at a time. */
  record FollowSwitch() implements Command {}

  /** Asks for the sessions that have an actor here. */
  record ListSessions(CompletableFuture<List<SessionSummary>> answer) implements Command {}

  /** Ends the connection of a session. */
  record Kill(UUID session, String reason, CompletableFuture<Control.Killed> answer)
      implements Command {}

  /** A list of sessions that is being made, some at a time. */
  private record ListOn(
      ArrayDeque<UUID> left,
      List<SessionSummary> found,
      CompletableFuture<List<SessionSummary>> answer)
      implements Command {}

  private enum FollowOn implements Command {
    NOW
  }

  private record Run(Runnable task, int sessions) implements Command {}

  private record FromSession(SessionActor.Notice notice) implements Command {}

  private final SessionEnvironment environment;
  private final Transfers transfers;
  private final Lane lane;
  private final ActorRef<SessionActor.Notice> notices;
  private final Map<UUID, ActorRef<SessionActor.Command>> live = new HashMap<>();

  /**
   * Actors whose last session is over, for those that follow: an actor costs most of a short one.
   */
  private final ArrayDeque<ActorRef<SessionActor.Command>> resting = new ArrayDeque<>();

  private final SessionIds ids = new SessionIds();
  private final Follower follower;
  private final ArrayDeque<UUID> following = new ArrayDeque<>();

  /** Sessions that move, and have heard of a switch before this lane. */
  private final ArrayDeque<UUID> due = new ArrayDeque<>();

  private long children;

  // the last switch: when, the sessions that there were, and those left to their actors
  private long followingSince;
  private int sweep;
  private int byActors;

  /** How long one took the thread, of late, in a step of two. */
  private long nanosEach = AT_A_TIME_NANOS / LEAST_FOLLOWING;

  /** The actor of a lane, which it puts behind the lane. */
  static Behavior<Command> create(SessionEnvironment environment, Transfers transfers, Lane lane) {
    return Behaviors.supervise(
            Behaviors.<Command>setup(
                context -> new LaneActor(context, environment, transfers, lane)))
        .onFailure(SupervisorStrategy.restart());
  }

  private LaneActor(
      ActorContext<Command> context,
      SessionEnvironment environment,
      Transfers transfers,
      Lane lane) {
    super(context);
    this.environment = environment.withDisk(lane.disk());
    this.transfers = transfers;
    this.lane = lane;
    this.notices = context.messageAdapter(SessionActor.Notice.class, FromSession::new);
    this.follower =
        new Follower(this.environment, transfers.lanes().indexOf(lane), new FollowersLane());
    for (Transfer transfer : transfers.of(lane)) {
      transfers.unkeep(transfer.id());
      adopt(transfer);
    }
    lane.behind(context.getSelf());
  }

  @Override
  public Behavior<Command> onMessage(Command command) {
    if (command instanceof OpenSession) {
      onOpenSession();
    } else if (command instanceof FromSession from) {
      onNotice(from.notice());
    } else if (command instanceof Expire expire) {
      onExpire(expire);
    } else if (command instanceof Tell tell) {
      onTell(tell);
    } else if (command instanceof FollowSwitch) {
      onFollowSwitch();
    } else if (command instanceof FollowOn) {
      onFollowOn();
    } else if (command instanceof Run run) {
      long before = System.nanoTime();
      run.task().run();
      pace(System.nanoTime() - before, run.sessions());
      tellFollowed();
    } else if (command instanceof ListSessions list) {
      onListOn(
          new ListOn(new ArrayDeque<>(live.keySet()), new ArrayList<>(live.size()), list.answer()));
    } else if (command instanceof ListOn list) {
      onListOn(list);
    } else if (command instanceof Kill kill) {
      onKill(kill);
    }
    return this;
  }

  @Override
  public Behavior<Command> onSignal(Signal signal) {
    if (signal instanceof ChildFailed failed) {
      onSessionFailed(failed);
      return this;
    }
    return signal instanceof Terminated ? this : Behaviors.unhandled();
  }

  private void onOpenSession() {
    SessionActor.Attach attach = lane.nextArrival();
    if (attach == null) {
      return;
    }
    String refusal = transfers.refusal();
    if (refusal != null && !resumes(attach.command())) {
      attach.link().fail(ErrorCode.BUSY, refusal);
      return;
    }
    attach(sessionOf(attach.command()).orElseGet(ids::next), attach);
  }

  /** Whether the session has begun already: here, or the client says so. */
  private boolean resumes(ClientMessage.Command command) {
    long offset =
        command instanceof ClientMessage.Get get
            ? get.offset()
            : command instanceof ClientMessage.Put put ? put.offset() : 0;
    return sessionOf(command).filter(each -> offset > 0 || transfers.has(each)).isPresent();
  }

  private static Optional<UUID> sessionOf(ClientMessage.Command command) {
    if (command instanceof ClientMessage.Get get) {
      return get.session();
    }
    return command instanceof ClientMessage.Put put ? put.session() : Optional.empty();
  }

  private void attach(UUID session, SessionActor.Attach attach) {
    Transfers.Owned owned = transfers.claim(session, lane);
    if (owned.lane() != lane) {
      if (!owned.lane().arrive(attach)) {
        attach.link().fail(ErrorCode.BUSY, Control.STARTING);
      }
      return;
    }
    owned.transfer().arrive(attach);
    ActorRef<SessionActor.Command> actor = live.get(session);
    if (actor == null) {
      adopt(owned.transfer()); // which looks for it
    } else {
      actor.tell(new SessionActor.Arrived());
    }
  }

  private ActorRef<SessionActor.Command> adopt(Transfer transfer) {
    ActorRef<SessionActor.Command> actor = resting.pollLast();
    if (actor != null) {
      actor.tell(new SessionActor.Adopt(transfer));
    } else {
      actor =
          getContext()
              .spawn(
                  SessionActor.adopt(transfer, environment, notices),
                  "session-" + children++,
                  DispatcherSelector.sameAsParent());
      getContext().watch(actor);
    }
    live.put(transfer.id(), actor);
    lane.live(live.size());
    return actor;
  }

  private void forget(UUID session) {
    live.remove(session);
    lane.live(live.size());
  }

  private void onNotice(SessionActor.Notice notice) {
    if (notice instanceof SessionActor.Due moving) {
      onDue(moving.session());
    } else if (notice instanceof SessionActor.Finished finished
        && finished.actor().equals(live.get(finished.session()))) {
      forget(finished.session());
      Transfer transfer = transfers.remove(finished.session());
      if (finished.rests() && resting.size() < MOST_RESTING) {
        resting.add(finished.actor());
      } else {
        getContext().unwatch(finished.actor());
        getContext().stop(finished.actor());
      }
      SessionActor.Attach late;
      while (transfer != null && (late = transfer.nextArrival()) != null) {
        attach(finished.session(), late);
      }
    }
  }

  private void onSessionFailed(ChildFailed failed) {
    ActorRef<?> actor = failed.getRef();
    UUID session = sessionOf(actor);
    if (session == null) {
      resting.removeIf(each -> each.equals(actor));
      return;
    }
    forget(session);
    Transfer transfer = transfers.find(session);
    if (transfer == null) {
      return;
    }
    Throwable cause = failed.getCause();
    int count = transfer.countFailure();
    new SessionLog(session)
        .warn("session failed ({} without progress): {}", count, String.valueOf(cause));
    if (cause instanceof JournalFailureException || count >= FAILURES) {
      transfer.disconnect(ErrorCode.INTERNAL, reason(cause));
      transfers.keep(session, environment.settings().keep());
      return;
    }
    adopt(transfer);
  }

  private void tellFollowed() {
    if (sweep > 0 && following.isEmpty() && follower.isIdle()) {
      LOG.info(
          "{} sessions followed the switch within {} ms, {} of them by their actors",
          sweep - byActors,
          (System.nanoTime() - followingSince) / 1_000_000,
          byActors);
      sweep = 0;
    }
  }

  /** This lane, for those that follow. */
  private final class FollowersLane implements Follower.Lane {
    private final ActorRef<Command> self = getContext().getSelf();

    @Override
    public void run(Runnable task, int sessions) {
      self.tell(new Run(task, sessions));
    }

    @Override
    public void tell(Transfer transfer, SessionActor.Command what) {
      ActorRef<SessionActor.Command> actor = live.get(transfer.id());
      if (actor != null) {
        actor.tell(what);
      }
    }

    @Override
    public void again(Transfer transfer) {
      following.add(transfer.id());
      if (following.size() == 1) {
        self.tell(FollowOn.NOW);
      }
    }
  }

  private @Nullable UUID sessionOf(ActorRef<?> actor) {
    for (Map.Entry<UUID, ActorRef<SessionActor.Command>> entry : live.entrySet()) {
      if (entry.getValue().equals(actor)) {
        return entry.getKey();
      }
    }
    return null;
  }

  private static String reason(@Nullable Throwable cause) {
    Throwable root = cause;
    while (root != null && root.getCause() != null) {
      root = root.getCause();
    }
    return "the session failed and is kept (expected: no failure): "
        + (root == null ? "unknown" : String.valueOf(root.getMessage()));
  }

  private void onExpire(Expire expire) {
    transfers
        .claimExpired(expire.session(), lane)
        .ifPresent(transfer -> adopt(transfer).tell(new SessionActor.Expire()));
  }

  /** Those that move are the first to follow, whether the others have been told yet or not. */
  private void onDue(UUID session) {
    Transfer transfer = transfers.find(session);
    if (transfer != null && !transfer.hasFollowed(environment.switchboard().generation())) {
      (following.isEmpty() ? due : following).addFirst(session);
    }
  }

  private void onFollowSwitch() {
    boolean idle = following.isEmpty();
    followingSince = System.nanoTime();
    sweep = live.size();
    byActors = 0;
    following.clear();
    following.addAll(due);
    due.clear();
    following.addAll(live.keySet());
    if (idle) {
      onFollowOn();
    }
  }

  /** Learns how many may follow at a time. */
  private void pace(long nanos, int sessions) {
    if (sessions > 0) {
      nanosEach += (nanos / sessions - nanosEach) / PACE_MEMORY;
    }
  }

  private int atATime() {
    long fit = AT_A_TIME_NANOS / Math.max(1, nanosEach);
    return (int) Math.max(LEAST_FOLLOWING, Math.min(MOST_FOLLOWING, fit));
  }

  private void onFollowOn() {
    long before = System.nanoTime();
    int byActor = 0;
    int atATime = atATime();
    for (int i = 0;
        i < LOOKING && follower.waiting() < atATime && byActor < BY_ACTOR && !following.isEmpty();
        i++) {
      UUID session = following.remove();
      ActorRef<SessionActor.Command> actor = live.get(session);
      Transfer transfer = actor == null ? null : transfers.find(session);
      if (actor != null && transfer != null && !follower.look(transfer)) {
        actor.tell(new SessionActor.FollowSwitch());
        byActor++;
      }
    }
    byActors += byActor;
    int sessions = follower.waiting();
    follower.go();
    pace(System.nanoTime() - before, sessions);
    tellFollowed();
    if (!following.isEmpty()) {
      ActorRef<Command> self = getContext().getSelf();
      lane.later().run(() -> self.tell(FollowOn.NOW), BETWEEN);
    }
  }

  /** Connections have their turn in between. */
  private void onListOn(ListOn list) {
    for (int i = 0; i < LISTING && !list.left().isEmpty(); i++) {
      UUID session = list.left().remove();
      Transfer transfer = live.containsKey(session) ? transfers.find(session) : null;
      if (transfer != null) {
        transfer.summary().ifPresent(list.found()::add);
      }
    }
    if (list.left().isEmpty()) {
      list.answer().complete(List.copyOf(list.found()));
    } else {
      getContext().getSelf().tell(list);
    }
  }

  private void onKill(Kill kill) {
    ActorRef<SessionActor.Command> actor = live.get(kill.session());
    Transfer transfer = transfers.find(kill.session());
    if (actor != null && transfer != null && transfer.isConnected()) {
      actor.tell(new SessionActor.Kill(kill.reason()));
      kill.answer().complete(Control.Killed.ENDED);
    } else {
      kill.answer()
          .complete(
              transfers.has(kill.session()) ? Control.Killed.DETACHED : Control.Killed.UNKNOWN);
    }
  }

  private void onTell(Tell tell) {
    for (Map.Entry<UUID, ActorRef<SessionActor.Command>> entry : live.entrySet()) {
      if (tell.session().isEmpty() || tell.session().get().equals(entry.getKey())) {
        entry.getValue().tell(tell.what());
      }
    }
  }
}
