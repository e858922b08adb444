package io.theseus.control;

import akka.actor.typed.ActorRef;
import io.theseus.session.Follower;
import io.theseus.session.SessionActor;
import io.theseus.session.SessionEnvironment;
import io.theseus.session.Transfer;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The sessions of a lane follow a switch of code, those that move before the others, and never so
 * many at a time that packets wait for it. On the lane's thread alone.
 */
final class Sweep implements Follower.Lane {
  private static final Logger LOG = LoggerFactory.getLogger(Sweep.class);

  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  /** Sessions that are looked at for it: under a canary most have nothing to follow. */
  private static final int LOOKING = 512;

  /** Those of them that need their actor, which takes a hundred times as long. */
  private static final int BY_ACTOR = 4;

  private static final Duration BETWEEN = Duration.ofMillis(1);

  private final ActorRef<LaneActor.Command> self;
  private final SessionEnvironment environment;
  private final Lane lane;
  private final Map<UUID, LaneActor.Live> live;
  private final Follower follower;
  private final ArrayDeque<Transfer> left = new ArrayDeque<>();

  /** Sessions that move, and have heard of a switch before this lane. */
  private final ArrayDeque<Transfer> ahead = new ArrayDeque<>();

  /** What those have to do here whose code has begun. */
  private final Queue<Runnable> arrivals = new ConcurrentLinkedQueue<>();

  /** Whether the next ones will begin soon, and take arrivals along. */
  private volatile boolean goesOn;

  // the last switch: when, the sessions that there were, and those left to their actors
  private long since;
  private int sessions;
  private int byActors;

  private final Pace pace = new Pace();

  /**
   * None yet.
   *
   * @param self the lane's actor
   * @param live the lane's sessions that have an actor, as they come and go
   */
  Sweep(
      ActorRef<LaneActor.Command> self,
      SessionEnvironment environment,
      Transfers transfers,
      Lane lane,
      Map<UUID, LaneActor.Live> live) {
    this.self = self;
    this.environment = environment;
    this.lane = lane;
    this.live = live;
    this.follower = new Follower(environment, transfers.lanes().indexOf(lane), this);
  }

  /** Code was switched. */
  void begin() {
    boolean idle = left.isEmpty();
    since = System.nanoTime();
    sessions = live.size();
    byActors = 0;
    left.clear();
    left.addAll(ahead);
    ahead.clear();
    live.values().forEach(each -> left.add(each.transfer()));
    if (idle) {
      pace.begin(since);
      goOn();
    }
  }

  /** A session moves and has seen a switch, maybe before this lane. */
  void due(UUID session) {
    LaneActor.Live there = live.get(session);
    if (there != null && !there.transfer().hasFollowed(environment.switchboard().generation())) {
      (left.isEmpty() ? ahead : left).addFirst(there.transfer());
    }
  }

  /** The next sessions follow. */
  void goOn() {
    goesOn = false;
    long before = cpuNanos();
    takeArrivals();
    int byActor = 0;
    int most = pace.next(System.nanoTime());
    for (int i = 0;
        i < LOOKING && follower.waiting() < most && byActor < BY_ACTOR && !left.isEmpty();
        i++) {
      Transfer transfer = left.remove();
      if (!follower.look(transfer)) {
        tell(transfer, new SessionActor.FollowSwitch());
        byActor++;
      }
    }
    byActors += byActor;
    int waiting = follower.waiting();
    follower.go();
    pace.took(cpuNanos() - before, waiting);
    tellFollowed();
    if (!left.isEmpty()) {
      goesOn = true;
      lane.later().run(() -> self.tell(LaneActor.FollowOn.NEXT), BETWEEN);
    }
  }

  /** Code of sessions has begun, and no further ones will begin, with which they would arrive. */
  void arrive() {
    takeArrivals();
    tellFollowed();
  }

  private void takeArrivals() {
    Runnable arrival;
    while ((arrival = arrivals.poll()) != null) {
      arrival.run();
    }
  }

  /** Without what other threads let this one wait for. */
  private static long cpuNanos() {
    return THREADS.getCurrentThreadCpuTime();
  }

  private void tellFollowed() {
    if (sessions > 0 && left.isEmpty() && follower.isIdle()) {
      LOG.info(
          "{} sessions followed the switch within {} ms, {} of them by their actors",
          sessions - byActors,
          (System.nanoTime() - since) / 1_000_000,
          byActors);
      sessions = 0;
    }
  }

  // ---- the lane, for those that follow

  @Override
  public void run(Runnable task) {
    arrivals.add(task);
    if (!goesOn) { // the thread would wake up once more for them
      self.tell(LaneActor.FollowOn.ARRIVED);
    }
  }

  @Override
  public void tell(Transfer transfer, SessionActor.Command what) {
    LaneActor.Live there = live.get(transfer.id());
    if (there != null) {
      there.actor().tell(what);
    }
  }

  @Override
  public void again(Transfer transfer) {
    left.add(transfer);
    if (left.size() == 1) {
      pace.begin(System.nanoTime());
      self.tell(LaneActor.FollowOn.NEXT);
    }
  }
}
