package io.theseus.session;

import akka.actor.typed.javadsl.ActorContext;
import io.theseus.channel.Admission;
import io.theseus.module.Revision;
import io.theseus.module.SessionCode;
import io.theseus.module.Switchboard;
import io.theseus.session.SessionActor.Command;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * What a session does about the code that serves it: begins that of its revision before anything is
 * opened, follows a switch while bytes move, goes back to the stable revision where code fails.
 *
 * <p>Code is begun on threads of its own. While that goes on an accepted connection lives on what
 * it was granted; the last worker is stopped, because its code hands over.
 */
final class CodeSide {
  private final SessionActor session;
  private final ActorContext<Command> context;
  private final SessionEnvironment environment;
  private final Transfer transfer;
  private final Workers workers;
  private final SessionLog log;

  CodeSide(
      SessionActor session,
      ActorContext<Command> context,
      SessionEnvironment environment,
      Transfer transfer,
      Workers workers,
      SessionLog log) {
    this.session = session;
    this.context = context;
    this.environment = environment;
    this.transfer = transfer;
    this.workers = workers;
    this.log = log;
  }

  /** Whether the code of what is in force is there; otherwise it is begun, and heard of. */
  boolean prepare() {
    if (transfer.switching != null) {
      return false;
    }
    Switchboard.Current current = environment.switchboard().current();
    Revision wanted = transfer.wanted(current);
    if (wanted.isBuiltIn()) {
      transfer.dropCode();
      forgetTarget();
      transfer.revise(wanted, null);
      transfer.follow(current.generation());
      return true;
    }
    if (transfer.runs(wanted)) {
      transfer.follow(current.generation());
      return true;
    }
    forgetTarget();
    begin(wanted, current.generation());
    return false;
  }

  /** An earlier connection's, which was not accepted: the code at hand says it anew. */
  private void forgetTarget() {
    if (transfer.facts == null) {
      transfer.target = null;
    }
  }

  private void begin(Revision revision, long switchGeneration) {
    workers.stop();
    SessionCode predecessor = transfer.code;
    transfer.code = null;
    long attempt = ++transfer.attempts;
    transfer.switching =
        SessionCode.begin(
                revision,
                new SessionCode.Beginning(transfer.info(), predecessor, Optional.empty()),
                environment.running().getAsInt())
            .handle(
                (begun, failure) ->
                    SessionActor.CodeBegun.of(attempt, switchGeneration, revision, begun, failure));
    await(transfer.switching);
  }

  /** Hears of code that is being begun. */
  void await(CompletionStage<Command> switching) {
    context.pipeToSelf(
        switching,
        (begun, failure) ->
            begun == null
                ? new SessionActor.CodeFailed(
                    transfer.attempts, transfer.running(), String.valueOf(failure))
                : begun);
  }

  // ---- what comes back

  Next onBegun(SessionActor.CodeBegun begun) {
    if (begun.attempt() != transfer.attempts || transfer.switching == null) {
      return Next.STAY; // given up, and closed
    }
    transfer.switching = null;
    transfer.revise(begun.revision(), begun.code());
    transfer.follow(begun.switchGeneration());
    Admission admission = begun.admission();
    if (admission instanceof Admission.Deny deny) {
      return refuse(deny.reason());
    }
    if (admission instanceof Admission.Redirect redirect && !transfer.accepted) {
      try {
        transfer.target = FileName.parse(redirect.name());
      } catch (ProtocolException e) {
        return onFailed(
            new SessionActor.CodeFailed(
                /* attempt= */ 0, begun.revision(), "redirects to " + e.reason()));
      }
    }
    if (!transfer.accepted) {
      return session.openContent();
    }
    if (transfer.isRunning() && !transfer.held) {
      workers.respawn(/* keep= */ true, /* tell= */ true);
    }
    return follow();
  }

  private Next refuse(String reason) {
    String text = workers.module() + ": " + reason;
    if (transfer.accepted && !transfer.isRunning()) {
      return Next.STAY; // all of it is here: the commit goes on
    }
    return transfer.accepted
        ? session.onFailed(new SessionActor.Failed(ErrorCode.DENIED, text))
        : session.giveUp(ErrorCode.DENIED, text);
  }

  /** Code failed, when it was begun or later: what is stable serves instead. */
  Next onFailed(SessionActor.CodeFailed failed) {
    log.warn(
        "code of revision {} failed, goes back to the stable one: {}",
        failed.revision(),
        failed.what());
    // where it was let go of just before, that is no fault of it
    if (!failed.revision().isReleased() && transfer.fall(failed.revision())) {
      environment
          .misbehaviours()
          .heard(new Misbehaviour(failed.revision(), Optional.of(transfer.id), failed.what()));
    }
    boolean stale =
        failed.attempt() > 0
            && (failed.attempt() != transfer.attempts || transfer.switching == null);
    boolean beingReplaced = failed.attempt() == 0 && transfer.switching != null;
    if (stale || beingReplaced) {
      return Next.STAY; // given up meanwhile, or its successor comes
    }
    transfer.switching = null;
    if (transfer.link == null) {
      return Next.STAY;
    }
    if (!transfer.accepted) {
      return session.open();
    }
    return transfer.isRunning() && !transfer.held ? change(/* stopped= */ true) : Next.STAY;
  }

  // ---- a switch

  /** Follows a switch that the session has not followed yet: one that {@link Follower} leaves. */
  Next follow() {
    return transfer.isDue(environment.switchboard().generation())
        ? change(/* stopped= */ false)
        : Next.STAY;
  }

  /** Goes on after a hold, under what is in force now. */
  Next resume() {
    boolean wasHeld = transfer.held;
    transfer.held = false;
    if (!transfer.isRunning() || transfer.switching != null) {
      return Next.STAY;
    }
    Revision before = transfer.running();
    Next next = change(/* stopped= */ false);
    if (wasHeld && transfer.switching == null && before.equals(transfer.running())) {
      workers.respawn(/* keep= */ false, /* tell= */ true);
    }
    return next;
  }

  /**
   * Goes to what the session is to run.
   *
   * @param stopped whether the last worker was stopped for a successor that did not come
   */
  private Next change(boolean stopped) {
    Switchboard.Current current = environment.switchboard().current();
    Revision wanted = transfer.wanted(current);
    if (transfer.runs(wanted)) {
      transfer.follow(current.generation());
      if (stopped) {
        workers.respawn(/* keep= */ true, /* tell= */ false);
      }
    } else if (wanted.isBuiltIn()) {
      SessionCode last = transfer.code;
      transfer.revise(wanted, null);
      workers.respawn(/* keep= */ true, /* tell= */ true);
      transfer.follow(current.generation());
      if (last != null) {
        last.close();
      }
    } else {
      begin(wanted, current.generation());
    }
    return Next.STAY;
  }
}
