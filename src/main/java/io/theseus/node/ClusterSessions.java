package io.theseus.node;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.AskPattern;
import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.admin.Operations.SessionList;
import io.theseus.admin.Operations.SessionView;
import io.theseus.control.Control;
import io.theseus.upgrade.Peers;
import io.theseus.upgrade.Streamed;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The sessions of all nodes, asked of each. Outlives actor systems, as the node does. */
final class ClusterSessions {
  private static final Duration ANSWER = Duration.ofSeconds(8);
  private static final long MOST_LIST_BYTES = 256L << 20;
  private static final String NO_MEMBER = "can't be reached (expected: a member of the cluster)";

  private final String node;
  private final Set<String> nodes;
  private final Control control;
  private volatile @Nullable Life life;

  private record Life(ActorSystem<?> system, Peers peers) {}

  /** Of a node. */
  ClusterSessions(String node, Set<String> nodes, Control control) {
    this.node = node;
    this.nodes = new TreeSet<>(nodes);
    this.control = control;
  }

  /** Spawns what answers the other nodes in the guardian of an actor system. */
  void spawn(ActorContext<?> context) {
    context.spawn(SessionsActor.create(node, control), SessionsActor.NAME);
    life = new Life(context.getSystem(), new Peers(context.getSystem(), NodeSettings.ID_ROLE));
  }

  SessionList list() throws OperationException {
    Life now = living();
    List<SessionView> sessions = new ArrayList<>();
    Map<String, String> silent = new TreeMap<>();
    Map<String, CompletionStage<SessionsActor.Listed>> asked = new TreeMap<>();
    for (String each : nodes) {
      Optional<CompletionStage<SessionsActor.Listed>> answer =
          ask(now, each, SessionsActor.ListSessions::new);
      answer.ifPresentOrElse(it -> asked.put(each, it), () -> silent.put(each, NO_MEMBER));
    }
    asked.forEach(
        (from, answer) -> {
          try {
            sessions.addAll(sessions(now, ClusterOperations.await(answer, from)));
          } catch (OperationException | IOException e) {
            silent.put(from, String.valueOf(e.getMessage()));
          }
        });
    sessions.sort(Comparator.comparing(SessionView::node).thenComparing(SessionView::session));
    return new SessionList(sessions, silent);
  }

  private static List<SessionView> sessions(Life now, SessionsActor.Listed listed)
      throws OperationException, IOException {
    if (listed.sessions() == null) {
      throw new OperationException(listed.reason(), /* unreachable= */ true);
    }
    return SessionsActor.sessions(
        ClusterOperations.await(
            Streamed.read(listed.sessions(), MOST_LIST_BYTES, now.system()), "it"));
  }

  String kill(UUID session, String reason) throws OperationException {
    Life now = living();
    Map<String, String> silent = new TreeMap<>();
    for (String each : nodes) {
      Optional<CompletionStage<SessionsActor.Killed>> answer =
          ask(now, each, replyTo -> new SessionsActor.KillSession(session, reason, replyTo));
      if (answer.isEmpty()) {
        silent.put(each, NO_MEMBER);
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
    Life now = living();
    if (!nodes.containsAll(which)) {
      throw new OperationException("nodes: " + which + " (expected: of " + nodes + ")");
    }
    Map<String, String> outcome = new TreeMap<>();
    for (String each : which.isEmpty() ? nodes : which) {
      Optional<CompletionStage<SessionsActor.Accepted>> answer =
          ask(now, each, replyTo -> new SessionsActor.Accept(accept, who, replyTo));
      if (answer.isEmpty()) {
        outcome.put(each, NO_MEMBER);
        continue;
      }
      try {
        ClusterOperations.await(answer.get(), each);
        outcome.put(each, Operations.DONE);
      } catch (OperationException e) {
        outcome.put(each, String.valueOf(e.getMessage()));
      }
    }
    return outcome;
  }

  private static <T> Optional<CompletionStage<T>> ask(
      Life now, String node, Function<ActorRef<T>, SessionsActor.Command> question) {
    Optional<ActorRef<SessionsActor.Command>> asked = now.peers().find(node, SessionsActor.NAME);
    return asked.map(
        to ->
            AskPattern.<SessionsActor.Command, T>ask(
                to, question::apply, ANSWER, now.system().scheduler()));
  }

  private Life living() throws OperationException {
    Life now = life;
    if (now == null) {
      throw new OperationException(
          "this node is starting (expected: it has started)", /* unreachable= */ true);
    }
    return now;
  }
}
