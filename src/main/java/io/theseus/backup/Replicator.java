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
import io.theseus.peer.PeerPort;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Drives the copies of all sessions of a node: knows the backups, chooses among them, says to each
 * what it has not answered yet, and again until it has.
 */
public final class Replicator extends AbstractOnMessageBehavior<Replicator.Command> {
  private static final Logger LOG = LoggerFactory.getLogger(Replicator.class);
  private static final Duration TICK = Duration.ofMillis(500);
  private static final long AGAIN_NANOS = Duration.ofSeconds(2).toNanos();

  /**
   * So long it waits for who isn't there: behind its own begin, when nobody may have answered yet,
   * and for a copy that is lost behind the decision to commit, as no other one can take its place.
   */
  private static final long PATIENCE_NANOS = Duration.ofSeconds(20).toNanos();

  /** What it can be told. */
  public interface Command {}

  record Begin(Replication replication, List<String> before) implements Command {}

  record Sync(Replication replication, long offset, CompletableFuture<Long> answer)
      implements Command {}

  record SealAll(Replication replication, Remote.Seal seal) implements Command {}

  record CommitAll(Replication replication) implements Command {}

  record ReleaseAll(Replication replication) implements Command {}

  private record Found(Set<ActorRef<BackupNode.Command>> backups) implements Command {}

  private enum Tick implements Command {
    NOW
  }

  private final Replicas replicas;
  private final BackupSettings settings;
  private final long begun = System.nanoTime();

  /** Those that can be reached. */
  private Set<ActorRef<BackupNode.Command>> reachable = Set.of();

  /** What they said last, by node. */
  private final Map<String, Remote.Offer> offers = new HashMap<>();

  /** Drives all there are, and all to come. */
  public static Behavior<Command> create(Replicas replicas) {
    return Behaviors.supervise(
            Behaviors.<Command>setup(
                context ->
                    Behaviors.withTimers(timers -> new Replicator(context, timers, replicas))))
        .onFailure(SupervisorStrategy.restart());
  }

  private Replicator(
      ActorContext<Command> context, TimerScheduler<Command> timers, Replicas replicas) {
    super(context);
    this.replicas = replicas;
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
    for (Replica copy : replication.copies) {
      copy.ready = false;
      copy.told = null;
    }
  }

  @Override
  public Behavior<Command> onMessage(Command command) {
    if (command instanceof Begin begin) {
      onBegin(begin);
    } else if (command instanceof Sync sync) {
      sync.replication().await(sync.offset(), sync.answer());
      goOn(sync.replication());
    } else if (command instanceof SealAll all) {
      all.replication().seal = all.seal();
      goOn(all.replication());
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
    } else if (command instanceof Tick) {
      onTick();
    }
    return this;
  }

  // ---- who there is

  private void onFound(Set<ActorRef<BackupNode.Command>> backups) {
    reachable = backups;
    offers.values().removeIf(offer -> !backups.contains(offer.backup()));
    know();
    backups.forEach(this::enquire);
    for (Replication each : List.copyOf(replicas.all())) {
      for (Replica copy : List.copyOf(each.copies)) {
        if (!offers.containsKey(copy.node)) {
          lose(each, copy, "can't be reached", /* mayReturn= */ true);
        }
      }
    }
  }

  private void enquire(ActorRef<BackupNode.Command> backup) {
    backup.tell(new Remote.Enquire(settings.nodeId(), getContext().getSelf()));
  }

  private void onOffer(Remote.Offer offer) {
    if (!reachable.contains(offer.backup()) || offer.node().equals(settings.nodeId())) {
      return;
    }
    Remote.Offer before = offers.put(offer.node(), offer);
    know();
    if (before == null || !before.backup().equals(offer.backup())) {
      LOG.info("node {} is a backup of this node", offer.node());
      offer.backup().tell(new Remote.Registered(settings.nodeId()));
      for (Replication each : List.copyOf(replicas.all())) {
        goOn(each);
        if (each.failed.remove(offer.node()) && each.find(offer.node()) == null) {
          // it may still have what it had of it before it was lost
          offer.backup().tell(new Remote.Release(each.session, each.epoch));
        }
      }
    }
  }

  private void know() {
    replicas.know(
        offers.values().stream()
            .map(
                offer ->
                    new Backup(
                        offer.node(), offer.freeBytes(), offer.sessions(), offer.behindBytes()))
            .sorted(Comparator.comparing(Backup::node))
            .toList());
  }

  // ---- what is to be done

  private void onBegin(Begin begin) {
    begin.replication().before.addAll(begin.before());
    goOn(begin.replication());
  }

  private void onTick() {
    reachable.forEach(this::enquire);
    long now = System.nanoTime();
    for (Replication each : List.copyOf(replicas.all())) {
      for (Replica copy : each.copies) {
        if (isOwed(each, copy) && now - copy.toldNanos > AGAIN_NANOS) {
          copy.ready = false; // perhaps it has forgotten what the session is
          copy.told = null;
        }
      }
      each.copies.removeIf(copy -> copy.lostNanos != 0 && now - copy.lostNanos > PATIENCE_NANOS);
      goOn(each);
    }
  }

  /** Chooses where copies are missing, says what is not answered, tells who waits. */
  private void goOn(Replication replication) {
    if (replication.released) {
      return;
    }
    choose(replication);
    for (Replica copy : replication.copies) {
      if (isOwed(replication, copy)) {
        tell(replication, copy);
      }
    }
    boolean holds = settings.hold() || isNew();
    if (replication.settle(settings.factor(), holds)) {
      replicas.remove(replication);
    }
  }

  /** A commit that has begun is not begun anywhere else: there it would have no end. */
  private void choose(Replication replication) {
    Set<String> before = replication.before;
    for (String node : Set.copyOf(before)) {
      if (offers.containsKey(node) && replication.copies.size() < settings.factor()) {
        before.remove(node);
        replication.copies.add(new Replica(node));
      }
    }
    if (!before.isEmpty() && isNew()) {
      return; // those that have something of it may still come
    }
    while (replication.copies.size() < settings.factor() && !replication.committing) {
      Optional<Remote.Offer> best =
          offers.values().stream()
              .filter(offer -> replication.find(offer.node()) == null)
              .filter(offer -> !replication.failed.contains(offer.node()))
              .filter(offer -> offer.freeBytes() > replication.size.orElse(0))
              .min(
                  Comparator.comparingLong(this::load)
                      .thenComparing(offer -> -offer.freeBytes())
                      .thenComparing(Remote.Offer::node));
      if (best.isEmpty()) {
        return;
      }
      replication.copies.add(new Replica(best.get().node()));
    }
  }

  /** Whether backups may be there that have not answered yet. */
  private boolean isNew() {
    return System.nanoTime() - begun < PATIENCE_NANOS;
  }

  /** Sessions that a backup copies, with those that were given to it since it said so. */
  private long load(Remote.Offer offer) {
    long ours = replicas.all().stream().filter(each -> each.find(offer.node()) != null).count();
    return Math.max(offer.sessions(), ours);
  }

  private static boolean isOwed(Replication replication, Replica copy) {
    return !copy.ready
        || (replication.committing && !copy.committed)
        || (replication.seal != null && !copy.sealed)
        || copy.acked < replication.marked;
  }

  private void tell(Replication replication, Replica copy) {
    Remote.Offer offer = offers.get(copy.node);
    Remote.OfSession what = next(replication, copy);
    long now = System.nanoTime();
    if (offer != null && what != null && !what.equals(copy.told)) {
      copy.told = what;
      copy.toldNanos = now;
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
    if (answer instanceof Remote.Ready ready) {
      copy.ready = true;
      copy.lostNanos = 0;
      copy.acked = ready.durable();
      copy.sealed = false; // it may have begun anew: asked again
      copy.told = null;
    } else if (answer instanceof Remote.Ack ack) {
      copy.acked = Math.max(copy.acked, ack.durable());
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
    if (mayReturn && replication.committing && !copy.committed) {
      copy.lostNanos = System.nanoTime();
      copy.ready = false;
      copy.told = null;
      return;
    }
    replication.copies.remove(copy);
    replication.failed.add(copy.node);
    goOn(replication);
  }

  private void onRelease(Replication replication) {
    replication.released = true;
    for (Replica copy : replication.copies) {
      Remote.Offer offer = offers.get(copy.node);
      if (offer != null && !copy.committed) {
        offer.backup().tell(new Remote.Release(replication.session, replication.epoch));
      }
    }
    replicas.remove(replication);
  }
}
