package io.theseus.control;

import io.theseus.names.Names;
import io.theseus.session.SessionActor;
import io.theseus.session.SessionLink;
import io.theseus.session.SessionSummary;
import io.theseus.wire.ClientMessage;
import io.theseus.wire.ErrorCode;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * The way from the doors to control; stays when the actor system behind it is replaced.
 *
 * <p>While there is no actor a command is refused with {@code busy}, which a client may try again.
 */
public final class Control {
  static final String STARTING = "the node is starting (expected: try again)";
  static final String NO_NEW_SESSIONS =
      "this node takes no new sessions (expected: another node, or this one later)";

  static final String TOO_MANY_WAIT =
      "all transfers are held, and too many wait to begin (expected: fewer; try again)";

  /** Longer than a lane that is busy takes; an actor system that ends answers nothing. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /** What became of a session whose connection was to be ended. */
  public enum Killed {
    /** The connection is told, and ends. */
    ENDED,
    /** It is a session of this node, and has no connection. */
    DETACHED,
    /** This node has no such session. */
    UNKNOWN
  }

  private final Catalogue catalogue;
  private final Names names;
  private final Transfers transfers;

  /**
   * The way to control.
   *
   * @param elsewhere where to look for a name that no node has
   * @param transfers those of the actors behind this
   */
  public Control(Names names, String elsewhere, Transfers transfers) {
    this.catalogue = new Catalogue(names, elsewhere);
    this.names = names;
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

  /** The names of all nodes. */
  public Names names() {
    return names;
  }

  /** Whether a session is here, running or kept. */
  public boolean has(UUID session) {
    return transfers.has(session);
  }

  /** Whether sessions may begin on this node. */
  public boolean isAccepting() {
    return transfers.isAccepting();
  }

  /**
   * Takes new sessions, or refuses them with {@code busy}; those that have begun go on, and are
   * resumed, either way. A node that starts takes them.
   */
  public void accept(boolean sessions) {
    transfers.accept(sessions);
  }

  /**
   * Says whether all sessions are held.
   *
   * @param mostWaiting sessions that may begin meanwhile, and wait
   */
  public void hold(boolean held, int mostWaiting) {
    if (held) {
      transfers.allowMore(mostWaiting);
    } else {
      transfers.allowAny();
    }
  }

  /**
   * The sessions that have an actor, in no order; from any thread. Those that only the journal
   * knows are not among them. Fails where there are no actors.
   */
  public CompletableFuture<List<SessionSummary>> sessions() {
    List<CompletableFuture<List<SessionSummary>>> parts =
        transfers.lanes().stream()
            .map(lane -> Control.<List<SessionSummary>>ask(lane, LaneActor.ListSessions::new))
            .toList();
    return CompletableFuture.allOf(parts.toArray(CompletableFuture[]::new))
        .thenApply(all -> parts.stream().flatMap(each -> each.join().stream()).toList());
  }

  /**
   * Ends the connection of a session with {@code denied}; an unfinished PUT stays resumable. From
   * any thread; fails where there are no actors.
   *
   * @param reason for the client, and the log
   */
  public CompletableFuture<Killed> kill(UUID session, String reason) {
    return ask(
        transfers.laneOf(session),
        answer -> new LaneActor.Kill(session, new SessionActor.Kill(reason), answer));
  }

  /** Ends the connection of a GET, which has a newer one at another node. As {@link #kill}. */
  public CompletableFuture<Killed> fence(UUID session) {
    return ask(
        transfers.laneOf(session),
        answer -> new LaneActor.Kill(session, new SessionActor.Fence(), answer));
  }

  private static <T> CompletableFuture<T> ask(
      Lane lane, Function<CompletableFuture<T>, LaneActor.Command> question) {
    CompletableFuture<T> answer = new CompletableFuture<>();
    if (!lane.tell(question.apply(answer))) {
      answer.completeExceptionally(new IllegalStateException(STARTING));
    }
    return answer.orTimeout(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Hands a GET or PUT to its session, which answers over the link. */
  public void open(SessionLink link, ClientMessage.Command command) {
    Lane lane = transfers.lanes().get(link.lane());
    if (!lane.arrive(new SessionActor.Attach(link, command))) {
      link.fail(ErrorCode.BUSY, STARTING);
    }
  }
}
