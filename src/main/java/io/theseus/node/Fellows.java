package io.theseus.node;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.javadsl.AskPattern;
import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.upgrade.Peers;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The nodes of the cluster, this one included, to be asked. Outlives actor systems. */
final class Fellows {
  /** Why a node is not asked. */
  static final String NO_MEMBER = "can't be reached (expected: a member of the cluster)";

  private static final Duration ANSWER = Duration.ofSeconds(8);

  private final Set<String> nodes;
  private volatile @Nullable Life life;

  private record Life(ActorSystem<?> system, Peers peers) {}

  /**
   * None yet.
   *
   * @param nodes ids of all
   */
  Fellows(Set<String> nodes) {
    this.nodes = new TreeSet<>(nodes);
  }

  /** They are asked by an actor system from now on. */
  void live(ActorSystem<?> system) {
    life = new Life(system, new Peers(system, NodeSettings.ID_ROLE));
  }

  /** Ids of all. */
  Set<String> nodes() {
    return nodes;
  }

  /** The actor system of the moment. */
  ActorSystem<?> system() throws OperationException {
    return living().system();
  }

  /**
   * Asks an actor of a node.
   *
   * @return empty where the node can't be reached
   */
  <C, T> Optional<CompletionStage<T>> ask(
      String node, String actor, Function<ActorRef<T>, C> question) throws OperationException {
    Life now = living();
    Optional<ActorRef<C>> asked = now.peers().find(node, actor);
    return asked.map(
        to -> AskPattern.<C, T>ask(to, question::apply, ANSWER, now.system().scheduler()));
  }

  /**
   * Has an actor of each node do something.
   *
   * @param which nodes; none for all
   * @return what became of each: {@link Operations#DONE}, or why not
   */
  <C, T> Map<String, String> tell(
      Set<String> which, String actor, Function<ActorRef<T>, C> question)
      throws OperationException {
    if (!nodes.containsAll(which)) {
      throw new OperationException("nodes: " + which + " (expected: of " + nodes + ")");
    }
    Map<String, String> outcome = new TreeMap<>();
    for (String each : which.isEmpty() ? nodes : which) {
      Optional<CompletionStage<T>> answer = ask(each, actor, question);
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

  private Life living() throws OperationException {
    Life now = life;
    if (now == null) {
      throw new OperationException(
          "this node is starting (expected: it has started)", /* unreachable= */ true);
    }
    return now;
  }
}
