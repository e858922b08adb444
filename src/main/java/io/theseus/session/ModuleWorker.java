package io.theseus.session;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.PostStop;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import io.theseus.channel.Direction;
import io.theseus.channel.PayloadUse;
import io.theseus.channel.Progress;
import io.theseus.channel.Range;
import io.theseus.module.Decisions;
import io.theseus.module.SessionCode;
import io.theseus.steps.Steps;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A worker whose ranges are decided by code of modules, on threads of theirs: it asks one question
 * at a time and grants what comes back.
 *
 * <p>As for every worker, its only input is where the transfer stands, its only output are grants
 * to the connection, and it can be stopped at any moment. It fails where the code does; a denial is
 * a failure of its own kind ({@link DeniedException}).
 */
final class ModuleWorker extends AbstractBehavior<ModuleWorker.Command> {
  /** What a worker can be told. */
  interface Command {}

  private record Decided(
      long seekEpoch, long taken, @Nullable Decisions decisions, @Nullable String failure)
      implements Command {}

  /** There is more bandwidth. */
  enum Given implements Command {
    SOME
  }

  private enum AskAgain implements Command {
    NOW
  }

  private final ActorRef<SessionActor.Command> session;
  private final Transfer transfer;
  private final SessionLink link;
  private final Direction direction;
  private final String module;
  private final long generation;
  private final Steps steps;
  private final @Nullable PayloadPath payload;
  private final Bandwidth.@Nullable Portion portion;
  private DataChannelWorker.Advance last;
  private long granted;
  private boolean asking;
  private boolean delayed;
  private boolean over;

  /**
   * A worker of the transfer's generation.
   *
   * @param granted where what is granted already ends
   */
  static Behavior<DataChannelWorker.Advance> create(
      ActorRef<SessionActor.Command> session,
      Transfer transfer,
      Direction direction,
      DataChannelWorker.Advance begin,
      long granted,
      Bandwidth.@Nullable Portion portion,
      Steps steps) {
    return Behaviors.<Command>setup(
            context ->
                new ModuleWorker(
                    context, session, transfer, direction, begin, granted, portion, steps))
        .narrow();
  }

  private ModuleWorker(
      ActorContext<Command> context,
      ActorRef<SessionActor.Command> session,
      Transfer transfer,
      Direction direction,
      DataChannelWorker.Advance begin,
      long granted,
      Bandwidth.@Nullable Portion portion,
      Steps steps) {
    super(context);
    this.session = session;
    this.transfer = transfer;
    this.link = transfer.connected();
    this.direction = direction;
    this.module = transfer.running().module();
    this.generation = transfer.workerGeneration;
    this.steps = steps;
    SessionCode code = transfer.code;
    this.payload =
        code == null || code.payloadUse() == PayloadUse.NONE
            ? null
            : new PayloadPath(code, generation, session);
    this.portion = portion;
    if (portion != null) {
      portion.onGiven(() -> context.getSelf().tell(Given.SOME));
    }
    this.last = begin;
    this.granted = granted;
    steps.at("worker.started");
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(DataChannelWorker.Advance.class, this::onAdvance)
        .onMessage(Decided.class, this::onDecided)
        .onMessage(AskAgain.class, again -> onAskAgain())
        .onMessage(Given.class, given -> onGiven())
        .onSignal(PostStop.class, stopped -> onStopped())
        .build();
  }

  private Behavior<Command> onAdvance(DataChannelWorker.Advance advance) {
    if (advance.seekEpoch() < last.seekEpoch()) {
      return this;
    }
    if (advance.seekEpoch() > last.seekEpoch()) {
      granted = advance.position();
    }
    last = advance;
    ask();
    return this;
  }

  private Behavior<Command> onAskAgain() {
    delayed = false;
    ask();
    return this;
  }

  private Behavior<Command> onGiven() {
    ask();
    return this;
  }

  private Behavior<Command> onStopped() {
    if (portion != null) {
      portion.close();
    }
    return this;
  }

  private void ask() {
    long reach = last.position() + Granting.AHEAD;
    // never held on to: it may be the last one that keeps a module loaded
    SessionCode code = transfer.workerGeneration == generation ? transfer.code : null;
    if (code == null || over || asking || delayed || granted >= last.end() || granted >= reach) {
      return;
    }
    long taken = portion == null ? 0 : portion.take(Math.min(last.end(), reach) - granted);
    if (portion != null && taken == 0) {
      return; // told when there is more
    }
    asking = true;
    long epoch = last.seekEpoch();
    long limit = portion == null ? last.end() : granted + taken;
    getContext()
        .pipeToSelf(
            code.decide(
                new SessionCode.Question(
                    new Progress(direction, granted, last.end()), reach, limit)),
            (decisions, failure) ->
                new Decided(
                    epoch, taken, decisions, failure == null ? null : SessionCode.reason(failure)));
  }

  private Behavior<Command> onDecided(Decided decided) {
    asking = false;
    Decisions decisions = decided.decisions();
    if (decisions == null) {
      over = true;
      session.tell(new SessionActor.WorkerFailed(generation, String.valueOf(decided.failure())));
      return this;
    }
    steps.at("worker.decided");
    if (portion != null) {
      portion.giveBack(
          decided.taken() - decisions.ranges().stream().mapToLong(Range::length).sum());
    }
    if (decided.seekEpoch() == last.seekEpoch()) {
      grant(decisions);
    }
    ask();
    return this;
  }

  private void grant(Decisions decisions) {
    for (Range range : decisions.ranges()) {
      link.grant(
          new Grant(range, generation, last.seekEpoch(), "worker-" + generation, module, payload));
      granted = range.end();
      steps.at("worker.granted");
    }
    if (decisions.denial().isPresent()) {
      over = true;
      session.tell(new SessionActor.WorkerDenied(generation, decisions.denial().get()));
    }
    if (decisions.delay().isPresent()) {
      if (decisions.ranges().isEmpty()) {
        link.revoke(generation);
      }
      delayed = true;
      Duration delay = decisions.delay().get();
      getContext().scheduleOnce(delay, getContext().getSelf(), AskAgain.NOW);
    }
  }
}
