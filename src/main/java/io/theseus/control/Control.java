package io.theseus.control;

import io.theseus.session.SessionActor;
import io.theseus.session.SessionLink;
import io.theseus.wire.ClientMessage;
import io.theseus.wire.ErrorCode;

/**
 * The way from the doors to control; stays when the actor system behind it is replaced.
 *
 * <p>While there is no actor a command is refused with {@code busy}, which a client may try again.
 */
public final class Control {
  static final String STARTING = "the node is starting (expected: try again)";

  private final Catalogue catalogue;
  private final Transfers transfers;

  /**
   * The way to control.
   *
   * @param transfers those of the actors behind this
   */
  public Control(Catalogue catalogue, Transfers transfers) {
    this.catalogue = catalogue;
    this.transfers = transfers;
  }

  /** The actor system has ended: commands are refused until the next one is there. */
  public void orphaned() {
    transfers.lanes().forEach(Lane::orphan);
  }

  /** Actors are about to start: commands wait for them. */
  public void expect() {
    transfers.lanes().forEach(Lane::expect);
  }

  /** Answers STAT, LIST and DELETE. */
  public Catalogue catalogue() {
    return catalogue;
  }

  /** Hands a GET or PUT to its session, which answers over the link. */
  public void open(SessionLink link, ClientMessage.Command command) {
    Lane lane = transfers.lanes().get(link.lane());
    if (!lane.arrive(new SessionActor.Attach(link, command))) {
      link.fail(ErrorCode.BUSY, STARTING);
    }
  }
}
