package io.theseus.control;

import akka.actor.typed.ActorRef;
import io.theseus.session.SessionLink;
import io.theseus.wire.ClientMessage;
import io.theseus.wire.ErrorCode;
import org.jspecify.annotations.Nullable;

/**
 * The way from the doors to control; stays when the actor system behind it is replaced.
 *
 * <p>While there is no actor a command is refused with {@code busy}, which a client may try again.
 */
public final class Control {
  private final Catalogue catalogue;
  private volatile @Nullable ActorRef<ControlActor.Command> actor;

  public Control(Catalogue catalogue) {
    this.catalogue = catalogue;
  }

  /** Puts an actor behind this; null takes it away. */
  public void behind(@Nullable ActorRef<ControlActor.Command> control) {
    actor = control;
  }

  /** Answers STAT, LIST and DELETE. */
  public Catalogue catalogue() {
    return catalogue;
  }

  /** Hands a GET or PUT to its session, which answers over the link. */
  public void open(SessionLink link, ClientMessage.Command command) {
    ActorRef<ControlActor.Command> control = actor;
    if (control == null) {
      link.fail(ErrorCode.BUSY, "the node is starting (expected: try again)");
      return;
    }
    control.tell(new ControlActor.OpenSession(link, command));
  }
}
