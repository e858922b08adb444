package io.theseus.backup;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.DispatcherSelector;
import akka.actor.typed.SupervisorStrategy;
import akka.actor.typed.javadsl.AbstractOnMessageBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.receptionist.Receptionist;
import akka.actor.typed.receptionist.ServiceKey;
import io.theseus.peer.PeerPort;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The backup of a member: hears of all sessions that other nodes want copied here, and hands each
 * message to the actor of its session. Registers itself, so that all nodes find it.
 *
 * <p>Supervision: the copy of a session that fails begins again where its last mark is, once its
 * owner says what it is again; this actor is restarted after a bug, with its children.
 */
public final class BackupNode extends AbstractOnMessageBehavior<BackupNode.Command> {
  /** Under which the receptionist of every node knows all backups. */
  public static final ServiceKey<Command> KEY = ServiceKey.create(Command.class, "theseus-backup");

  /** The name of the actor below the guardian. */
  public static final String NAME = "backup";

  private static final Logger LOG = LoggerFactory.getLogger(BackupNode.class);

  /** What it can be told. */
  public interface Command {}

  private record DrainSet(Remote.Drain asked, Optional<String> failure) implements Command {}

  private record Ended(UUID session, ActorRef<BackupSession.Command> actor) implements Command {}

  /** A session wants to know what became of it. */
  record Wonder(UUID session, String name) implements Command {}

  private final BackupEnvironment environment;
  private final Map<UUID, ActorRef<BackupSession.Command>> live = new HashMap<>();

  /** The nodes that want to know this one. */
  private final Map<String, ActorRef<Replicator.Command>> others = new HashMap<>();

  private long children;

  /**
   * The backup of a node.
   *
   * @param marked sessions of which the journal has marks
   */
  public static Behavior<Command> create(BackupEnvironment environment, Set<UUID> marked) {
    return Behaviors.supervise(
            Behaviors.<Command>setup(context -> new BackupNode(context, environment, marked)))
        .onFailure(SupervisorStrategy.restart());
  }

  /** The session of a persistence id; empty for ids of another kind. */
  public static Optional<UUID> sessionOf(String persistenceId) {
    return BackupSession.sessionOf(persistenceId);
  }

  private BackupNode(
      ActorContext<Command> context, BackupEnvironment environment, Set<UUID> marked) {
    super(context);
    this.environment = environment;
    marked.forEach(this::spawn); // their owners may never come back
    context.getSystem().receptionist().tell(Receptionist.register(KEY, context.getSelf()));
  }

  @Override
  public Behavior<Command> onMessage(Command command) {
    if (command instanceof Remote.OfSession told) {
      onTold(told);
    } else if (command instanceof Remote.Enquire enquire) {
      onEnquire(enquire);
    } else if (command instanceof Remote.Drain drain) {
      onDrain(drain);
    } else if (command instanceof DrainSet set) {
      onDrainSet(set.asked(), set.failure());
    } else if (command instanceof Wonder wonder) {
      onWonder(wonder);
    } else if (command instanceof Remote.Told told) {
      onTold(told);
    } else if (command instanceof Remote.Registered registered) {
      LOG.info("registered as a backup of node {}", registered.by());
    } else if (command instanceof Ended ended) {
      live.remove(ended.session(), ended.actor());
    }
    return this;
  }

  private void onTold(Remote.OfSession told) {
    ActorRef<BackupSession.Command> actor = live.get(told.session());
    if (actor == null && (told instanceof Remote.BackupInfo || told instanceof Remote.Release)) {
      actor = spawn(told.session());
    }
    if (actor != null) {
      actor.tell(new BackupSession.Told(told));
    }
    // otherwise its owner says again what it is, since nobody answers
  }

  private ActorRef<BackupSession.Command> spawn(UUID session) {
    ActorRef<BackupSession.Command> actor =
        getContext()
            .spawn(
                BackupSession.create(session, environment, getContext().getSelf()),
                "backup-" + children++,
                DispatcherSelector.sameAsParent());
    getContext().watchWith(actor, new Ended(session, actor));
    live.put(session, actor);
    return actor;
  }

  private void onWonder(Wonder wonder) {
    Remote.Ask ask =
        new Remote.Ask(
            wonder.session(), wonder.name(), environment.nodeId(), getContext().getSelf());
    others.values().forEach(other -> other.tell(ask));
  }

  private void onTold(Remote.Told told) {
    ActorRef<BackupSession.Command> actor = live.get(told.session());
    if (actor != null) {
      actor.tell(new BackupSession.Heard(told));
    }
  }

  private void onEnquire(Remote.Enquire enquire) {
    others.put(enquire.node(), enquire.replyTo());
    PeerPort.Address own = environment.port().address();
    enquire
        .replyTo()
        .tell(
            new Remote.Offer(
                environment.nodeId(),
                environment.rack(),
                own.host(),
                own.port(),
                environment.store().failure().isPresent() ? 0 : environment.store().freeBytes(),
                live.size(),
                environment.port().heldBytes(),
                environment.draining().isOn(),
                environment.filesLeft().getAsLong(),
                getContext().getSelf()));
  }

  private void onDrain(Remote.Drain asked) {
    CompletableFuture<Optional<String>> set =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                environment.draining().set(asked.drain());
                return Optional.empty();
              } catch (IOException e) {
                return Optional.of(String.valueOf(e.getMessage()));
              }
            },
            environment.disk());
    getContext()
        .pipeToSelf(
            set,
            (done, failure) ->
                new DrainSet(asked, failure == null ? done : Optional.of(failure.toString())));
  }

  private void onDrainSet(Remote.Drain asked, Optional<String> failure) {
    boolean draining = environment.draining().isOn();
    LOG.info(
        "as a backup: gets {} copies, by {}",
        draining ? "no new" : "new",
        Texts.escape(asked.who()));
    asked.replyTo().tell(new Remote.Drained(draining, live.size(), failure.orElse("")));
  }
}
