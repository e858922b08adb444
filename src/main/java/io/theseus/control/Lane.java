package io.theseus.control;

import akka.actor.typed.ActorRef;
import io.theseus.session.SessionActor;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The way from the connections of one event loop to the actors that live on the same thread, so
 * that neither waits for the other's thread to wake up. Outlives the actors.
 */
public final class Lane {
  /** Runs a task in a little while, to the millisecond: Akka's own timer has ten times that. */
  @FunctionalInterface
  public interface Later {
    /** Not before the delay is over, on any thread. */
    void run(Runnable task, Duration delay);
  }

  private final String dispatcher;
  private final Executor disk;
  private final Later later;
  private final Queue<SessionActor.Attach> arrivals = new ConcurrentLinkedQueue<>();
  private volatile @Nullable ActorRef<LaneActor.Command> actor;
  private volatile boolean open;
  private volatile int live;

  /**
   * A lane.
   *
   * @param dispatcher name of the dispatcher, in every actor system, that its sessions run on
   * @param disk runs what its sessions want of the disk
   * @param later best on the lane's own thread
   */
  public Lane(String dispatcher, Executor disk, Later later) {
    this.dispatcher = dispatcher;
    this.disk = disk;
    this.later = later;
  }

  Later later() {
    return later;
  }

  String dispatcher() {
    return dispatcher;
  }

  Executor disk() {
    return disk;
  }

  /** An actor is about to be put behind the lane: commands wait for it. */
  void expect() {
    open = true;
  }

  /** Puts an actor at the end of the lane, which then takes what waits. */
  void behind(ActorRef<LaneActor.Command> next) {
    open = true;
    actor = next;
    for (int i = arrivals.size(); i > 0; i--) {
      next.tell(new LaneActor.OpenSession());
    }
  }

  /** Takes the actor away: commands are refused. */
  void orphan() {
    open = false;
    actor = null;
  }

  /**
   * Leaves a command for the lane's actor.
   *
   * @return false where there is none, and none is expected
   */
  boolean arrive(SessionActor.Attach attach) {
    // first there, then told: an actor that is put behind this meanwhile finds it
    arrivals.add(attach);
    ActorRef<LaneActor.Command> there = actor;
    if (there != null) {
      there.tell(new LaneActor.OpenSession());
      return true;
    }
    return open || !arrivals.remove(attach);
  }

  /** The oldest command that no actor has seen; null if there is none. */
  SessionActor.@Nullable Attach nextArrival() {
    return arrivals.poll();
  }

  /**
   * Tells the lane's actor.
   *
   * @return false where there is none
   */
  boolean tell(LaneActor.Command command) {
    ActorRef<LaneActor.Command> there = actor;
    if (there != null) {
      there.tell(command);
    }
    return there != null;
  }

  /** Sessions with an actor. */
  int live() {
    return live;
  }

  void live(int sessions) {
    live = sessions;
  }
}
