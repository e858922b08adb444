package io.theseus.session;

import akka.actor.typed.ActorRef;
import io.theseus.channel.PayloadUse;
import io.theseus.module.SessionCode;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The way of bytes past the functions of a session that look at them; a worker's, given to the
 * connection with what it grants.
 *
 * <p>Where bytes don't get through the session hears why, and what follows is its business: another
 * worker, which grants them again, or the end. The connection keeps them until then.
 */
public final class PayloadPath {
  private final SessionCode code;
  private final long workerGeneration;
  private final ActorRef<SessionActor.Command> session;

  PayloadPath(SessionCode code, long workerGeneration, ActorRef<SessionActor.Command> session) {
    this.code = code;
    this.workerGeneration = workerGeneration;
    this.session = session;
  }

  /** Whether other bytes may come out than went in; as many in any case. */
  public boolean transforms() {
    return code.payloadUse() == PayloadUse.TRANSFORM;
  }

  /**
   * Lets bytes pass, one call behind the other, on threads of the code; never fails.
   *
   * @param offset in the transfer of the first byte
   * @param bytes changed in place where it transforms; where they don't get through, code that
   *     hangs may still write there, so the memory is to be dropped
   * @return whether they got through
   */
  public CompletionStage<Boolean> pass(long offset, byte[] bytes) {
    return code.pass(offset, bytes).handle(this::heard);
  }

  private boolean heard(SessionCode.@Nullable Verdict verdict, @Nullable Throwable failure) {
    if (verdict == null) {
      session.tell(new SessionActor.WorkerFailed(workerGeneration, SessionCode.reason(failure)));
    } else if (verdict instanceof SessionCode.Verdict.Denied denied) {
      session.tell(new SessionActor.WorkerDenied(workerGeneration, denied.reason()));
    }
    return verdict instanceof SessionCode.Verdict.Passed;
  }
}
