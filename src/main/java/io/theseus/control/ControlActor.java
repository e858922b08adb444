package io.theseus.control;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.DispatcherSelector;
import akka.actor.typed.SupervisorStrategy;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import akka.actor.typed.javadsl.TimerScheduler;
import io.theseus.session.SessionActor;
import io.theseus.session.SessionEnvironment;
import java.time.Duration;
import java.util.Collection;
import java.util.Optional;
import java.util.UUID;

/**
 * One on each node: supervises the sessions, through one {@link LaneActor} on each event loop,
 * which takes in the commands of that loop's connections without waking another thread.
 *
 * <p>What concerns all sessions is done here: counting them, telling them something, and ending
 * those that nobody has come back to. It has a dispatcher of its own, so that nothing that is busy
 * delays it. After a bug it is restarted, and its lanes with it.
 */
public final class ControlActor extends AbstractBehavior<ControlActor.Command> {
  private static final Duration SWEEP = Duration.ofSeconds(30);

  /** What control can be told. */
  public sealed interface Command {}

  /** Asks how many sessions there are. */
  public record Count(ActorRef<Counts> replyTo) implements Command {}

  /** Tells every session, or one, something: hold, switch. */
  public record Tell(Optional<UUID> session, SessionActor.Command what) implements Command {}

  /** Code was switched: sessions that nobody uses are to follow, too. */
  public record FollowSwitch() implements Command {}

  /**
   * How many sessions there are.
   *
   * @param live with an actor
   * @param kept known to the journal only, until they are resumed or their time is over
   */
  public record Counts(int live, int kept) {}

  private enum Sweep implements Command {
    NOW
  }

  private final Transfers transfers;

  /**
   * Control of a node.
   *
   * @param transfers that outlived an earlier actor system, or none
   * @param open sessions of which the journal has marks
   * @param committing those of them whose commit was decided
   */
  public static Behavior<Command> create(
      SessionEnvironment environment,
      Transfers transfers,
      Collection<UUID> open,
      Collection<UUID> committing) {
    return Behaviors.supervise(
            Behaviors.<Command>setup(
                context ->
                    Behaviors.withTimers(
                        timers ->
                            new ControlActor(
                                context, timers, environment, transfers, open, committing))))
        .onFailure(SupervisorStrategy.restart());
  }

  private ControlActor(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      SessionEnvironment environment,
      Transfers transfers,
      Collection<UUID> open,
      Collection<UUID> committing) {
    super(context);
    this.transfers = transfers;
    for (UUID session : open) {
      transfers.keep(session, environment.settings().keep());
    }
    int number = 0;
    for (Lane lane : transfers.lanes()) {
      ActorRef<LaneActor.Command> actor =
          context.spawn(
              LaneActor.create(environment, transfers, lane),
              "lane-" + number++,
              DispatcherSelector.fromConfig(lane.dispatcher()));
      committing.stream()
          .filter(session -> transfers.laneOf(session) == lane)
          .forEach(session -> actor.tell(new LaneActor.Finish(session)));
    }
    timers.startTimerWithFixedDelay(Sweep.NOW, SWEEP);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Count.class, this::onCount)
        .onMessage(Tell.class, this::onTell)
        .onMessage(FollowSwitch.class, follow -> onFollowSwitch())
        .onMessage(Sweep.class, sweep -> onSweep())
        .build();
  }

  private Behavior<Command> onSweep() {
    transfers.expire();
    return this;
  }

  private Behavior<Command> onCount(Count count) {
    count.replyTo().tell(new Counts(transfers.live(), transfers.kept()));
    return this;
  }

  private Behavior<Command> onFollowSwitch() {
    transfers.lanes().forEach(lane -> lane.tell(new LaneActor.FollowSwitch()));
    return this;
  }

  private Behavior<Command> onTell(Tell tell) {
    transfers.lanes().forEach(lane -> lane.tell(new LaneActor.Tell(tell.session(), tell.what())));
    return this;
  }
}
