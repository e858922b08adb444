package io.theseus.session;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ChildFailed;
import akka.actor.typed.DispatcherSelector;
import akka.actor.typed.javadsl.ActorContext;
import io.theseus.channel.Direction;
import io.theseus.steps.Steps;
import io.theseus.wire.ErrorCode;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The workers of a session, one generation after another; at most one lives. */
final class Workers {
  private static final int FAILURES = 3;

  /** A transfer with no more left than this is over before a worker of its own could help it. */
  private static final int SHORT = 64 * 1024;

  /** What is granted this far ahead needs no worker yet. */
  private static final long ENOUGH = Granting.AHEAD * 3L / 4;

  private final ActorContext<SessionActor.Command> context;
  private final Transfer transfer;
  private final @Nullable Bandwidth bandwidth;
  private final Steps steps;
  private final SessionLog log;

  private @Nullable ActorRef<DataChannelWorker.Advance> worker;
  private long generation;
  private boolean begun;
  private int failures;
  private long failedAt = -1;

  Workers(
      ActorContext<SessionActor.Command> context,
      Transfer transfer,
      @Nullable Bandwidth bandwidth,
      Steps steps,
      SessionLog log) {
    this.context = context;
    this.transfer = transfer;
    this.bandwidth = bandwidth;
    this.steps = steps;
    this.log = log;
  }

  /** Name and version of the module in force. */
  String module() {
    return transfer.running().module();
  }

  /**
   * Makes the connection obey the next generation, whose worker follows with the next report.
   *
   * @param keep whether it may go on meanwhile with what the last worker granted
   */
  void respawn(boolean keep, boolean tell) {
    stop();
    transfer.connected().swap(transfer.nextGeneration(), module(), keep, tell);
    if (transfer.held) {
      transfer.connected().hold(); // which a swap ends
    }
  }

  /**
   * Begins the work of a session that was accepted just now. What is built in grants a short
   * transfer all of it at once; a worker is spawned where anything comes in between.
   */
  void begin(Direction direction, long position, long end) {
    if (transfer.code == null && bandwidth == null && end - position <= SHORT) {
      new Granting(
              transfer.connected(),
              direction,
              transfer.running(),
              transfer.workerGeneration,
              /* seekEpoch= */ 0,
              position,
              name(),
              /* portion= */ null,
              steps)
          .advance(/* epoch= */ 0, position, end);
    } else {
      spawn(direction, new DataChannelWorker.Advance(/* seekEpoch= */ 0, position, end), position);
    }
  }

  private String name() {
    return "worker-" + transfer.workerGeneration;
  }

  /** Spawns a worker for what follows on what is granted already. */
  private void spawn(Direction direction, DataChannelWorker.Advance begin, long granted) {
    generation = transfer.workerGeneration;
    ActorRef<DataChannelWorker.Advance> spawned =
        context.spawn(
            transfer.code == null
                ? DataChannelWorker.create(
                    transfer.connected(),
                    direction,
                    transfer.running(),
                    generation,
                    begin.seekEpoch(),
                    granted,
                    portion(),
                    steps)
                : ModuleWorker.create(
                    context.getSelf(), transfer, direction, begin, granted, portion(), steps),
            name(),
            DispatcherSelector.sameAsParent());
    context.watch(spawned);
    begun = true;
    worker = spawned;
    spawned.tell(begin);
  }

  /** Of the bandwidth, for a worker; null where that is not limited. */
  private Bandwidth.@Nullable Portion portion() {
    Bandwidth shared = bandwidth;
    if (shared == null) {
      return null;
    }
    if (transfer.order == 0) {
      transfer.order = shared.order();
    }
    return shared.portion(transfer.order, transfer.info());
  }

  /**
   * Tells the worker how far the transfer has come. Where there is none, or one whose code has been
   * succeeded meanwhile, one is begun as soon as it has something to say: within a hold, too, as
   * long as a packet that was begun needs it.
   */
  void advance(Direction direction, Report report) {
    if (report.position() > failedAt) {
      failures = 0;
    }
    if (worker != null && generation != transfer.workerGeneration) {
      stop();
    }
    if (transfer.switching != null) {
      return;
    }
    DataChannelWorker.Advance advance =
        new DataChannelWorker.Advance(report.seekEpoch(), report.position(), report.end());
    ActorRef<DataChannelWorker.Advance> running = worker;
    if (running != null) {
      if (report.workerGeneration() == generation) {
        running.tell(advance);
      }
    } else if (report.workerGeneration() != transfer.workerGeneration) {
      spawn(direction, advance, report.position());
    } else if (report.granted() < Math.min(report.end(), report.position() + ENOUGH)) {
      spawn(direction, advance, report.granted());
    }
  }

  /** Whether there was one ever. */
  boolean haveBegun() {
    return begun;
  }

  void stop() {
    ActorRef<DataChannelWorker.Advance> running = worker;
    if (running != null) {
      worker = null;
      context.unwatch(running);
      context.stop(running);
    }
  }

  /**
   * A worker died: another follows, at the committed offset, or the session is told what to do.
   *
   * @return what the session is to do; empty where there is nothing
   */
  Optional<SessionActor.Command> onFailed(ChildFailed failed) {
    if (worker == null || !failed.getRef().path().equals(worker.path())) {
      return Optional.empty();
    }
    worker = null;
    if (generation != transfer.workerGeneration) {
      return Optional.empty(); // its code was succeeded: one follows when it has something to say
    }
    Throwable cause = failed.getCause();
    Report report = transfer.report;
    long at = report == null ? 0 : report.position();
    failures = at > failedAt ? 1 : failures + 1;
    failedAt = at;
    log.warn(
        "worker {} of {} failed at offset {}: {}",
        transfer.workerGeneration,
        module(),
        at,
        String.valueOf(cause));
    if (transfer.link == null) {
      return Optional.empty();
    }
    if (failures < FAILURES) {
      respawn(/* keep= */ false, /* tell= */ false);
      return Optional.empty();
    }
    return Optional.of(
        new SessionActor.Failed(
            ErrorCode.INTERNAL,
            "module " + module() + " failed " + failures + " times at offset " + at));
  }
}
