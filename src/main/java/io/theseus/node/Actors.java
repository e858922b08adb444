package io.theseus.node;

import akka.Done;
import akka.actor.BootstrapSetup;
import akka.actor.CoordinatedShutdown;
import akka.actor.setup.ActorSystemSetup;
import akka.actor.typed.ActorSystem;
import akka.cluster.ClusterEvent.CurrentClusterState;
import akka.cluster.Member;
import akka.cluster.typed.Cluster;
import akka.remote.artery.tcp.SSLEngineProviderSetup;
import io.theseus.admin.NodeStatus;
import io.theseus.journal.JournalSetup;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One life of the actor system. It ends when the node closes, and also when the cluster downs this
 * member: the node then starts another one beside the connections, which live on.
 */
final class Actors {
  /** The name of every node's actor system: a cluster wants them equal. */
  static final String SYSTEM = "theseus";

  private static final Logger log = LoggerFactory.getLogger(Actors.class);
  private static final long STOP_SECONDS = 30;

  private final ActorSystem<Guardian.Command> system;
  private final JoinView view;

  private Actors(ActorSystem<Guardian.Command> system, JoinView view) {
    this.system = system;
    this.view = view;
  }

  /**
   * Starts an actor system, its guardian, and what the node consists of.
   *
   * @param onTerminated runs once, on a foreign thread, when this life is over, for whatever reason
   */
  static Actors start(NodeSettings settings, Services services, Runnable onTerminated)
      throws StartException {
    JoinView view = new JoinView();
    ActorSystem<Guardian.Command> system;
    try {
      system =
          ActorSystem.create(Guardian.create(settings, view), SYSTEM, setup(settings, services));
    } catch (RuntimeException e) {
      throw PortInUse.isCause(e)
          ? new StartException(
              PortInUse.message(
                  settings.cluster().host(), settings.cluster().port(), "theseus.cluster.port"),
              e)
          : new StartException("The actor system can't start: " + e.getMessage(), e);
    }
    LoopDispatcher.register(system, services.loops());
    Set<UUID> open;
    try {
      open = services.openJournal(system);
    } catch (StartException e) {
      system.terminate();
      throw e;
    }
    system.tell(new Guardian.Spawn(context -> services.spawn(context, open)));
    CompletionStage<Done> terminated = system.getWhenTerminated();
    terminated.whenComplete((done, failure) -> onTerminated.run());
    return new Actors(system, view);
  }

  private static ActorSystemSetup setup(NodeSettings settings, Services services) {
    ActorSystemSetup setup =
        ActorSystemSetup.create(
            BootstrapSetup.create(settings.akka()), new JournalSetup(services.steps()));
    return services
        .remotingKeys()
        .map(
            keys ->
                setup.withSetup(
                    SSLEngineProviderSetup.create(
                        started ->
                            new RemotingTls(keys, settings.cluster().tls().orElseThrow().hosts()))))
        .orElse(setup);
  }

  ActorSystem<Guardian.Command> system() {
    return system;
  }

  /** What the joiner does and waits for. */
  JoinView view() {
    return view;
  }

  /** The cluster as this life sees it now. */
  NodeStatus.Cluster cluster() {
    Cluster cluster = Cluster.get(system);
    CurrentClusterState state = cluster.state();
    List<NodeStatus.Member> members = new ArrayList<>();
    for (Member member : state.getMembers()) {
      members.add(
          new NodeStatus.Member(
              id(member),
              Joiner.hostPort(member.address()),
              member.status().toString().toLowerCase(Locale.ROOT),
              !state.getUnreachable().contains(member),
              member.getRoles().stream()
                  .filter(role -> !role.startsWith(NodeSettings.ID_ROLE) && !role.startsWith("dc-"))
                  .sorted()
                  .toList()));
    }
    return new NodeStatus.Cluster(
        Joiner.hostPort(cluster.selfMember().address()),
        Optional.ofNullable(state.getLeader()).map(Joiner::hostPort).orElse(""),
        view.waitsFor().orElse(""),
        members);
  }

  private static String id(Member member) {
    return member.getRoles().stream()
        .filter(role -> role.startsWith(NodeSettings.ID_ROLE))
        .map(role -> role.substring(NodeSettings.ID_ROLE.length()))
        .findFirst()
        .orElse("?");
  }

  /** Leaves the cluster and ends the actor system; returns when it has ended. */
  void stop() {
    CoordinatedShutdown.get(system).runAll(CoordinatedShutdown.actorSystemTerminateReason());
    try {
      system.getWhenTerminated().toCompletableFuture().get(STOP_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      log.warn("the actor system has not ended after {} s", STOP_SECONDS, e);
    }
  }
}
