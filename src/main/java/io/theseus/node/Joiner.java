package io.theseus.node;

import akka.actor.Address;
import akka.actor.AddressFromURIString;
import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorRefResolver;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import akka.actor.typed.javadsl.TimerScheduler;
import akka.cluster.ClusterEvent.CurrentClusterState;
import akka.cluster.Member;
import akka.cluster.MemberStatus;
import akka.cluster.UniqueAddress;
import akka.cluster.typed.Cluster;
import akka.cluster.typed.Down;
import akka.cluster.typed.Join;
import io.theseus.node.Formation.Action;
import io.theseus.node.Formation.Membership;
import io.theseus.node.Formation.Question;
import io.theseus.node.Formation.Reply;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Finds the other nodes and joins them, or forms the cluster with a majority of them, whichever
 * node started first. A thin actor around {@link Formation}: it asks the joiner of each seed node,
 * at a path that all know, and goes on asking for as long as it lives.
 */
final class Joiner extends AbstractBehavior<Joiner.Command> {
  /** The actor's name under the guardian, equal on all nodes. */
  static final String NAME = "joiner";

  private static final Duration EVERY = Duration.ofMillis(500);

  /** What the joiner is told. */
  sealed interface Command {}

  /** What joiners of different nodes say to each other: the whole of it. */
  sealed interface Remote extends Command {}

  /** A question from another node. */
  record Ask(Question question, ActorRef<Command> replyTo) implements Remote {}

  /** The answer to a question of this node. */
  record Answer(Reply reply) implements Remote {}

  private enum Tick implements Command {
    TICK
  }

  private final Cluster cluster;
  private final ActorRefResolver resolver;
  private final Formation formation;
  private final JoinView view;
  private Optional<String> said = Optional.empty();

  /** A joiner for a node; {@code view} shows what it waits for. */
  static Behavior<Command> create(NodeSettings.Cluster settings, JoinView view) {
    return Behaviors.withTimers(
        timers -> Behaviors.setup(context -> new Joiner(context, timers, settings, view)));
  }

  private Joiner(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      NodeSettings.Cluster settings,
      JoinView view) {
    super(context);
    context.setLoggerName(Joiner.class);
    this.cluster = Cluster.get(context.getSystem());
    this.resolver = ActorRefResolver.get(context.getSystem());
    this.view = view;
    UniqueAddress self = cluster.selfMember().uniqueAddress();
    this.formation =
        new Formation(
            Formation.Rules.of(hostPort(self.address()), settings.seedNodes()),
            self.longUid(),
            System.nanoTime(),
            new SecureRandom());
    timers.startTimerWithFixedDelay(Tick.TICK, Duration.ZERO, EVERY);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Tick.class, tick -> onTick())
        .onMessage(Ask.class, this::onAsk)
        .onMessage(Answer.class, this::onAnswer)
        .build();
  }

  private Behavior<Command> onTick() {
    for (Action action : formation.onTick(System.nanoTime(), membership())) {
      if (action instanceof Action.Ask ask) {
        joinerAt(ask.to()).tell(new Ask(ask.question(), getContext().getSelf()));
      } else if (action instanceof Action.Join join) {
        cluster.manager().tell(new Join(AddressFromURIString.parse(uri(join.seed()))));
      } else if (action instanceof Action.Form) {
        cluster.manager().tell(new Join(cluster.selfMember().address()));
      } else if (action instanceof Action.Dissolve dissolve) {
        getContext().getLog().warn("leaving a cluster without a majority: {}", dissolve.reason());
        cluster.manager().tell(new Down(cluster.selfMember().address()));
      }
    }
    show();
    return this;
  }

  private Behavior<Command> onAsk(Ask ask) {
    ask.replyTo()
        .tell(new Answer(formation.onQuestion(ask.question(), System.nanoTime(), membership())));
    return this;
  }

  private Behavior<Command> onAnswer(Answer answer) {
    formation.onReply(answer.reply(), System.nanoTime());
    return this;
  }

  private void show() {
    Optional<String> words = formation.waitsFor();
    view.show(words);
    if (!words.equals(said)) {
      said = words;
      getContext().getLog().info("{}", words.orElse("joined the cluster"));
    }
  }

  /** The cluster as this node sees it now; none before it is welcome, nor while it leaves. */
  private Membership membership() {
    CurrentClusterState state = cluster.state();
    Set<String> members = new HashSet<>();
    int reachable = 0;
    boolean in = false;
    for (Member member : state.getMembers()) {
      UniqueAddress unique = member.uniqueAddress();
      members.add(hostPort(unique.address()) + "#" + unique.longUid());
      if (!state.getUnreachable().contains(member)) {
        reachable++;
      }
      in |= unique.equals(cluster.selfMember().uniqueAddress()) && isIn(member.status());
    }
    return in ? new Membership(members, reachable) : Membership.NONE;
  }

  private static boolean isIn(MemberStatus status) {
    return status.equals(MemberStatus.joining())
        || status.equals(MemberStatus.weaklyUp())
        || status.equals(MemberStatus.up());
  }

  private ActorRef<Command> joinerAt(String hostPort) {
    return resolver.resolveActorRef(uri(hostPort) + "/user/" + NAME);
  }

  private String uri(String hostPort) {
    Address self = cluster.selfMember().address();
    return self.protocol() + "://" + self.system() + "@" + hostPort;
  }

  /** As the settings write it. */
  static String hostPort(Address address) {
    return address.getHost().orElse("") + ":" + address.getPort().orElse(0);
  }
}
