package io.theseus.control;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.ChildFailed;
import akka.actor.typed.SupervisorStrategy;
import akka.actor.typed.Terminated;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import akka.actor.typed.javadsl.TimerScheduler;
import akka.persistence.typed.internal.JournalFailureException;
import io.theseus.session.SessionActor;
import io.theseus.session.SessionEnvironment;
import io.theseus.session.SessionLog;
import io.theseus.session.Transfer;
import io.theseus.wire.ClientMessage;
import io.theseus.wire.ErrorCode;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One on each node: names sessions, hands each command to its session, and supervises them.
 *
 * <p>Supervision: a session that fails is adopted again with the transfer that outlived it, so its
 * client notices nothing; one that fails three times without progress, or whose journal fails,
 * loses its connection with {@code internal} and stays resumable. After a restart of the actor
 * system every transfer that is left is adopted in the same way; after a bug of this actor, too: it
 * is restarted.
 */
public final class ControlActor extends AbstractBehavior<ControlActor.Command> {
  private static final int FAILURES = 3;
  private static final Duration SWEEP = Duration.ofSeconds(30);
  private static final String CHILD = "session-";
  private static final int UUID_LENGTH = 36;

  /** What control can be told. */
  public sealed interface Command {}

  /** A connection sent GET or PUT: it waits in {@link Transfers}, where no mailbox loses it. */
  public record OpenSession() implements Command {}

  /** Asks how many sessions there are. */
  public record Count(ActorRef<Counts> replyTo) implements Command {}

  /** Tells every session, or one, something: hold, switch. */
  public record Tell(Optional<UUID> session, SessionActor.Command what) implements Command {}

  /**
   * How many sessions there are.
   *
   * @param live with an actor
   * @param kept known to the journal only, until they are resumed or their time is over
   */
  public record Counts(int live, int kept) {}

  private record FromSession(SessionActor.Notice notice) implements Command {}

  private enum Sweep implements Command {
    NOW
  }

  private final SessionEnvironment environment;
  private final Transfers transfers;
  private final ActorRef<SessionActor.Notice> notices;
  private final Map<UUID, ActorRef<SessionActor.Command>> live = new HashMap<>();

  /** Sessions without an actor, and when (nanoTime) their time is over. */
  private final Map<UUID, Long> kept = new HashMap<>();

  private final SessionIds ids = new SessionIds();
  private long children;

  /**
   * Control of a node.
   *
   * @param transfers that outlived an earlier actor system, or none
   * @param open sessions of which the journal has marks
   */
  public static Behavior<Command> create(
      SessionEnvironment environment, Transfers transfers, Collection<UUID> open) {
    return Behaviors.supervise(
            Behaviors.<Command>setup(
                context ->
                    Behaviors.withTimers(
                        timers -> new ControlActor(context, timers, environment, transfers, open))))
        .onFailure(SupervisorStrategy.restart());
  }

  private ControlActor(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      SessionEnvironment environment,
      Transfers transfers,
      Collection<UUID> open) {
    super(context);
    this.environment = environment;
    this.transfers = transfers;
    this.notices = context.messageAdapter(SessionActor.Notice.class, FromSession::new);
    for (UUID session : open) {
      keep(session);
    }
    for (Transfer transfer : transfers.all()) {
      kept.remove(transfer.id());
      adopt(transfer);
    }
    for (int i = transfers.waiting(); i > 0; i--) {
      context.getSelf().tell(new OpenSession());
    }
    timers.startTimerWithFixedDelay(Sweep.NOW, SWEEP);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(OpenSession.class, this::onOpenSession)
        .onMessage(FromSession.class, this::onNotice)
        .onMessage(Count.class, this::onCount)
        .onMessage(Tell.class, this::onTell)
        .onMessage(Sweep.class, sweep -> onSweep())
        .onSignal(ChildFailed.class, this::onSessionFailed)
        .onSignal(Terminated.class, terminated -> this)
        .build();
  }

  private Behavior<Command> onOpenSession(OpenSession open) {
    SessionActor.Attach attach = transfers.nextArrival();
    if (attach != null) {
      attach(sessionOf(attach.command()).orElseGet(ids::next), attach);
    }
    return this;
  }

  private static Optional<UUID> sessionOf(ClientMessage.Command command) {
    if (command instanceof ClientMessage.Get get) {
      return get.session();
    }
    return command instanceof ClientMessage.Put put ? put.session() : Optional.empty();
  }

  private void attach(UUID session, SessionActor.Attach attach) {
    Transfer transfer = transferOf(session);
    transfer.arrive(attach);
    ActorRef<SessionActor.Command> actor = live.get(session);
    if (actor == null) {
      adopt(transfer); // which looks for it
    } else {
      actor.tell(new SessionActor.Arrived());
    }
  }

  private Transfer transferOf(UUID session) {
    boolean marked = kept.remove(session) != null;
    Transfer left = transfers.find(session);
    if (left != null) {
      return left;
    }
    Transfer transfer = marked ? Transfer.recover(session) : Transfer.begin(session);
    transfers.add(transfer);
    return transfer;
  }

  private ActorRef<SessionActor.Command> adopt(Transfer transfer) {
    ActorRef<SessionActor.Command> actor =
        getContext()
            .spawn(
                SessionActor.adopt(transfer, environment, notices),
                CHILD + transfer.id() + "-" + children++);
    getContext().watch(actor);
    live.put(transfer.id(), actor);
    return actor;
  }

  private Behavior<Command> onNotice(FromSession from) {
    if (from.notice() instanceof SessionActor.Finished finished) {
      live.remove(finished.session());
      Transfer transfer = transfers.remove(finished.session());
      getContext().unwatch(finished.actor());
      finished.actor().tell(new SessionActor.Stop());
      SessionActor.Attach late;
      while (transfer != null && (late = transfer.nextArrival()) != null) {
        attach(finished.session(), late);
      }
    }
    return this;
  }

  private Behavior<Command> onSessionFailed(ChildFailed failed) {
    String name = failed.getRef().path().name();
    UUID session = UUID.fromString(name.substring(CHILD.length(), CHILD.length() + UUID_LENGTH));
    live.remove(session);
    Transfer transfer = transfers.find(session);
    if (transfer == null) {
      return this;
    }
    Throwable cause = failed.getCause();
    int count = transfer.countFailure();
    new SessionLog(session).warn("session failed ({} in a row): {}", count, String.valueOf(cause));
    if (cause instanceof JournalFailureException || count >= FAILURES) {
      transfer.disconnect(ErrorCode.INTERNAL, reason(cause));
      keep(session);
      return this;
    }
    adopt(transfer);
    return this;
  }

  private static String reason(@Nullable Throwable cause) {
    Throwable root = cause;
    while (root != null && root.getCause() != null) {
      root = root.getCause();
    }
    return "the session failed and is kept (expected: no failure): "
        + (root == null ? "unknown" : String.valueOf(root.getMessage()));
  }

  private void keep(UUID session) {
    kept.put(session, System.nanoTime() + environment.settings().keep().toNanos());
  }

  private Behavior<Command> onSweep() {
    long now = System.nanoTime();
    List<UUID> expired =
        kept.entrySet().stream()
            .filter(entry -> entry.getValue() - now <= 0)
            .map(Map.Entry::getKey)
            .toList();
    for (UUID session : expired) {
      adopt(transferOf(session)).tell(new SessionActor.Expire());
    }
    return this;
  }

  private Behavior<Command> onCount(Count count) {
    count.replyTo().tell(new Counts(live.size(), kept.size()));
    return this;
  }

  private Behavior<Command> onTell(Tell tell) {
    for (Map.Entry<UUID, ActorRef<SessionActor.Command>> entry : live.entrySet()) {
      if (tell.session().isEmpty() || tell.session().get().equals(entry.getKey())) {
        entry.getValue().tell(tell.what());
      }
    }
    return this;
  }
}
