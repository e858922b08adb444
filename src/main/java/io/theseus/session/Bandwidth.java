package io.theseus.session;

import io.theseus.channel.FairnessPolicy.Demand;
import io.theseus.channel.SessionInfo;
import io.theseus.module.Revision;
import io.theseus.module.SessionCode;
import io.theseus.module.Switchboard;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The bandwidth of a node, divided among its workers: what each may grant, interval by interval.
 *
 * <p>The fairness policy of the revision in force says how, on a thread of its own. Without one it
 * is first come, first served: who has waited longest gets all that it wants, or all that there is,
 * and waits behind the others for more. So it is too for an interval in which the policy fails, or
 * has not answered by its end; one that failed is not asked again.
 *
 * <p>What nobody wants in an interval is gone. What a worker was given counts when it is given,
 * also where its client takes it later.
 */
public final class Bandwidth {
  private static final Logger LOG = LoggerFactory.getLogger(Bandwidth.class);
  private static final double NANOS_PER_SECOND = 1e9;

  /** How often the bandwidth is divided, while somebody waits for some. */
  static final Duration INTERVAL = Duration.ofMillis(100);

  /** Runs the next interval after a time. */
  @FunctionalInterface
  public interface Timer {
    void after(Duration time, Runnable task);
  }

  /** What one worker has of it. */
  final class Portion {
    private final long order;
    private final SessionInfo session;
    private volatile Runnable given = () -> {};

    // guarded by the bandwidth
    private long left;
    private long wanted;

    private Portion(long order, SessionInfo session) {
      this.order = order;
      this.session = session;
    }

    /** Whom to tell that there is more. */
    void onGiven(Runnable listener) {
      given = listener;
    }

    /**
     * Takes bytes that may be granted; where there are fewer, the listener hears of more.
     *
     * @param most bytes that can be granted now, at least 1
     * @return 0 to that
     */
    long take(long most) {
      return Bandwidth.this.take(this, most);
    }

    /** Gives back what was taken and not granted. */
    void giveBack(long bytes) {
      synchronized (Bandwidth.this) {
        left += bytes;
      }
    }

    /** Wants no more. */
    void close() {
      synchronized (Bandwidth.this) {
        waiting.remove(this);
      }
    }
  }

  /** A question to a policy, and who is to have what it says. */
  private record Round(Revision revision, long budget, List<Portion> portions) {}

  private final long bytesPerSecond;
  private final Switchboard switchboard;
  private final Misbehaviour.Listener misbehaviours;
  private final Timer timer;
  private final LongSupplier nanoTime;

  // all guarded by this

  /** Those that wait, who has waited longest first. */
  private final LinkedHashSet<Portion> waiting = new LinkedHashSet<>();

  /** The ids of revisions whose policy failed. */
  private final Set<String> fallen = new HashSet<>();

  /** The question that waits for its answer; its interval may be over. */
  private @Nullable Round asked;

  /** Whether the bandwidth of that interval was divided without the answer. */
  private boolean late;

  private long sessions;
  private boolean running;
  private long lastNanos;

  /**
   * A bandwidth that nobody has anything of yet.
   *
   * @param timer runs tasks one after another
   * @param misbehaviours hears of policies that fail
   */
  public Bandwidth(
      long bytesPerSecond,
      Switchboard switchboard,
      Misbehaviour.Listener misbehaviours,
      Timer timer,
      LongSupplier nanoTime) {
    this.bytesPerSecond = bytesPerSecond;
    this.switchboard = switchboard;
    this.misbehaviours = misbehaviours;
    this.timer = timer;
    this.nanoTime = nanoTime;
    this.lastNanos = nanoTime.getAsLong() - INTERVAL.toNanos();
  }

  /** The place of a session that begins among the others. */
  synchronized long order() {
    return ++sessions;
  }

  /** What a worker of a session may have. */
  Portion portion(long order, SessionInfo session) {
    return new Portion(order, session);
  }

  private synchronized long take(Portion portion, long most) {
    long taken = Math.min(portion.left, most);
    portion.left -= taken;
    portion.wanted = most - taken;
    if (portion.wanted > 0) {
      waiting.add(portion);
      if (!running) {
        running = true;
        long wait = lastNanos + INTERVAL.toNanos() - nanoTime.getAsLong();
        timer.after(Duration.ofNanos(Math.max(0, wait)), this::interval);
      }
    } else {
      waiting.remove(portion);
    }
    return taken;
  }

  private void interval() {
    Round round = null;
    List<Portion> served = List.of();
    synchronized (this) {
      long now = nanoTime.getAsLong();
      long nanos = Math.min(now - lastNanos, 2 * INTERVAL.toNanos());
      long budget = (long) (bytesPerSecond * (nanos / NANOS_PER_SECOND));
      lastNanos = now;
      if (waiting.isEmpty()) {
        running = false;
        return;
      }
      Revision revision = switchboard.current().revision();
      Round unanswered = asked;
      if (unanswered != null) {
        served = serve(budget + (late ? 0 : unanswered.budget()));
        late = true;
      } else if (revision.fairness().isEmpty() || fallen.contains(revision.id())) {
        served = serve(budget);
      } else {
        List<Portion> all = new ArrayList<>(waiting);
        all.sort(Comparator.comparingLong(each -> each.order));
        round = new Round(revision, budget, List.copyOf(all));
        asked = round;
        late = false;
      }
    }
    timer.after(INTERVAL, this::interval);
    served.forEach(each -> each.given.run());
    if (round != null) {
      ask(round);
    }
  }

  private void ask(Round round) {
    List<Demand> demands;
    synchronized (this) {
      demands =
          round.portions().stream()
              .map(each -> new Demand(each.session, Math.max(1, each.wanted)))
              .toList();
    }
    round
        .revision()
        .share(round.budget(), demands)
        .whenComplete((shares, failure) -> answered(round, shares, failure));
  }

  private void answered(Round round, long @Nullable [] shares, @Nullable Throwable failure) {
    List<Portion> served;
    synchronized (this) {
      asked = null;
      if (shares == null) {
        fallen.add(round.revision().id());
        served = late ? List.of() : serve(round.budget());
      } else {
        served = late ? List.of() : serve(round, shares);
      }
    }
    if (shares == null) {
      String what = SessionCode.reason(failure);
      LOG.warn("fairness: first come, first served under revision {}: {}", round.revision(), what);
      misbehaviours.heard(new Misbehaviour(round.revision(), Optional.empty(), what));
    }
    served.forEach(each -> each.given.run());
  }

  /** First come, first served; returns who got something. */
  private List<Portion> serve(long budget) {
    List<Portion> served = new ArrayList<>();
    long left = budget;
    for (Portion each : List.copyOf(waiting)) {
      long share = Math.min(each.wanted, left);
      if (share == 0) {
        break;
      }
      give(each, share);
      served.add(each);
      left -= share;
    }
    return served;
  }

  private List<Portion> serve(Round round, long[] shares) {
    List<Portion> served = new ArrayList<>();
    for (int i = 0; i < shares.length; i++) {
      Portion each = round.portions().get(i);
      if (shares[i] > 0 && waiting.contains(each)) {
        give(each, Math.min(shares[i], each.wanted));
        served.add(each);
      }
    }
    return served;
  }

  /** Gives a portion more; what it still wants it waits for behind the others. */
  private void give(Portion portion, long share) {
    portion.left += share;
    portion.wanted -= share;
    waiting.remove(portion);
    if (portion.wanted > 0) {
      waiting.add(portion);
    }
  }
}
