package io.theseus.repair;

import akka.actor.typed.Behavior;
import akka.actor.typed.SupervisorStrategy;
import akka.actor.typed.javadsl.Behaviors;
import io.theseus.wire.Texts;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers other nodes for a node's {@link Repair}. */
public final class RepairActor {
  /** The name of the actor below the guardian. */
  public static final String NAME = "repair";

  private static final Logger LOG = LoggerFactory.getLogger(RepairActor.class);

  /** What it can be told. */
  public interface Command {}

  private RepairActor() {}

  /** That of a node. */
  public static Behavior<Command> create(Repair repair) {
    return Behaviors.supervise(
            Behaviors.<Command>receiveMessage(
                command -> {
                  answer(command, repair);
                  return Behaviors.same();
                }))
        .onFailure(SupervisorStrategy.restart());
  }

  private static void answer(Command command, Repair repair) {
    if (command instanceof Remote.Bring bring) {
      bring.replyTo().tell(repair.bring(bring.name(), bring.version(), bring.node()));
    } else if (command instanceof Remote.Verify verify) {
      LOG.info(
          "files whose names begin with {} are verified, by {}",
          Texts.quote(verify.prefix()),
          Texts.escape(verify.who()));
      verify.replyTo().tell(repair.verify(verify.prefix()));
    } else if (command instanceof Remote.Look look) {
      look.replyTo().tell(repair.verification());
    }
  }
}
