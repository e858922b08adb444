package io.theseus.names;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.SupervisorStrategy;
import akka.actor.typed.javadsl.AbstractOnMessageBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.TimerScheduler;
import akka.actor.typed.receptionist.Receptionist;
import akka.actor.typed.receptionist.ServiceKey;
import io.theseus.wire.ErrorCode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Knows which nodes can be reached, asks them all at once and again until they answer, and answers
 * their questions from what {@link Names} knows.
 *
 * <p>Supervision: restarted after a bug; questions under way are answered by nobody then.
 */
public final class NamesActor extends AbstractOnMessageBehavior<NamesActor.Command> {
  static final ServiceKey<Command> KEY = ServiceKey.create(Command.class, "theseus-names");

  private static final Logger LOG = LoggerFactory.getLogger(NamesActor.class);
  private static final Duration TICK = Duration.ofMillis(200);
  private static final long HELLO_NANOS = Duration.ofSeconds(2).toNanos();
  private static final long AGAIN_NANOS = Duration.ofSeconds(1).toNanos();

  /** For so long behind its begin nodes may be there that it has not found yet. */
  private static final long YOUNG_NANOS = Duration.ofSeconds(5).toNanos();

  /** Who decides about a name for longer has forgotten to say that it is done. */
  private static final long CLAIM_NANOS = Duration.ofMinutes(10).toNanos();

  /** What it can be told. */
  public interface Command {}

  /** Makes a question. */
  @FunctionalInterface
  interface Asking {
    Remote.Question question(long id, String from, ActorRef<Command> replyTo);
  }

  /**
   * Asks nodes.
   *
   * @param nodes that are asked
   * @param patienceNanos for how long an answer is waited for; 0: as long as it can be reached
   */
  record Ask(
      Asking asking, Set<String> nodes, long patienceNanos, CompletableFuture<Answers> answer)
      implements Command {}

  private record Found(Set<ActorRef<Command>> actors) implements Command {}

  private enum Tick implements Command {
    NOW
  }

  /** A question, and who has not answered it. */
  private static final class Round {
    final Ask ask;
    final long id;
    final long begun;
    final Set<String> open;
    final Map<String, Long> told = new HashMap<>();
    final List<Remote.Answer> answers = new ArrayList<>();
    final Set<String> silent = new HashSet<>();

    Round(Ask ask, long id, long begun) {
      this.ask = ask;
      this.id = id;
      this.begun = begun;
      this.open = new TreeSet<>(ask.nodes());
    }
  }

  private record Holder(String node, UUID session) {}

  private record Held(Holder by, long since) {}

  private final Names names;
  private final String nodeId;
  private final long begun = System.nanoTime();
  private final Map<String, ActorRef<Command>> reachable = new HashMap<>();
  private Set<ActorRef<Command>> actors = Set.of();
  private final Map<Long, Round> rounds = new HashMap<>();
  private final Map<String, Held> claims = new HashMap<>();
  private long nextId;
  private long saidHello;

  /** The voice of a node. */
  public static Behavior<Command> create(Names names) {
    return Behaviors.supervise(
            Behaviors.<Command>setup(
                context -> Behaviors.withTimers(timers -> new NamesActor(context, timers, names))))
        .onFailure(SupervisorStrategy.restart());
  }

  private NamesActor(ActorContext<Command> context, TimerScheduler<Command> timers, Names names) {
    super(context);
    this.names = names;
    this.nodeId = names.settings().nodeId();
    ActorRef<Receptionist.Listing> listings =
        context.messageAdapter(
            Receptionist.Listing.class,
            listing -> new Found(Set.copyOf(listing.getServiceInstances(KEY))));
    context.getSystem().receptionist().tell(Receptionist.register(KEY, context.getSelf()));
    context.getSystem().receptionist().tell(Receptionist.subscribe(KEY, listings));
    timers.startTimerWithFixedDelay(Tick.NOW, TICK);
    reachable.put(nodeId, context.getSelf()); // may hold claims, too
    names.spokenBy(context.getSelf());
  }

  @Override
  public Behavior<Command> onMessage(Command command) {
    if (command instanceof Ask ask) {
      onAsk(ask);
    } else if (command instanceof Remote.Here here) {
      onHere(here);
    } else if (command instanceof Remote.Answer answer) {
      onAnswer(answer);
    } else if (command instanceof Remote.Question question) {
      onQuestion(question);
    } else if (command instanceof Found found) {
      onFound(found.actors());
    } else if (command instanceof Tick) {
      onTick();
    }
    return this;
  }

  // ---- who there is

  private void onFound(Set<ActorRef<Command>> found) {
    actors = found;
    for (Map.Entry<String, ActorRef<Command>> each : Map.copyOf(reachable).entrySet()) {
      if (!found.contains(each.getValue()) && !each.getKey().equals(nodeId)) {
        lose(each.getKey());
      }
    }
    sayHello();
  }

  private void sayHello() {
    saidHello = System.nanoTime();
    for (ActorRef<Command> each : actors) {
      if (!each.equals(getContext().getSelf())) {
        each.tell(new Remote.Hello(nextId++, nodeId, getContext().getSelf()));
      }
    }
  }

  /** Answers come from the actor that said hello, or the one of before: the newest one counts. */
  private void onHere(Remote.Here here) {
    names.at(here.place(), here.forgotten());
    if (!names.others().contains(here.node())) {
      LOG.warn("node {} is none of theseus.cluster.nodes, and is not asked", here.node());
    }
  }

  private void meet(String node, ActorRef<Command> actor) {
    if (!actors.contains(actor) || !names.others().contains(node)) {
      return;
    }
    ActorRef<Command> before = reachable.put(node, actor);
    if (!actor.equals(before)) {
      LOG.info("names of node {} are asked for", node);
      actor.tell(new Remote.Hello(nextId++, nodeId, getContext().getSelf()));
      claims.values().removeIf(held -> held.by().node().equals(node));
      names.met(node);
      rounds.values().forEach(this::tell);
    }
  }

  private void lose(String node) {
    LOG.info("node {} can't be reached: what only it knows is not known", node);
    reachable.remove(node);
    claims.values().removeIf(held -> held.by().node().equals(node));
    names.lost(node);
    for (Round round : List.copyOf(rounds.values())) {
      if (round.open.contains(node)) {
        giveUp(round, node);
        settle(round);
      }
    }
  }

  private void giveUp(Round round, String node) {
    round.open.remove(node);
    round.silent.add(node);
  }

  // ---- asking

  private void onAsk(Ask ask) {
    Round round = new Round(ask, nextId++, System.nanoTime());
    rounds.put(round.id, round);
    for (String node : Set.copyOf(round.open)) {
      if (!reachable.containsKey(node) && !mayCome(round)) {
        giveUp(round, node);
      }
    }
    tell(round);
    settle(round);
  }

  /** Whether nodes that were not found yet are waited for. */
  private boolean mayCome(Round round) {
    return round.ask.patienceNanos() > 0 && System.nanoTime() - begun < YOUNG_NANOS;
  }

  private void tell(Round round) {
    long now = System.nanoTime();
    for (String node : round.open) {
      ActorRef<Command> actor = reachable.get(node);
      Long last = round.told.get(node);
      if (actor != null && (last == null || now - last >= AGAIN_NANOS)) {
        round.told.put(node, now);
        actor.tell(round.ask.asking().question(round.id, nodeId, getContext().getSelf()));
      }
    }
  }

  private void onAnswer(Remote.Answer answer) {
    Round round = rounds.get(answer.id());
    if (round != null && round.open.remove(answer.node())) {
      round.answers.add(answer);
      settle(round);
    }
  }

  private void settle(Round round) {
    if (round.open.isEmpty()) {
      rounds.remove(round.id);
      round.ask.answer().complete(new Answers(round.answers, round.silent));
    }
  }

  private void onTick() {
    long now = System.nanoTime();
    if (now - saidHello >= HELLO_NANOS) {
      sayHello();
    }
    for (Round round : List.copyOf(rounds.values())) {
      long patience = round.ask.patienceNanos();
      for (String node : Set.copyOf(round.open)) {
        boolean late = patience > 0 && now - round.begun >= patience;
        if (late || (!reachable.containsKey(node) && !mayCome(round))) {
          giveUp(round, node);
        }
      }
      tell(round);
      settle(round);
    }
  }

  // ---- answering

  private void onQuestion(Remote.Question question) {
    meet(question.from(), question.replyTo());
    if (question instanceof Remote.Hello hello) {
      hello.replyTo().tell(new Remote.Here(hello.id(), nodeId, names.place(), names.forgotten()));
    } else if (question instanceof Remote.Claim claim) {
      Holder wanted = new Holder(claim.from(), claim.session());
      long now = System.nanoTime();
      claims.values().removeIf(held -> now - held.since() > CLAIM_NANOS);
      Held held = claims.computeIfAbsent(claim.name(), any -> new Held(wanted, now));
      claim.replyTo().tell(new Remote.Claimed(claim.id(), nodeId, held.by().equals(wanted)));
    } else if (question instanceof Remote.Unclaim done) {
      Held held = claims.get(done.name());
      if (held != null && held.by().equals(new Holder(done.from(), done.session()))) {
        claims.remove(done.name());
      }
      done.replyTo().tell(new Remote.Done(done.id(), nodeId));
    } else if (question instanceof Remote.Compare compare
        && !compare.replyTo().equals(reachable.get(compare.from()))) {
      LOG.debug("{} is not known yet: asked again", compare.from());
    } else {
      answer(question);
    }
  }

  private void answer(Remote.Question question) {
    var unused =
        names
            .answer(question)
            .exceptionally(
                failure ->
                    new Remote.Failed(
                        question.id(), nodeId, ErrorCode.INTERNAL, String.valueOf(failure)))
            .thenAccept(question.replyTo()::tell);
  }
}
