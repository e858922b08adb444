package io.theseus.backup;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import io.theseus.store.Source;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The end that has the files: tells the other one to copy them, and sends {@link Piece}s where it
 * asks for these. What the data plane is asked for it sends by itself.
 */
final class CopyGiver extends AbstractBehavior<CopyGiver.Command> {
  /** What it can be told. */
  sealed interface Command permits CopyAll, RemoveAll, FromTaker {}

  /** What it can be told by the other end. */
  sealed interface FromTaker extends Command, CopyEnd.Remote permits Ask, Durable, Ended, Failed {}

  /** Have these copied, and answer with nothing when all are durable there, or with what failed. */
  record CopyAll(Map<UUID, Source> files, ActorRef<String> replyTo) implements Command {}

  /** Have all copies removed, and answer so, when they are. */
  record RemoveAll(ActorRef<String> replyTo) implements Command {}

  /** Send pieces up to there. */
  record Ask(UUID session, long upTo) implements FromTaker {}

  /** So much is durable at the other end. */
  record Durable(UUID session, long bytes) implements FromTaker {}

  /** The other end has let go of a copy. */
  record Ended(UUID session) implements FromTaker {}

  /** A copy can't go on. */
  record Failed(String reason) implements FromTaker {}

  /** A file that is copied. */
  private static final class Giving {
    final Source file;
    long sent;

    Giving(Source file) {
      this.file = file;
    }
  }

  private final ActorRef<Object> taker;
  private final int port;
  private final int pieceBytes;
  private final Map<UUID, Giving> giving = new HashMap<>();

  /** Those whose answer is awaited. */
  private final Set<UUID> open = new HashSet<>();

  private @Nullable ActorRef<String> replyTo;

  /**
   * Has files copied.
   *
   * @param taker the other end's {@link CopyTaker}
   * @param port of the data plane here; 0 for pieces
   * @param pieceBytes of each piece
   */
  static Behavior<Command> create(ActorRef<Object> taker, int port, int pieceBytes) {
    return Behaviors.setup(context -> new CopyGiver(context, taker, port, pieceBytes));
  }

  private CopyGiver(
      ActorContext<Command> context, ActorRef<Object> taker, int port, int pieceBytes) {
    super(context);
    this.taker = taker;
    this.port = port;
    this.pieceBytes = pieceBytes;
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(CopyAll.class, this::onCopyAll)
        .onMessage(RemoveAll.class, this::onRemoveAll)
        .onMessage(Ask.class, this::onAsk)
        .onMessage(Durable.class, this::onDurable)
        .onMessage(Ended.class, ended -> done(ended.session))
        .onMessage(Failed.class, failed -> answer(failed.reason))
        .build();
  }

  private Behavior<Command> onCopyAll(CopyAll all) {
    replyTo = all.replyTo;
    all.files.forEach(
        (session, file) -> {
          giving.put(session, new Giving(file));
          open.add(session);
          taker.tell(new CopyTaker.Begin(session, file.available(), port, getContext().getSelf()));
        });
    return this;
  }

  private Behavior<Command> onRemoveAll(RemoveAll all) {
    replyTo = all.replyTo;
    open.addAll(giving.keySet());
    giving.clear();
    open.forEach(session -> taker.tell(new CopyTaker.End(session)));
    return this;
  }

  private Behavior<Command> onAsk(Ask ask) {
    Giving one = giving.get(ask.session);
    while (one != null && one.sent < ask.upTo) {
      int length = (int) Math.min(pieceBytes, ask.upTo - one.sent);
      taker.tell(new Piece.Leaving(ask.session, one.sent, length, one.file.channel()));
      one.sent += length;
    }
    return this;
  }

  private Behavior<Command> onDurable(Durable durable) {
    Giving one = giving.get(durable.session);
    return one != null && durable.bytes == one.file.available() ? done(durable.session) : this;
  }

  private Behavior<Command> done(UUID session) {
    return open.remove(session) && open.isEmpty() ? answer("") : this;
  }

  private Behavior<Command> answer(String text) {
    ActorRef<String> waiting = replyTo;
    if (waiting != null) {
      replyTo = null;
      waiting.tell(text);
    }
    return this;
  }
}
