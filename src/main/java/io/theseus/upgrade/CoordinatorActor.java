package io.theseus.upgrade;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.SupervisorStrategy;
import akka.actor.typed.javadsl.AbstractOnMessageBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.TimerScheduler;
import io.theseus.steps.Steps;
import io.theseus.upgrade.ActRecord.Outcome;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The {@link Coordinator} at work, on whichever node the cluster singleton puts it. Two at once, or
 * none for a while, do no harm.
 */
public final class CoordinatorActor extends AbstractOnMessageBehavior<CoordinatorActor.Command> {
  /** The name of the singleton. */
  static final String NAME = "upgrade-coordinator";

  /** What the actor can be told. */
  public sealed interface Command permits Remote.Submit, Remote.AskProgress, Heard, Tick, Stop {}

  private enum Tick implements Command {
    TICK
  }

  /** The node leaves the cluster. */
  enum Stop implements Command {
    NOW
  }

  /** What an agent says. */
  record Heard(String from, Message.ToCoordinator message) implements Command {}

  private final UpgradeSettings settings;
  private final Peers peers;
  private final Steps steps;
  private final ActorRef<UpgradeActor.Command> agent;
  private final Coordinator coordinator;

  /** Who waits for an answer, by act. */
  private final Map<String, List<ActorRef<Remote.Submitted>>> waiting = new HashMap<>();

  /**
   * A coordinator that begins.
   *
   * @param agent of the same node
   */
  static Behavior<Command> create(
      UpgradeSettings settings, Peers peers, Steps steps, ActorRef<UpgradeActor.Command> agent) {
    return Behaviors.supervise(
            Behaviors.<Command>setup(
                context ->
                    Behaviors.withTimers(
                        timers ->
                            new CoordinatorActor(context, timers, settings, peers, steps, agent))))
        .onFailure(SupervisorStrategy.restart());
  }

  private CoordinatorActor(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      UpgradeSettings settings,
      Peers peers,
      Steps steps,
      ActorRef<UpgradeActor.Command> agent) {
    super(context);
    this.settings = settings;
    this.peers = peers;
    this.steps = steps;
    this.agent = agent;
    SecureRandom random = new SecureRandom();
    Rules rules = settings.rules();
    this.coordinator =
        new Coordinator(
            settings.node(),
            settings.nodes(),
            rules,
            NodeRevisions.builtIn(),
            random.nextLong(),
            random,
            System.nanoTime());
    agent.tell(new UpgradeActor.Coordinates(context.getSelf()));
    timers.startTimerWithFixedDelay(Tick.TICK, Duration.ZERO, rules.beat());
  }

  @Override
  public Behavior<Command> onMessage(Command command) {
    long now = System.nanoTime();
    if (command instanceof Stop) {
      return Behaviors.stopped();
    } else if (command instanceof Tick) {
      carryOut(coordinator.onTick(now));
      endLongPause(now);
    } else if (command instanceof Heard heard) {
      carryOut(coordinator.onMessage(heard.from(), heard.message(), now));
    } else if (command instanceof Remote.Submit submit) {
      onSubmit(submit, now);
    } else if (command instanceof Remote.AskProgress ask) {
      ask.replyTo().tell(new Remote.ProgressOfNodes(Codec.encode(coordinator.progress())));
    }
    return this;
  }

  private void onSubmit(Remote.Submit submit, long now) {
    ActRequest request;
    try {
      request = Codec.request(submit.request());
    } catch (IllegalArgumentException e) {
      ActAnswer refused = new ActAnswer.Refused(String.valueOf(e.getMessage()));
      submit.replyTo().tell(new Remote.Submitted(Codec.encode(refused)));
      return;
    }
    waiting.computeIfAbsent(request.id(), id -> new ArrayList<>()).add(submit.replyTo());
    carryOut(coordinator.onRequest(request, now));
  }

  /** Nobody is held for ever because somebody forgot a pause. */
  private void endLongPause(long now) {
    coordinator
        .decided()
        .filter(state -> state.running() == null && state.confirmed().paused())
        .filter(state -> pause(state).filter(each -> isOver(each.atMillis())).isPresent())
        .ifPresent(state -> carryOut(coordinator.onRequest(resume(state), now)));
  }

  /** Another one for each state: one that was refused does not stand for the next. */
  private ActRequest resume(ClusterState state) {
    return new ActRequest(
        "paused-" + Long.toHexString(state.sequence()),
        "node " + settings.node(),
        System.currentTimeMillis(),
        new Act.Resume(),
        Set.of(),
        /* watchMillis= */ 0);
  }

  private boolean isOver(long pausedAtMillis) {
    return System.currentTimeMillis() - pausedAtMillis >= settings.longestPause().toMillis();
  }

  /** The act that the pause began with. */
  private static Optional<ActRecord> pause(ClusterState state) {
    return state.history().stream()
        .filter(each -> each.outcome() == Outcome.CONFIRMED)
        .filter(each -> each.target().paused() && !each.before().paused())
        .reduce((earlier, later) -> later);
  }

  private void carryOut(List<Action.OfCoordinator> actions) {
    for (Action.OfCoordinator action : actions) {
      steps.at(KillPoints.before(action));
      if (action instanceof Action.Send send) {
        send(send);
      } else if (action instanceof Action.Answer answer) {
        answer(answer);
      }
      steps.at(KillPoints.after(action));
    }
  }

  private void send(Action.Send send) {
    if (send.to().equals(settings.node())) {
      agent.tell(new UpgradeActor.OwnMessage(send.message()));
      return;
    }
    peers
        .<UpgradeActor.Command>find(send.to(), UpgradeActor.NAME)
        .ifPresent(
            to -> to.tell(new Remote.Envelope(settings.node(), Codec.encode(send.message()))));
  }

  private void answer(Action.Answer answer) {
    List<ActorRef<Remote.Submitted>> all = waiting.remove(answer.actId());
    if (all != null) {
      Remote.Submitted reply = new Remote.Submitted(Codec.encode(answer.answer()));
      all.forEach(each -> each.tell(reply));
    }
  }
}
