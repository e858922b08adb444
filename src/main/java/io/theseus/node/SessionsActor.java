package io.theseus.node;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.SupervisorStrategy;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.stream.SourceRef;
import akka.util.ByteString;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.theseus.admin.Operations.SessionView;
import io.theseus.control.Control;
import io.theseus.session.SessionSummary;
import io.theseus.upgrade.Streamed;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Answers other nodes about this one's sessions, and does to them what an operator wants. */
final class SessionsActor {
  /** The name of the actor below the guardian. */
  static final String NAME = "sessions";

  private static final ObjectMapper JSON = new ObjectMapper();

  /** What it can be told, from any node. */
  sealed interface Command extends Remote {}

  /** What goes from node to node; akka.actor's serialization-bindings name it. */
  interface Remote {}

  /** Asks for all sessions. */
  record ListSessions(ActorRef<Listed> replyTo) implements Command {}

  /**
   * The answer.
   *
   * @param sessions as JSON; null where the node can't tell
   * @param reason why it can't; otherwise empty
   */
  record Listed(@Nullable SourceRef<ByteString> sessions, String reason) implements Remote {}

  /** Ends a session's connection. */
  record KillSession(UUID session, String reason, ActorRef<Killed> replyTo) implements Command {}

  /**
   * The answer.
   *
   * @param outcome name of a {@link Control.Killed}; or why it isn't known
   */
  record Killed(String outcome) implements Remote {}

  /** Takes new sessions, or no more. */
  record Accept(boolean accept, String who, ActorRef<Accepted> replyTo) implements Command {}

  /** The answer. */
  record Accepted(boolean accept) implements Remote {}

  private SessionsActor() {}

  /** That of a node. */
  static Behavior<Command> create(String node, Control control) {
    return Behaviors.supervise(
            Behaviors.<Command>setup(
                context ->
                    Behaviors.receiveMessage(
                        command -> {
                          onCommand(command, node, control, context);
                          return Behaviors.same();
                        })))
        .onFailure(SupervisorStrategy.restart());
  }

  private static void onCommand(
      Command command, String node, Control control, ActorContext<Command> context) {
    if (command instanceof ListSessions list) {
      var unused =
          control
              .sessions()
              .handle(
                  (sessions, failure) ->
                      sessions == null
                          ? new Listed(null, String.valueOf(failure.getMessage()))
                          : new Listed(
                              Streamed.offer(json(node, sessions), context.getSystem()), ""))
              .thenAccept(list.replyTo()::tell);
    } else if (command instanceof KillSession kill) {
      var unused =
          control
              .kill(kill.session(), kill.reason())
              .handle(
                  (killed, failure) ->
                      new Killed(
                          killed == null ? String.valueOf(failure.getMessage()) : killed.name()))
              .thenAccept(kill.replyTo()::tell);
    } else if (command instanceof Accept accept) {
      control.accept(accept.accept());
      context
          .getLog()
          .info("{} new sessions, by {}", accept.accept() ? "takes" : "takes no", accept.who());
      accept.replyTo().tell(new Accepted(accept.accept()));
    }
  }

  private static byte[] json(String node, List<SessionSummary> sessions) {
    try {
      return JSON.writeValueAsBytes(sessions.stream().map(each -> view(node, each)).toList());
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static SessionView view(String node, SessionSummary session) {
    return new SessionView(
        node,
        session.session(),
        session.direction().name().toLowerCase(Locale.ROOT),
        session.name(),
        session.offset(),
        session.size(),
        session.state().name().toLowerCase(Locale.ROOT),
        session.module(),
        session.remote());
  }

  /** What {@link Listed} carries. */
  static List<SessionView> sessions(byte[] json) throws IOException {
    return JSON.readValue(json, new TypeReference<>() {});
  }
}
