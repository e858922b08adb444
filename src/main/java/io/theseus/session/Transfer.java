package io.theseus.session;

import akka.actor.typed.ActorRef;
import io.theseus.backup.Replication;
import io.theseus.channel.Direction;
import io.theseus.channel.PayloadUse;
import io.theseus.channel.SessionInfo;
import io.theseus.module.Revision;
import io.theseus.module.SessionCode;
import io.theseus.module.Switchboard;
import io.theseus.store.LiveStream;
import io.theseus.store.StoredFile;
import io.theseus.store.Upload;
import io.theseus.wire.ClientMessage;
import io.theseus.wire.Epoch;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * The part of a session that outlives its actor: a plain object with the open file and connection.
 *
 * <p>Exactly one incarnation of the session's actor touches it at a time, and {@link Follower} on
 * the same thread; the next one gets it from the supervisor after the death of the last
 * (<i>adoption</i>), which orders their accesses. What must survive the process is in the journal
 * and in the store instead.
 */
public final class Transfer {
  final UUID id;

  /** Commands of connections that no incarnation has looked at yet: no mailbox can lose them. */
  private final Queue<SessionActor.Attach> arrivals = new ConcurrentLinkedQueue<>();

  /** The connection in use; null while there is none. */
  @Nullable SessionLink link;

  /** The command that the current connection sent. */
  ClientMessage.@Nullable Command command;

  /** What the session is; null until it was accepted once, or recovered. */
  @Nullable Facts facts;

  @Nullable Upload upload;
  @Nullable StoredFile file;
  @Nullable LiveStream live;

  /** Whether the journal knows the session. */
  boolean marked;

  /** Whether the command of the current connection was answered by READY. */
  boolean accepted;

  /** Whether the bytes are all here and the commit may have begun. */
  boolean committing;

  /** Its copies on other nodes; null where none are made. */
  @Nullable Replication replication;

  /** Whether the client was told that copies are short. */
  boolean toldShort;

  /** By which its copies obeyed last; below all where there were none. */
  Epoch epoch = Epoch.NONE;

  /** That of them which the journal knows: a life of the node that follows begins above it. */
  Epoch markedEpoch = Epoch.NONE;

  /** Nodes that have copies, as the journal knows them. */
  List<String> markedCopies = List.of();

  /** That of its name, once all is decided; null before. */
  @Nullable String version;

  /** Whether the journal knows that. */
  boolean markedVersion;

  /** Whether all nodes were asked what they know of its name. */
  boolean asked;

  /** The name that it alone may decide about, at the node that says so; null for none. */
  @Nullable FileName claimed;

  /** What is being opened on the disk; the next incarnation waits for the same. */
  @Nullable CompletionStage<SessionActor.Command> opening;

  /** Whether nothing is left to be done but to be forgotten, by the journal and the supervisor. */
  volatile boolean over;

  /** What it runs; null before it was begun for the first time. */
  @Nullable Revision revision;

  /** The objects of its revision; null where that is built in, and without a connection. */
  @Nullable SessionCode code;

  /** Whether code that changes bytes has served it: those of the file may be others. */
  boolean altered;

  /** Whether the journal knows that. */
  boolean markedAltered;

  /** Its place among the sessions that share a limited bandwidth; 0 where none is shared. */
  long order;

  /** Code that is being begun; the next incarnation waits for the same. */
  @Nullable CompletionStage<SessionActor.Command> switching;

  /** Of a {@link Follower}: those of the sessions that it has looked at and not begun. */
  @Nullable Object round;

  /** Counts the codes that were begun: an answer to an older attempt is not heard. */
  long attempts;

  /**
   * The ids of revisions whose code failed here: it does not come back to them. Not the revisions,
   * which would keep their code in memory.
   */
  Set<String> fallen = Set.of();

  /** Where its data is, if it was redirected. */
  @Nullable FileName target;

  /** The module that the journal knows. */
  String markedModule = "";

  /** The switch that it has followed, or had no need to; read by anybody. */
  private volatile long switchFollowed;

  /** Whether there is code that serves a connection of it; read by anybody. */
  private volatile boolean served;

  /** Whether the transfer is to stand still until it is switched. */
  boolean held;

  /** Who waits to hear that it stands still. */
  final List<ActorRef<SessionActor.Held>> awaitingHold = new ArrayList<>();

  long workerGeneration;
  long durable;
  long lastMark;
  long lastMarkNanos;
  @Nullable Report report;

  private int failures;
  private long failedAt = -1;

  private Transfer(UUID id, boolean marked) {
    this.id = id;
    this.marked = marked;
  }

  /** A session that begins. */
  public static Transfer begin(UUID id) {
    return new Transfer(id, false);
  }

  /** A session of which the journal of this node has marks. */
  public static Transfer recover(UUID id) {
    return new Transfer(id, true);
  }

  public UUID id() {
    return id;
  }

  /** Hands a connection's command to the session; its actor is told by {@code Arrived}. */
  public void arrive(SessionActor.Attach attach) {
    arrivals.add(attach);
  }

  /** The oldest command that nobody has looked at; null if there is none. */
  public SessionActor.@Nullable Attach nextArrival() {
    return arrivals.poll();
  }

  /** Whether a connection has it; on the thread of its lane. */
  public boolean isConnected() {
    return link != null;
  }

  /**
   * What it is now; on the thread of its lane. Empty while nobody has said what it is: the journal
   * is being read.
   */
  public Optional<SessionSummary> summary() {
    Facts known = facts;
    ClientMessage.Command asked = command;
    if (known != null) {
      return Optional.of(summary(known.direction(), known.name(), known.size()));
    } else if (asked instanceof ClientMessage.Get get) {
      return Optional.of(summary(Direction.GET, get.name().value(), OptionalLong.empty()));
    } else if (asked instanceof ClientMessage.Put put) {
      return Optional.of(summary(Direction.PUT, put.name().value(), put.size()));
    }
    return Optional.empty();
  }

  private SessionSummary summary(Direction direction, String name, OptionalLong size) {
    SessionLink connected = link;
    Revision running = revision;
    return new SessionSummary(
        id,
        direction,
        name,
        committed(),
        size.orElse(SessionSummary.UNKNOWN_SIZE),
        connected == null
            ? SessionSummary.State.DETACHED
            : held ? SessionSummary.State.HELD : SessionSummary.State.LIVE,
        running == null ? "" : running.module(),
        connected == null ? "" : connected.remote());
  }

  /** What the session is, as code of modules sees it. */
  SessionInfo info() {
    SessionCode serving = code;
    if (serving != null && serving.session().size().isPresent()) {
      return serving.session(); // it began for the same connection
    }
    ClientMessage.Command asked = command;
    Facts known = facts;
    String remote = connected().remote();
    int port = remote.lastIndexOf(':');
    String client = port < 0 ? remote : remote.substring(0, port);
    if (asked instanceof ClientMessage.Put put) {
      OptionalLong size = known == null ? put.size() : known.size();
      return new SessionInfo(id, Direction.PUT, put.name().value(), size, client);
    } else if (asked instanceof ClientMessage.Get get) {
      OptionalLong size = known == null ? OptionalLong.empty() : known.size();
      return new SessionInfo(id, Direction.GET, get.name().value(), size, client);
    }
    throw new IllegalStateException("session " + id + " without a command");
  }

  /** Whether an accepted connection moves bytes, or could. */
  boolean isRunning() {
    return accepted && link != null && !committing && !over;
  }

  /** Whether it is to follow a switch, and nothing stands in the way. */
  boolean isDue(long switchGeneration) {
    return switchFollowed != switchGeneration && switching == null && isRunning() && !held;
  }

  /** What the session runs. */
  Revision running() {
    Revision running = revision;
    return running == null ? Revision.builtIn() : running;
  }

  /** What it is to run: never again what failed for it. */
  Revision wanted(Switchboard.Current current) {
    Revision first = current.of(id);
    if (isFit(first)) {
      return first;
    } else if (isFit(current.revision())) {
      return current.revision();
    }
    return isFit(current.stable()) ? current.stable() : Revision.builtIn();
  }

  private boolean isFit(Revision wanted) {
    return !wanted.isAbandoned() && (fallen.isEmpty() || !fallen.contains(wanted.id()));
  }

  /** Whether what it is to run is what serves it. */
  boolean runs(Revision wanted) {
    return wanted.equals(running()) && (wanted.isBuiltIn() || code != null);
  }

  /** It runs this from now on, whose code is null where it is built in. */
  void revise(Revision next, @Nullable SessionCode its) {
    revision = next;
    code = its;
    altered |= its != null && its.payloadUse() == PayloadUse.TRANSFORM;
  }

  /** A connection that is being accepted, or goes to other code, obeys the next generation. */
  long nextGeneration() {
    return ++workerGeneration;
  }

  SessionLink connected() {
    SessionLink connected = link;
    if (connected == null) {
      throw new IllegalStateException("session " + id + " without a connection");
    }
    return connected;
  }

  /**
   * Whether nothing of it runs code of before the given switch; without a connection nothing runs.
   */
  public boolean hasFollowed(long switchGeneration) {
    return over || !served || switchFollowed >= switchGeneration;
  }

  long followed() {
    return switchFollowed;
  }

  void follow(long switchGeneration) {
    switchFollowed = switchGeneration;
    served = true;
  }

  /** Whether code was asked about the connection at hand, and is there. */
  boolean isServed() {
    return served;
  }

  /** Code of a revision failed here; false where that was known. */
  boolean fall(Revision revision) {
    Set<String> all = new HashSet<>(fallen);
    boolean first = all.add(revision.id());
    fallen = Set.copyOf(all);
    return first;
  }

  /** Lets go of the code: there is nobody whom it serves. */
  void dropCode() {
    served = false;
    CompletionStage<SessionActor.Command> begins = switching;
    if (begins != null) {
      switching = null;
      begins.thenAccept(
          heard -> {
            if (heard instanceof SessionActor.CodeBegun begun) {
              begun.code().close();
            }
          });
    }
    SessionCode last = code;
    if (last != null) {
      code = null;
      last.close();
    }
  }

  Facts facts() {
    Facts known = facts;
    if (known == null) {
      throw new IllegalStateException("session " + id + " was not accepted yet");
    }
    return known;
  }

  /** Where a successor goes on: all before it is durable (PUT) or acknowledged (GET). */
  long committed() {
    Report last = report;
    if (facts == null || facts.direction() == Direction.PUT) {
      return durable;
    }
    return last == null ? lastMark : last.acked();
  }

  /** Where the data of a name is: elsewhere where it was redirected, which stays. */
  FileName place(FileName asked) throws ProtocolException {
    Facts known = facts;
    if (known != null) {
      return known.target().isPresent() ? FileName.parse(known.target().get()) : asked;
    }
    FileName redirected = target;
    return redirected == null ? asked : redirected;
  }

  /**
   * Counts a failure of the session's actor.
   *
   * @return how many there were since the transfer last made progress
   */
  public int countFailure() {
    Report last = report;
    long at = Math.max(durable, last == null ? 0 : last.position());
    failures = at > failedAt ? 1 : failures + 1;
    failedAt = at;
    return failures;
  }

  /** Whether no incarnation has had anything to do with it, nor an earlier process. */
  boolean isNew() {
    return facts == null && link == null && opening == null && !marked;
  }

  int waiting() {
    return arrivals.size();
  }

  /** Ends the connections when the session's actor can't any more; the session itself stays. */
  public void disconnect(ErrorCode code, String message) {
    failures = 0; // the next connection has its chances, too
    dropCode();
    SessionActor.Attach attach;
    while ((attach = arrivals.poll()) != null) {
      attach.link().fail(code, message);
    }
    SessionLink connected = link;
    if (connected != null) {
      link = null;
      accepted = false;
      connected.fail(code, message);
    }
  }
}
