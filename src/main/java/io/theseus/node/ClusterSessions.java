package io.theseus.node;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.javadsl.ActorContext;
import io.theseus.admin.OperationException;
import io.theseus.admin.Operations.SessionList;
import io.theseus.admin.Operations.SessionView;
import io.theseus.control.Control;
import io.theseus.upgrade.Streamed;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** The sessions of all nodes, asked of each. Outlives actor systems, as the node does. */
final class ClusterSessions {
  private static final long MOST_LIST_BYTES = 256L << 20;

  private final String node;
  private final Fellows fellows;
  private final Control control;

  /** Of a node. */
  ClusterSessions(String node, Fellows fellows, Control control) {
    this.node = node;
    this.fellows = fellows;
    this.control = control;
  }

  /** Spawns what answers the other nodes in the guardian of an actor system. */
  void spawn(ActorContext<?> context) {
    context.spawn(SessionsActor.create(node, control), SessionsActor.NAME);
  }

  SessionList list() throws OperationException {
    ActorSystem<?> system = fellows.system();
    List<SessionView> sessions = new ArrayList<>();
    Map<String, String> silent = new TreeMap<>();
    Map<String, CompletionStage<SessionsActor.Listed>> asked = new TreeMap<>();
    for (String each : fellows.nodes()) {
      Optional<CompletionStage<SessionsActor.Listed>> answer =
          ask(each, SessionsActor.ListSessions::new);
      answer.ifPresentOrElse(it -> asked.put(each, it), () -> silent.put(each, Fellows.NO_MEMBER));
    }
    asked.forEach(
        (from, answer) -> {
          try {
            sessions.addAll(sessions(system, ClusterOperations.await(answer, from)));
          } catch (OperationException | IOException e) {
            silent.put(from, String.valueOf(e.getMessage()));
          }
        });
    sessions.sort(Comparator.comparing(SessionView::node).thenComparing(SessionView::session));
    return new SessionList(sessions, silent);
  }

  private static List<SessionView> sessions(ActorSystem<?> system, SessionsActor.Listed listed)
      throws OperationException, IOException {
    if (listed.sessions() == null) {
      throw new OperationException(listed.reason(), /* unreachable= */ true);
    }
    return SessionsActor.sessions(
        ClusterOperations.await(Streamed.read(listed.sessions(), MOST_LIST_BYTES, system), "it"));
  }

  String kill(UUID session, String reason) throws OperationException {
    Map<String, String> silent = new TreeMap<>();
    for (String each : fellows.nodes()) {
      Optional<CompletionStage<SessionsActor.Killed>> answer =
          ask(each, replyTo -> new SessionsActor.KillSession(session, reason, replyTo));
      if (answer.isEmpty()) {
        silent.put(each, Fellows.NO_MEMBER);
        continue;
      }
      String outcome = ClusterOperations.await(answer.get(), each).outcome();
      if (outcome.equals(Control.Killed.ENDED.name())) {
        return each;
      } else if (outcome.equals(Control.Killed.DETACHED.name())) {
        throw new OperationException(
            "session: " + session + " of " + each + " has no connection (expected: one)");
      } else if (!outcome.equals(Control.Killed.UNKNOWN.name())) {
        silent.put(each, outcome);
      }
    }
    throw new OperationException(
        "session: "
            + session
            + " (expected: one that `sessions` shows)"
            + (silent.isEmpty() ? "" : "; not asked: " + silent),
        /* unreachable= */ !silent.isEmpty());
  }

  Map<String, String> accept(boolean accept, Set<String> which, String who)
      throws OperationException {
    return fellows.<SessionsActor.Command, SessionsActor.Accepted>tell(
        which, SessionsActor.NAME, replyTo -> new SessionsActor.Accept(accept, who, replyTo));
  }

  private <T> Optional<CompletionStage<T>> ask(
      String node, Function<ActorRef<T>, SessionsActor.Command> question)
      throws OperationException {
    return fellows.ask(node, SessionsActor.NAME, question);
  }
}
