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
import io.theseus.session.SessionActor;
import io.theseus.session.SessionEnvironment;
import io.theseus.session.SessionLog;
import io.theseus.session.SessionSummary;
import io.theseus.session.Transfer;
import io.theseus.wire.ClientMessage;
import io.theseus.wire.ErrorCode;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

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
  private static final int FAILURES = 3;

  /** More actors without a session are not kept. */
  private static final int MOST_RESTING = 256;

  /** Sessions that are listed at a time. */
  private static final int LISTING = 256;

  /** What a lane can be told. */
  sealed interface Command {}

  /** A connection sent GET or PUT: it waits in the {@link Lane}, where no mailbox loses it. */
  record OpenSession() implements Command {}

  /** The time of a session without an actor is over. */
  record Expire(UUID session) implements Command {}

  /** The commit of a session without an actor was decided, and goes on. */
  record Finish(UUID session) implements Command {}

  /** Tells every session, or one, something. */
  record Tell(Optional<UUID> session, SessionActor.Command what) implements Command {}

  /** Code was switched: sessions that nobody uses follow, too, a few at a time. */
  record FollowSwitch() implements Command {}

  /** Asks for the sessions that have an actor here. */
  record ListSessions(CompletableFuture<List<SessionSummary>> answer) implements Command {}

  /** Ends the connection of a session. */
  record Kill(UUID session, SessionActor.Command how, CompletableFuture<Control.Killed> answer)
      implements Command {}

  /** A list of sessions that is being made, some at a time. */
  private record ListOn(
      ArrayDeque<UUID> left,
      List<SessionSummary> found,
      CompletableFuture<List<SessionSummary>> answer)
      implements Command {}

  /** What sessions do that follow a switch. */
  enum FollowOn implements Command {
    /** The next ones begin. */
    NEXT,
    /** Their code has begun. */
    ARRIVED
  }

  private record FromSession(SessionActor.Notice notice) implements Command {}

  /** A session that has an actor. */
  record Live(Transfer transfer, ActorRef<SessionActor.Command> actor) {}

  private final SessionEnvironment environment;
  private final Transfers transfers;
  private final Lane lane;
  private final ActorRef<SessionActor.Notice> notices;

  /** In the order in which they came, which is mostly that of their objects in memory. */
  private final Map<UUID, Live> live = new LinkedHashMap<>();

  /**
   * Actors whose last session is over, for those that follow: an actor costs most of a short one.
   */
  private final ArrayDeque<ActorRef<SessionActor.Command>> resting = new ArrayDeque<>();

  private final SessionIds ids = new SessionIds();
  private final Sweep sweep;
  private long children;

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
    this.sweep = new Sweep(context.getSelf(), this.environment, transfers, lane, live);
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
      wake(expire.session(), new SessionActor.Expire());
    } else if (command instanceof Finish finish) {
      wake(finish.session(), new SessionActor.Finish());
    } else if (command instanceof Tell tell) {
      onTell(tell);
    } else if (command instanceof FollowSwitch) {
      sweep.begin();
    } else if (command == FollowOn.NEXT) {
      sweep.goOn();
    } else if (command == FollowOn.ARRIVED) {
      sweep.arrive();
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
    Live there = live.get(session);
    if (there == null) {
      adopt(owned.transfer()); // which looks for it
    } else {
      there.actor().tell(new SessionActor.Arrived());
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
    live.put(transfer.id(), new Live(transfer, actor));
    lane.live(live.size());
    return actor;
  }

  private void forget(UUID session) {
    live.remove(session);
    lane.live(live.size());
  }

  private void onNotice(SessionActor.Notice notice) {
    if (notice instanceof SessionActor.Due moving) {
      sweep.due(moving.session());
    } else if (notice instanceof SessionActor.Finished finished
        && isLive(finished.session(), finished.actor())) {
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

  private boolean isLive(UUID session, ActorRef<SessionActor.Command> actor) {
    Live there = live.get(session);
    return there != null && there.actor().equals(actor);
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

  private @Nullable UUID sessionOf(ActorRef<?> actor) {
    for (Map.Entry<UUID, Live> entry : live.entrySet()) {
      if (entry.getValue().actor().equals(actor)) {
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

  private void wake(UUID session, SessionActor.Command what) {
    transfers.claimKept(session, lane).ifPresent(transfer -> adopt(transfer).tell(what));
  }

  /** Connections have their turn in between. */
  private void onListOn(ListOn list) {
    for (int i = 0; i < LISTING && !list.left().isEmpty(); i++) {
      UUID session = list.left().remove();
      Live there = live.get(session);
      if (there != null) {
        there.transfer().summary().ifPresent(list.found()::add);
      }
    }
    if (list.left().isEmpty()) {
      list.answer().complete(List.copyOf(list.found()));
    } else {
      getContext().getSelf().tell(list);
    }
  }

  private void onKill(Kill kill) {
    Live there = live.get(kill.session());
    if (there != null && there.transfer().isConnected()) {
      there.actor().tell(kill.how());
      kill.answer().complete(Control.Killed.ENDED);
    } else {
      kill.answer()
          .complete(
              transfers.has(kill.session()) ? Control.Killed.DETACHED : Control.Killed.UNKNOWN);
    }
  }

  private void onTell(Tell tell) {
    for (Map.Entry<UUID, Live> entry : live.entrySet()) {
      if (tell.session().isEmpty() || tell.session().get().equals(entry.getKey())) {
        entry.getValue().actor().tell(tell.what());
      }
    }
  }
}
