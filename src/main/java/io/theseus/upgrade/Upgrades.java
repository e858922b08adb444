package io.theseus.upgrade;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.DispatcherSelector;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.AskPattern;
import akka.cluster.typed.ClusterSingleton;
import akka.cluster.typed.SingletonActor;
import io.theseus.steps.Steps;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Coordination as the rest of a node sees it: acts go in, what is known of them comes out. Outlives
 * actor systems; in each life it is spawned anew.
 */
public final class Upgrades {
  private static final Duration ANSWER = Duration.ofSeconds(12);
  private static final Duration PROGRESS = Duration.ofSeconds(2);

  private final UpgradeSettings settings;
  private final StateFile file;
  private final NodeRevisions revisions;
  private final Steps steps;
  private final String idRole;
  private final String dispatcher;
  private final int mostModuleBytes;
  private volatile @Nullable Life life;
  private volatile @Nullable UpgradeView view;

  private record Life(
      ActorSystem<?> system, Peers peers, ActorRef<CoordinatorActor.Command> coordinator) {}

  /**
   * That of a node.
   *
   * @param directory for its state, which is read once here
   * @param idRole how the role begins that carries a member's id
   * @param dispatcher where actors may wait for the disk
   * @throws IOException naming what is wrong with the state
   */
  public Upgrades(
      UpgradeSettings settings,
      Path directory,
      NodeRevisions revisions,
      Steps steps,
      String idRole,
      String dispatcher,
      int mostModuleBytes)
      throws IOException {
    this.settings = settings;
    this.file = new StateFile(directory);
    this.revisions = revisions;
    this.steps = steps;
    this.idRole = idRole;
    this.dispatcher = dispatcher;
    this.mostModuleBytes = mostModuleBytes;
    var unused = file.read(); // damaged: said at once, not by an actor later
  }

  /** Spawns the actors in the guardian of an actor system. */
  public void spawn(ActorContext<?> context) {
    ActorSystem<?> system = context.getSystem();
    Peers peers = new Peers(system, idRole);
    revisions.source(ModuleExchange.from(system, peers, mostModuleBytes));
    DispatcherSelector where = DispatcherSelector.fromConfig(dispatcher);
    context.spawn(ModuleExchange.create(revisions), ModuleExchange.NAME, where);
    ActorRef<UpgradeActor.Command> agent =
        context.spawn(
            UpgradeActor.create(
                settings, file, revisions, peers, steps, seen -> view = seen, this::submit),
            UpgradeActor.NAME,
            where);
    ActorRef<CoordinatorActor.Command> coordinator =
        ClusterSingleton.get(system)
            .init(
                SingletonActor.of(
                        CoordinatorActor.create(settings, peers, steps, agent),
                        CoordinatorActor.NAME)
                    .withProps(where)
                    .withStopMessage(CoordinatorActor.Stop.NOW));
    life = new Life(system, peers, coordinator);
  }

  /** What this node knows; empty before it knows anything. */
  public Optional<UpgradeView> view() {
    return Optional.ofNullable(view);
  }

  /** Asks for an act. Fails where nobody answers in time: then it may have begun. */
  public CompletionStage<ActAnswer> submit(ActRequest request) {
    Life now = living();
    return AskPattern.<CoordinatorActor.Command, Remote.Submitted>ask(
            now.coordinator(),
            replyTo -> new Remote.Submit(Codec.encode(request), replyTo),
            ANSWER,
            now.system().scheduler())
        .thenApply(reply -> Codec.answer(reply.answer()));
  }

  /** How far each node is with the act under way, as whoever coordinates knows it. */
  public CompletionStage<Map<String, String>> progress() {
    Life now = living();
    return AskPattern.<CoordinatorActor.Command, Remote.ProgressOfNodes>ask(
            now.coordinator(), Remote.AskProgress::new, PROGRESS, now.system().scheduler())
        .thenApply(reply -> new TreeMap<>(Codec.progress(reply.progress())));
  }

  /** Ids of the nodes that can't be reached. */
  public Set<String> missing() {
    Set<String> missing = new TreeSet<>(settings.nodes());
    missing.removeAll(living().peers().reachable());
    return missing;
  }

  private Life living() {
    Life now = life;
    if (now == null) {
      throw new IllegalStateException("the node has not started (expected: it has)");
    }
    return now;
  }
}
