package io.theseus.backup;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.SupervisorStrategy;
import akka.actor.typed.javadsl.AbstractOnMessageBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.TimerScheduler;
import akka.actor.typed.receptionist.Receptionist;
import io.theseus.backup.Replication.Replica;
import io.theseus.backup.Replication.Round;
import io.theseus.channel.BackupPolicy;
import io.theseus.channel.BackupPolicy.Candidate;
import io.theseus.peer.PeerPort;
import io.theseus.wire.Texts;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Drives the copies of all sessions of a node: knows the backups, has somebody choose among them,
 * says to each what it has not answered yet, and again until it has.
 *
 * <p>Where another node is to have a copy than the one that has it, both are made for a while: the
 * old one counts until the new one has all that was acknowledged, then the new one does, and the
 * old one is let go of. So an upload moves while it goes on, and nothing is ever on fewer nodes.
 * One whose end has begun stays where it is.
 */
public final class Replicator extends AbstractOnMessageBehavior<Replicator.Command> {
  /** The name of the actor below the guardian. */
  public static final String NAME = "replicator";

  private static final Logger LOG = LoggerFactory.getLogger(Replicator.class);
  private static final Duration TICK = Duration.ofMillis(500);
  private static final long AGAIN_NANOS = Duration.ofSeconds(2).toNanos();

  /** For so long behind its begin backups may be there that have not answered yet. */
  private static final long YOUNG_NANOS = Duration.ofSeconds(5).toNanos();

  /**
   * So long it waits for who has a copy and isn't there: one of before its begin, and one that is
   * lost behind the decision to commit, as no other one can take its place.
   */
  private static final long PATIENCE_NANOS = Duration.ofSeconds(20).toNanos();

  /** A copy that is behind and has not got on for so long is lost: another one is begun. */
  private static final long STUCK_NANOS = Duration.ofSeconds(15).toNanos();

  /** Where a copy was lost none is begun for so long. */
  private static final long AVOIDED_NANOS = Duration.ofSeconds(10).toNanos();

  /** What it can be told. */
  public interface Command {}

  /**
   * Makes copies.
   *
   * @param before nodes that have some already
   * @param last what was driven of the same session up to now
   */
  record Begin(Replication replication, List<String> before, Optional<Replication> last)
      implements Command {}

  record Sync(Replication replication, long offset, CompletableFuture<Long> answer)
      implements Command {}

  record SealAll(Replication replication, Remote.Seal seal) implements Command {}

  record CommitAll(Replication replication) implements Command {}

  record ReleaseAll(Replication replication) implements Command {}

  private record Found(Set<ActorRef<BackupNode.Command>> backups) implements Command {}

  enum Follow implements Command {
    SWITCH
  }

  /** What the policy said; empty where it could not be asked. */
  private record Chosen(Replication replication, Round round, Optional<String> node)
      implements Command {}

  private enum Tick implements Command {
    NOW
  }

  private final Replicas replicas;
  private final BackupSettings settings;
  private final LongSupplier nanoTime;
  private final long begun;

  /** Those that can be reached. */
  private Set<ActorRef<BackupNode.Command>> reachable = Set.of();

  /** What they said last, by node. */
  private final Map<String, Remote.Offer> offers = new HashMap<>();

  /** What the backup of this node itself said last, which copies for others. */
  private Remote.@Nullable Offer own;

  /** Copies that were begun on each since. */
  private final Map<String, Integer> begunSince = new HashMap<>();

  /** Drives all there are, and all to come. */
  public static Behavior<Command> create(Replicas replicas) {
    return create(replicas, System::nanoTime);
  }

  static Behavior<Command> create(Replicas replicas, LongSupplier nanoTime) {
    return Behaviors.supervise(
            Behaviors.<Command>setup(
                context ->
                    Behaviors.withTimers(
                        timers -> new Replicator(context, timers, replicas, nanoTime))))
        .onFailure(SupervisorStrategy.restart());
  }

  private Replicator(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      Replicas replicas,
      LongSupplier nanoTime) {
    super(context);
    this.replicas = replicas;
    this.nanoTime = nanoTime;
    this.begun = nanoTime.getAsLong();
    this.settings = replicas.settings();
    ActorRef<Receptionist.Listing> listings =
        context.messageAdapter(
            Receptionist.Listing.class,
            listing -> new Found(Set.copyOf(listing.getServiceInstances(BackupNode.KEY))));
    context.getSystem().receptionist().tell(Receptionist.subscribe(BackupNode.KEY, listings));
    timers.startTimerWithFixedDelay(Tick.NOW, TICK);
    replicas.all().forEach(this::forgetAnswers);
    replicas.drivenBy(context.getSelf());
  }

  /** Who was told by an earlier life answers to that one. */
  private void forgetAnswers(Replication replication) {
    replication.copies.forEach(copy -> copy.beginAnew(begun));
    replication.round = null;
  }

  @Override
  public Behavior<Command> onMessage(Command command) {
    if (command instanceof Begin begin) {
      onBegin(begin);
    } else if (command instanceof Sync sync) {
      sync.replication().await(sync.offset(), sync.answer());
      goOn(sync.replication());
    } else if (command instanceof SealAll all) {
      onSeal(all.replication(), all.seal());
    } else if (command instanceof CommitAll all) {
      all.replication().committing = true;
      goOn(all.replication());
    } else if (command instanceof ReleaseAll all) {
      onRelease(all.replication());
    } else if (command instanceof Remote.Answer answer) {
      replicas
          .find(answer.session())
          .filter(each -> each.epoch.equals(answer.epoch()))
          .ifPresent(each -> onAnswer(each, answer));
    } else if (command instanceof Found found) {
      onFound(found.backups());
    } else if (command instanceof Remote.Offer offer) {
      onOffer(offer);
    } else if (command instanceof Chosen chosen) {
      onChosen(chosen);
    } else if (command instanceof Follow) {
      List.copyOf(replicas.all()).forEach(this::goOn);
    } else if (command instanceof Remote.SetRegistration set) {
      onSetRegistration(set);
    } else if (command instanceof Remote.Ask ask) {
      onAsk(ask);
    } else if (command instanceof Tick) {
      onTick();
    }
    return this;
  }

  // ---- who there is

  private void onFound(Set<ActorRef<BackupNode.Command>> backups) {
    reachable = backups;
    offers.values().removeIf(offer -> !backups.contains(offer.backup()));
    if (own != null && !backups.contains(own.backup())) {
      own = null;
    }
    know();
    backups.forEach(this::enquire);
    List.copyOf(replicas.all()).forEach(this::loseUnreachable);
  }

  private void loseUnreachable(Replication replication) {
    if (age() < PATIENCE_NANOS) {
      return; // they may not have answered this life yet
    }
    for (Replica copy : List.copyOf(replication.copies)) {
      if (!offers.containsKey(copy.node)) {
        lose(replication, copy, "can't be reached", /* mayReturn= */ true);
      }
    }
  }

  private void enquire(ActorRef<BackupNode.Command> backup) {
    backup.tell(new Remote.Enquire(settings.nodeId(), getContext().getSelf()));
  }

  private void onOffer(Remote.Offer offer) {
    if (!reachable.contains(offer.backup())) {
      return;
    }
    if (offer.node().equals(settings.nodeId())) {
      own = offer;
      know();
      return;
    }
    boolean wasRegistered = replicas.registration().has(offer.node());
    boolean registered = replicas.registration().register(offer.node());
    Remote.Offer before = offers.put(offer.node(), offer);
    begunSince.remove(offer.node());
    know();
    boolean isNewHere = before == null || !before.backup().equals(offer.backup());
    if (registered && (isNewHere || !wasRegistered)) {
      LOG.info("node {} is a backup of this node", offer.node());
      offer.backup().tell(new Remote.Registered(settings.nodeId()));
    }
    if (isNewHere) {
      for (Replication each : List.copyOf(replicas.all())) {
        Replica copy = each.find(offer.node());
        if (copy != null) {
          copy.beginAnew(nanoTime.getAsLong()); // not the life of it that we talked to
        }
        each.failed.remove(offer.node()); // where a copy is missing it goes on behind what it has
        goOn(each);
      }
    }
  }

  private void know() {
    replicas.know(
        Stream.concat(offers.values().stream(), Stream.ofNullable(own))
            .map(
                offer ->
                    new Backup(
                        offer.node(),
                        offer.rack(),
                        offer.freeBytes(),
                        offer.sessions(),
                        offer.behindBytes(),
                        offer.draining(),
                        offer.filesLeft(),
                        offer.node().equals(settings.nodeId())
                            || replicas.registration().has(offer.node())))
            .sorted(Comparator.comparing(Backup::node))
            .toList());
  }

  private void onSetRegistration(Remote.SetRegistration set) {
    replicas.registration().say(set.open());
    LOG.info(
        "backups may {} register, by {}", set.open() ? "now" : "no more", Texts.escape(set.who()));
    know();
    set.replyTo().tell(new Remote.RegistrationSet(set.open()));
  }

  // ---- what is to be done

  private void onBegin(Begin begin) {
    Replication replication = begin.replication();
    replication.before.addAll(begin.before());
    if (begin.last().isPresent()) {
      Replication last = begin.last().get();
      last.giveUp();
      Stream.concat(last.copies.stream().map(copy -> copy.node), last.stale.stream())
          .filter(node -> !replication.before.contains(node))
          .forEach(replication::addStale); // of the new epoch they have not heard
    }
    goOn(replication);
  }

  /** From here on all that count are decided on, and no other one begins. */
  private void onSeal(Replication replication, Remote.Seal seal) {
    replication.seal = seal;
    for (Replica copy : List.copyOf(replication.copies)) {
      if (copy.instead != null) {
        drop(replication, copy);
      }
    }
    goOn(replication);
  }

  private void onTick() {
    reachable.forEach(this::enquire);
    long now = nanoTime.getAsLong();
    for (Replication each : List.copyOf(replicas.all())) {
      loseUnreachable(each);
      for (Replica copy : List.copyOf(each.copies)) {
        if (isOwed(each, copy) && now - copy.toldNanos > AGAIN_NANOS) {
          copy.begin(); // perhaps it has forgotten what the session is
        }
        if (!isBehind(each, copy)) {
          copy.movedNanos = now;
        } else if (now - copy.movedNanos > STUCK_NANOS) {
          lose(each, copy, "does not get on", /* mayReturn= */ !each.isSealed());
        }
      }
      if (!holds(each)) {
        each.copies.removeIf(copy -> copy.lostNanos != 0 && now - copy.lostNanos > PATIENCE_NANOS);
      }
      goOn(each);
    }
  }

  /** Sees to where copies are, says what is not answered, tells who waits. */
  private void goOn(Replication replication) {
    if (replication.released) {
      return;
    }
    choose(replication);
    replication.copies.forEach(copy -> seeWhetherItIsRight(replication, copy));
    replication.copies.stream()
        .filter(copy -> copy.instead != null && copy.verified && replication.hasAll(copy))
        .toList()
        .forEach(copy -> takeItsPlace(replication, copy));
    releaseStale(replication);
    for (Replica copy : replication.copies) {
      if (isOwed(replication, copy)) {
        tell(replication, copy);
      }
    }
    boolean holds = holds(replication) || age() < YOUNG_NANOS || awaitsBefore(replication);
    if (replication.settle(holds)) {
      replicas.ended(replication);
    }
  }

  /** Whether somebody waits until there are enough copies. */
  private boolean holds(Replication replication) {
    return settings.hold() && !replication.named;
  }

  /** Behind the decision to commit none is begun any more: it was decided with those there were. */
  private void choose(Replication replication) {
    Set<String> before = replication.before;
    for (String node : Set.copyOf(before)) {
      if (offers.containsKey(node) && replication.copies.size() < replication.factor) {
        replication.add(node, nanoTime.getAsLong());
      }
    }
    if (awaitsBefore(replication)) {
      return; // those that have something of it may still come
    }
    if (replication.round != null || replication.committing || replication.isSealed()) {
      return;
    }
    String policy = replicas.targets().policy(replication.session);
    boolean mayMove = replication.seal == null;
    if (mayMove && !policy.equals(replication.chosenBy)) {
      ask(replication, new Round(policy, List.of()));
      return;
    }
    List<String> stays =
        replication.wanted().stream().filter(node -> !mayMove || !isDraining(node)).toList();
    if (stays.size() < replication.factor) {
      ask(replication, new Round(policy, stays));
    }
  }

  /** Has nodes chosen until there are enough, or no more. */
  private void ask(Replication replication, Round round) {
    List<Candidate> candidates = candidates(replication, round);
    while (!candidates.isEmpty()) {
      CompletableFuture<String> choice =
          replicas.targets().choose(upload(replication, round), candidates).toCompletableFuture();
      if (!choice.isDone()) {
        replication.round = round;
        getContext()
            .pipeToSelf(
                choice,
                (node, failure) -> new Chosen(replication, round, Optional.ofNullable(node)));
        return;
      }
      round.wanted.add(choice.join());
      candidates = candidates(replication, round);
    }
    place(replication, round);
  }

  private void onChosen(Chosen chosen) {
    Replication replication = chosen.replication();
    Round round = chosen.round();
    if (replication.round != round) {
      return; // asked by an earlier life
    }
    replication.round = null;
    if (replication.released || replication.committing || chosen.node().isEmpty()) {
      return;
    }
    String node = chosen.node().get();
    if (candidates(replication, round).stream().anyMatch(each -> each.node().equals(node))) {
      round.wanted.add(node);
    } // otherwise it is gone meanwhile
    ask(replication, round);
    goOn(replication);
  }

  private BackupPolicy.Upload upload(Replication replication, Round round) {
    return new BackupPolicy.Upload(
        replication.session,
        replication.name.value(),
        replication.size,
        settings.nodeId(),
        settings.rack(),
        round.wanted.stream()
            .flatMap(node -> Stream.ofNullable(offers.get(node)))
            .map(offer -> candidate(replication, offer))
            .toList());
  }

  /** Who can have the next copy; none where there are enough. */
  private List<Candidate> candidates(Replication replication, Round round) {
    if (round.wanted.size() >= replication.factor) {
      return List.of();
    }
    return offers.values().stream()
        .filter(offer -> !round.wanted.contains(offer.node()))
        .filter(offer -> !isAvoided(replication, offer.node()))
        .filter(offer -> !offer.draining() && replication.mayBeOn(offer.node()))
        .filter(offer -> replicas.registration().has(offer.node()))
        .map(offer -> candidate(replication, offer))
        .filter(each -> each.keeps() || each.freeBytes() > replication.size.orElse(0))
        .sorted(Comparator.comparing(Candidate::node))
        .toList();
  }

  private Candidate candidate(Replication replication, Remote.Offer offer) {
    return new Candidate(
        offer.node(),
        offer.rack(),
        offer.freeBytes(),
        offer.sessions() + begunSince.getOrDefault(offer.node(), 0),
        offer.behindBytes(),
        replication.find(offer.node()) != null || replication.stale.contains(offer.node()));
  }

  private boolean isAvoided(Replication replication, String node) {
    Long until = replication.failed.get(node);
    return until != null && until - nanoTime.getAsLong() > 0;
  }

  /** What other nodes have of it may go once those that count have all, and that is right. */
  private void releaseStale(Replication replication) {
    if (!hasOld(replication) || !replication.needsNoOther()) {
      return;
    }
    for (Set<String> nodes : List.of(replication.before, replication.stale)) {
      for (String node : Set.copyOf(nodes)) {
        Remote.Offer offer = offers.get(node);
        if (offer != null) {
          nodes.remove(node);
          offer.backup().tell(new Remote.Release(replication.session, replication.epoch));
        }
      }
    }
  }

  /** Begins copies where they were chosen: in a place that is free, or in that of another one. */
  private void place(Replication replication, Round round) {
    List<String> wanted = round.wanted;
    replication.chosenBy = round.policy;
    boolean mayMove = replication.seal == null;
    for (Replica copy : List.copyOf(replication.copies)) {
      if (copy.instead != null && !wanted.contains(copy.node)) {
        drop(replication, copy);
      }
    }
    List<Replica> counting = replication.counting();
    int free = replication.factor - counting.size();
    Deque<Replica> leaving =
        counting.stream()
            .filter(copy -> !wanted.contains(copy.node))
            .collect(Collectors.toCollection(ArrayDeque::new));
    for (String node : wanted) {
      Replica known = replication.find(node);
      if (known != null && known.instead == null) {
        continue; // it has its place
      }
      boolean moves = free <= 0;
      if (moves && (leaving.isEmpty() || !mayMove)) {
        continue;
      }
      Replica copy = known == null ? replication.add(node, nanoTime.getAsLong()) : known;
      copy.instead = moves ? leaving.remove() : null;
      free -= moves ? 0 : 1;
      if (known == null) {
        begunSince.merge(node, 1, Integer::sum);
      }
    }
  }

  /** Whether a node that can be told has something of it that counts no more. */
  private boolean hasOld(Replication replication) {
    return Stream.of(replication.before, replication.stale)
        .flatMap(Set::stream)
        .anyMatch(offers::containsKey);
  }

  /**
   * The old copy may be the only one that is right: it goes when the blocks of this one are, too.
   */
  private void seeWhetherItIsRight(Replication replication, Replica copy) {
    boolean succeeds = copy.instead != null || hasOld(replication);
    if (succeeds && copy.toVerify < 0 && replication.hasAll(copy)) {
      copy.toVerify = replication.acknowledged;
    }
  }

  private static boolean isToBeVerified(Replica copy) {
    return copy.toVerify >= 0 && !copy.isCompared();
  }

  private void takeItsPlace(Replication replication, Replica copy) {
    Replica last = copy.instead;
    copy.instead = null;
    if (last != null) {
      LOG.info(
          "session {}: its copy is on node {} now, instead of {}",
          replication.session,
          copy.node,
          last.node);
      drop(replication, last);
    }
  }

  private void drop(Replication replication, Replica copy) {
    replication.copies.remove(copy);
    release(replication, copy);
  }

  private void release(Replication replication, Replica copy) {
    Remote.Offer offer = offers.get(copy.node);
    if (offer == null) {
      replication.addStale(copy.node);
    } else if (!copy.committed) {
      offer.backup().tell(new Remote.Release(replication.session, replication.epoch));
    }
  }

  private boolean isDraining(String node) {
    Remote.Offer offer = offers.get(node);
    return offer != null && offer.draining();
  }

  /** Whether nodes that have something of it may still come. */
  private boolean awaitsBefore(Replication replication) {
    return !replication.before.isEmpty() && age() < PATIENCE_NANOS;
  }

  private long age() {
    return nanoTime.getAsLong() - begun;
  }

  private static boolean isOwed(Replication replication, Replica copy) {
    return !copy.ready
        || (replication.committing && !copy.committed)
        || (replication.seal != null && !copy.sealed)
        || isToBeVerified(copy)
        || copy.acked < replication.marked;
  }

  /** Whether it lacks something that this node has: where that is not so, nothing can get on. */
  private static boolean isBehind(Replication replication, Replica copy) {
    return isOwed(replication, copy)
        && (!copy.ready
            || replication.seal != null
            || copy.acked < Math.min(replication.marked, replication.original().durable()));
  }

  private void tell(Replication replication, Replica copy) {
    Remote.Offer offer = offers.get(copy.node);
    Remote.OfSession what = next(replication, copy);
    long now = nanoTime.getAsLong();
    if (offer != null && what != null && !what.equals(copy.told)) {
      copy.told = what;
      copy.toldNanos = now;
      copy.toldToVerify |= what instanceof Remote.Verify;
      offer.backup().tell(what);
    }
  }

  /** What it has not answered. */
  private Remote.@Nullable OfSession next(Replication replication, Replica copy) {
    if (!copy.ready) {
      PeerPort.Address own = replicas.port().address();
      return new Remote.BackupInfo(
          replication.session,
          replication.epoch,
          replication.name.value(),
          replication.size,
          replication.modified,
          replication.durable,
          !replication.named,
          settings.nodeId(),
          own.host(),
          own.port(),
          getContext().getSelf());
    }
    Remote.Seal seal = replication.seal;
    if (seal != null && !copy.sealed) {
      return seal;
    }
    if (replication.committing && !copy.committed) {
      return new Remote.Commit(replication.session, replication.epoch, replication.name.value());
    }
    if (isToBeVerified(copy) && !copy.toldToVerify) {
      return new Remote.Verify(replication.session, replication.epoch, copy.toVerify);
    }
    return seal == null && copy.acked < replication.marked
        ? new Remote.BackupData(
            replication.session, replication.epoch, copy.acked, replication.marked - copy.acked)
        : null;
  }

  // ---- what they answer

  private void onAnswer(Replication replication, Remote.Answer answer) {
    Replica copy = replication.find(answer.node());
    if (copy == null) {
      return;
    }
    if (!(answer instanceof Remote.Ready)) {
      copy.movedNanos = nanoTime.getAsLong();
    }
    if (answer instanceof Remote.Ready ready) {
      copy.ready = true;
      copy.lostNanos = 0;
      copy.acked = ready.durable();
      copy.is(ready.progress(), nanoTime.getAsLong());
      copy.sealed = false; // it may have begun anew: asked again
      copy.told = null;
    } else if (answer instanceof Remote.Ack ack) {
      copy.acked = Math.max(copy.acked, ack.durable());
    } else if (answer instanceof Remote.Verified verified) {
      copy.verified |= copy.toVerify >= 0 && verified.offset() >= copy.toVerify;
    } else if (answer instanceof Remote.Sealed) {
      copy.sealed = true;
      copy.acked = Long.MAX_VALUE;
    } else if (answer instanceof Remote.Committed) {
      copy.ready = true;
      copy.sealed = true;
      copy.committed = true;
      copy.acked = Long.MAX_VALUE;
    } else if (answer instanceof Remote.Refused refused) {
      lose(
          replication,
          copy,
          refused.code().label() + ": " + refused.reason(),
          /* mayReturn= */ false);
      return;
    }
    goOn(replication);
  }

  /** A copy is none any more: another one is begun, where there is somebody. */
  private void lose(Replication replication, Replica copy, String why, boolean mayReturn) {
    if (copy.lostNanos != 0) {
      return;
    }
    LOG.warn("session {}: copy on node {} lost: {}", replication.session, copy.node, why);
    if (mayReturn && replication.isSealed() && !copy.committed) {
      copy.lostNanos = nanoTime.getAsLong();
      copy.begin();
      return;
    }
    replication.copies.remove(copy);
    if (mayReturn) {
      replication.addStale(copy.node);
    }
    replication.failed.put(copy.node, nanoTime.getAsLong() + AVOIDED_NANOS);
    if (copy.instead != null) {
      replication.chosenBy = null; // another one is to take the place
    }
    for (Replica other : replication.copies) {
      if (other.instead == copy) {
        other.instead = null; // waited for from now on
      }
    }
    goOn(replication);
  }

  private void onRelease(Replication replication) {
    replication.giveUp();
    replication.copies.forEach(copy -> release(replication, copy));
    replicas.remove(replication);
  }

  // ---- what copies ask that nobody has said anything of

  private void onAsk(Remote.Ask ask) {
    Optional<Replication> received = replicas.find(ask.session());
    CompletionStage<Remote.Fate> fate =
        received.isPresent()
            ? CompletableFuture.completedStage(keep(received.get(), ask.node()))
            : replicas.sessions().fate(ask.session(), ask.name());
    fate.thenAccept(
        known -> ask.replyTo().tell(new Remote.Told(ask.session(), settings.nodeId(), known)));
  }

  /** Where it is no copy that is made, it is released once it is not needed. */
  private Remote.Fate keep(Replication replication, String node) {
    if (replication.find(node) == null) {
      replication.addStale(node);
      goOn(replication);
    }
    return Remote.Fate.WANTED;
  }
}
