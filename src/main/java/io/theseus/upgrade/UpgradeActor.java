package io.theseus.upgrade;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.SupervisorStrategy;
import akka.actor.typed.javadsl.AbstractOnMessageBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.TimerScheduler;
import io.theseus.steps.Steps;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The {@link Agent} of a node at work: its disk, its host, and the way to the other nodes.
 *
 * <p>It waits for its disk, so it has a dispatcher where that hurts nobody. When the disk fails,
 * what was to be promised is not said, and the agent begins again from what is there.
 */
public final class UpgradeActor extends AbstractOnMessageBehavior<UpgradeActor.Command> {
  /** The name of the actor below the guardian. */
  public static final String NAME = "upgrade";

  private static final Duration FIRST_AGAIN = Duration.ofSeconds(1);
  private static final Duration LAST_AGAIN = Duration.ofSeconds(10);

  /**
   * Between two attempts to take back what misbehaves: a node may have to be out of reach first.
   */
  private static final Duration TAKE_BACK_AGAIN = Duration.ofSeconds(5);

  /** What the actor can be told. */
  public sealed interface Command
      permits Remote.Envelope, Tick, Staged, Misbehaving, TakenBack, Coordinates, OwnMessage {}

  private enum Tick implements Command {
    TICK
  }

  private record Staged(long attempt, Optional<String> refusal) implements Command {}

  /** Too many sessions had to leave the code that a switch brought. */
  record Misbehaving(long switchGeneration, String reason) implements Command {}

  /** Why what misbehaves is not being taken back; empty where it is. */
  private record TakenBack(Optional<String> refusal) implements Command {}

  /** The coordinator is on this node now. */
  record Coordinates(ActorRef<CoordinatorActor.Command> coordinator) implements Command {}

  /** What the coordinator of this node says to its agent. */
  record OwnMessage(Message message) implements Command {}

  private final UpgradeSettings settings;
  private final StateFile file;
  private final NodeRevisions host;
  private final Peers peers;
  private final Steps steps;
  private final Consumer<UpgradeView> view;
  private final Function<ActRequest, CompletionStage<ActAnswer>> submit;
  private final Agent agent;

  /** What misbehaves, as long as the act that brought it is not taken back. */
  private @Nullable Misbehaving complaint;

  private boolean takingBack;
  private long takenBackAt;

  private @Nullable ActorRef<CoordinatorActor.Command> coordinator;
  private @Nullable ClusterState retained;

  /**
   * The agent of a node.
   *
   * @param file with its state; missing where the node was never there
   * @param view hears of all that changes
   * @param submit asks the coordinator for an act
   */
  static Behavior<Command> create(
      UpgradeSettings settings,
      StateFile file,
      NodeRevisions host,
      Peers peers,
      Steps steps,
      Consumer<UpgradeView> view,
      Function<ActRequest, CompletionStage<ActAnswer>> submit) {
    return Behaviors.supervise(
            Behaviors.<Command>setup(
                context ->
                    Behaviors.withTimers(
                        timers ->
                            new UpgradeActor(
                                context, timers, settings, file, host, peers, steps, view,
                                submit))))
        .onFailure(
            SupervisorStrategy.restartWithBackoff(
                FIRST_AGAIN, LAST_AGAIN, /* randomFactor= */ 0.2));
  }

  private UpgradeActor(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      UpgradeSettings settings,
      StateFile file,
      NodeRevisions host,
      Peers peers,
      Steps steps,
      Consumer<UpgradeView> view,
      Function<ActRequest, CompletionStage<ActAnswer>> submit) {
    super(context);
    this.settings = settings;
    this.file = file;
    this.host = host;
    this.peers = peers;
    this.steps = steps;
    this.view = view;
    this.submit = submit;
    SecureRandom random = new SecureRandom();
    AgentState state;
    try {
      state =
          file.read().orElseGet(() -> AgentState.fresh(random.nextLong(), NodeRevisions.builtIn()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Rules rules = settings.rules();
    this.agent =
        new Agent(
            settings.node(), settings.nodes(), rules, state, random.nextLong(), System.nanoTime());
    if (host.isFresh()) {
      agent.processStarted(System.nanoTime());
    }
    ActorRef<Command> self = context.getSelf();
    host.alarm((generation, reason) -> self.tell(new Misbehaving(generation, reason)));
    timers.startTimerWithFixedDelay(Tick.TICK, Duration.ZERO, rules.beat());
  }

  @Override
  public Behavior<Command> onMessage(Command command) {
    long now = System.nanoTime();
    if (command instanceof Tick) {
      carryOut(agent.onTick(now));
      if (now - takenBackAt >= TAKE_BACK_AGAIN.toNanos()) {
        takeBack(now);
      }
    } else if (command instanceof OwnMessage own && own.message() instanceof Message.ToAgent to) {
      carryOut(agent.onMessage(settings.node(), to, now));
    } else if (command instanceof Remote.Envelope envelope) {
      onEnvelope(envelope, now);
    } else if (command instanceof Staged staged) {
      carryOut(
          staged.refusal().isEmpty()
              ? agent.onStaged(staged.attempt(), now)
              : agent.onStageRefused(staged.attempt(), staged.refusal().get(), now));
    } else if (command instanceof Misbehaving misbehaving) {
      onMisbehaving(misbehaving, now);
    } else if (command instanceof TakenBack takenBack) {
      onTakenBack(takenBack);
    } else if (command instanceof Coordinates coordinates) {
      coordinator = coordinates.coordinator();
    }
    view.accept(UpgradeView.of(agent, coordinator != null));
    return this;
  }

  private void onEnvelope(Remote.Envelope envelope, long now) {
    Message message;
    try {
      message = Codec.message(envelope.message());
    } catch (IllegalArgumentException e) {
      getContext()
          .getLog()
          .warn("a message of node {} is dropped: {}", envelope.from(), e.getMessage());
      return;
    }
    if (message instanceof Message.ToAgent to) {
      carryOut(agent.onMessage(envelope.from(), to, now));
    } else if (message instanceof Message.ToCoordinator to) {
      toCoordinator(envelope.from(), to);
    }
  }

  private void toCoordinator(String from, Message.ToCoordinator message) {
    if (coordinator != null) {
      coordinator.tell(new CoordinatorActor.Heard(from, message));
    }
  }

  private void onMisbehaving(Misbehaving misbehaving, long now) {
    getContext().getLog().warn("code misbehaves: {}", misbehaving.reason());
    carryOut(agent.onMisbehaviour(misbehaving.switchGeneration(), misbehaving.reason(), now));
    complaint = misbehaving;
    takeBack(now);
  }

  /**
   * Where it misbehaves after its act was confirmed: whoever is there goes back without the rest.
   */
  private void takeBack(long now) {
    Misbehaving why = complaint;
    ClusterState state = agent.decided();
    if (why == null || takingBack || state.running() != null) {
      return;
    }
    boolean served = agent.course().equals(Optional.of(state.confirmed()));
    Optional<ActRecord> last = state.novelty();
    if (!agent.isServing(why.switchGeneration()) || (served && last.isEmpty())) {
      complaint = null;
    } else if (served) {
      takingBack = true;
      takenBackAt = now;
      getContext()
          .pipeToSelf(
              submit.apply(undo(last.get())),
              (answer, failure) -> new TakenBack(refusal(answer, failure)));
    }
  }

  private static Optional<String> refusal(@Nullable ActAnswer answer, @Nullable Throwable failure) {
    if (answer instanceof ActAnswer.Refused refused) {
      return Optional.of(refused.reason());
    } else if (answer instanceof ActAnswer.Unknown unknown) {
      return Optional.of(unknown.reason());
    }
    return Optional.ofNullable(failure).map(Throwable::toString);
  }

  /** What has begun may be refused yet: the complaint stands until something else is served. */
  private void onTakenBack(TakenBack takenBack) {
    takingBack = false;
    takenBack
        .refusal()
        .ifPresent(
            why -> getContext().getLog().warn("what misbehaves can't be taken back yet: {}", why));
  }

  private ActRequest undo(ActRecord last) {
    Set<String> missing = new HashSet<>(settings.nodes());
    missing.removeAll(peers.reachable());
    return new ActRequest(
        "misbehaves-" + UUID.randomUUID(), // another one for each attempt, and each node
        "node " + settings.node(),
        System.currentTimeMillis(),
        new Act.Undo(last.id()),
        missing,
        /* watchMillis= */ 0);
  }

  private void carryOut(List<Action.OfAgent> actions) {
    for (Action.OfAgent action : actions) {
      steps.at(KillPoints.before(action));
      carryOut(action);
      steps.at(KillPoints.after(action));
    }
  }

  private void carryOut(Action.OfAgent action) {
    if (action instanceof Action.Persist persist) {
      persist(persist.state());
    } else if (action instanceof Action.Send send) {
      send(send);
    } else if (action instanceof Action.Stage stage) {
      getContext()
          .pipeToSelf(
              host.stage(stage.revision()),
              (refusal, failure) ->
                  new Staged(
                      stage.attempt(),
                      refusal == null ? Optional.of(String.valueOf(failure)) : refusal));
    } else if (action instanceof Action.Publish publish) {
      host.publish(
          publish.switchGeneration(), publish.course(), Optional.ofNullable(publish.stable()));
    } else if (action instanceof Action.Keep keep) {
      host.keep(keep.revisions());
    }
  }

  private void persist(AgentState state) {
    try {
      file.write(state);
    } catch (IOException e) {
      throw new UncheckedIOException("the state of upgrades can't be written", e);
    }
    ClusterState decided = state.decided();
    boolean isNew = retained == null || retained.sequence() != decided.sequence();
    if (isNew && decided.running() == null) {
      retained = decided;
      host.retain(needed(decided));
    }
  }

  /** What can still be gone back to. */
  private static Set<RevisionId> needed(ClusterState state) {
    Set<RevisionId> needed = new HashSet<>(state.confirmed().revisions());
    for (ActRecord each : state.history()) {
      needed.addAll(each.before().revisions());
      needed.addAll(each.target().revisions());
    }
    return needed;
  }

  private void send(Action.Send send) {
    if (send.to().equals(settings.node())) {
      if (send.message() instanceof Message.ToCoordinator to) {
        toCoordinator(settings.node(), to);
      }
      return;
    }
    peers
        .<Command>find(send.to(), NAME)
        .ifPresent(
            to -> to.tell(new Remote.Envelope(settings.node(), Codec.encode(send.message()))));
  }
}
