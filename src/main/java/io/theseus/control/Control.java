package io.theseus.control;

import akka.actor.typed.ActorRef;
import io.theseus.session.SessionActor;
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
  private final Transfers transfers;
  private volatile @Nullable ActorRef<ControlActor.Command> actor;

  /**
   * The way to control.
   *
   * @param transfers those of the actor that is put behind this
   */
  public Control(Catalogue catalogue, Transfers transfers) {
    this.catalogue = catalogue;
    this.transfers = transfers;
  }

  /** Puts an actor behind this; null takes it away. */
  public void behind(@Nullable ActorRef<ControlActor.Command> control) {
    actor = control;
    if (control != null) {
      // commands of which only its predecessor was told
      for (int i = transfers.waiting(); i > 0; i--) {
        control.tell(new ControlActor.OpenSession());
      }
    }
  }

  /** Answers STAT, LIST and DELETE. */
  public Catalogue catalogue() {
    return catalogue;
  }

  /** Hands a GET or PUT to its session, which answers over the link. */
  public void open(SessionLink link, ClientMessage.Command command) {
    SessionActor.Attach attach = new SessionActor.Attach(link, command);
    // first there, then told: whoever is put behind this meanwhile finds it
    transfers.arrive(attach);
    ActorRef<ControlActor.Command> control = actor;
    if (control != null) {
      control.tell(new ControlActor.OpenSession());
    } else if (transfers.takeBack(attach)) {
      link.fail(ErrorCode.BUSY, "the node is starting (expected: try again)");
    }
  }
}
