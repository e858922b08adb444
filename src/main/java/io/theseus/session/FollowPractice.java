package io.theseus.session;

import io.theseus.backup.Replication;
import io.theseus.channel.Range;
import io.theseus.module.ModuleException;
import io.theseus.module.Revision;
import io.theseus.module.Switchboard;
import io.theseus.names.Place;
import io.theseus.store.Completed;
import io.theseus.store.StoredFile;
import io.theseus.wire.ClientMessage;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.ProtocolException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Takes sessions that are none to a revision and back, before it is switched to: what a node has
 * never done yet it would do for the first time on its event loops, where classes are loaded and
 * code is interpreted while packets wait; and code that is compiled for the classes of older
 * revisions is compiled again.
 *
 * <p>The thread that calls it is the lane.
 */
public final class FollowPractice {
  private static final int SESSIONS = 32;
  private static final int ROUNDS = 20;

  /** In the first round: one for each thread that code has by default. */
  private static final int FIRST_SESSIONS = 2;

  /** Between two rounds, for those who are served at the same time. */
  private static final Duration PAUSE = Duration.ofMillis(4);

  /**
   * Code that takes as long as this for a round has nothing to gain, and many would wait for it.
   */
  private static final Duration SLOW = Duration.ofMillis(250);

  /** Between two looks for code that hangs. */
  private static final Duration LOOK = Duration.ofMillis(100);

  private static final int LANE = 0;
  private static final long SIZE = 1 << 20;

  /** A connection that never moves. */
  private static final class Link implements SessionLink {
    private static final Report STANDS =
        new Report(
            /* workerGeneration= */ 0,
            /* seekEpoch= */ 0,
            /* position= */ 0,
            /* acked= */ 0,
            SIZE,
            /* granted= */ 0,
            /* checkpoint= */ 0,
            /* finished= */ false,
            Optional.empty(),
            /* held= */ false,
            /* changed= */ false,
            /* closure= */ null);

    private int succeeded;

    @Override
    public String remote() {
      return "192.0.2.1:0"; // nobody's, RFC 5737
    }

    @Override
    public int lane() {
      return LANE;
    }

    @Override
    public Report stands() {
      return STANDS;
    }

    @Override
    public void succeed(long workerGeneration, String module, long seekEpoch, List<Range> ranges) {
      succeeded++;
    }

    private static IllegalStateException unexpected() {
      return new IllegalStateException("a follower has no business with it");
    }

    @Override
    public void onReport(Runnable wake) {
      throw unexpected();
    }

    @Override
    public void onSwitch(LongSupplier generation, Runnable due) {
      throw unexpected();
    }

    @Override
    public @Nullable Report drain() {
      throw unexpected();
    }

    @Override
    public void ready(Ready ready) {
      throw unexpected();
    }

    @Override
    public void grant(Grant grant) {
      throw unexpected();
    }

    @Override
    public void hold() {
      throw unexpected();
    }

    @Override
    public void swap(long workerGeneration, String module, boolean keep, boolean tell) {
      throw unexpected();
    }

    @Override
    public void revoke(long workerGeneration) {
      throw unexpected();
    }

    @Override
    public void durable(long offset) {
      throw unexpected();
    }

    @Override
    public void copies(Replication.Whole whole) {
      throw unexpected();
    }

    @Override
    public void complete(Completed completed) {
      throw unexpected();
    }

    @Override
    public void restart(StoredFile file, long workerGeneration) {
      throw unexpected();
    }

    @Override
    public void migrate(UUID session, Place place) {
      throw unexpected();
    }

    @Override
    public void fail(ErrorCode code, String message) {
      throw unexpected();
    }
  }

  private final Revision revision;
  private final Switchboard switchboard = new Switchboard();
  private final LinkedBlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
  private final List<Transfer> transfers = new ArrayList<>();
  private final Link link = new Link();
  private final Follower follower;

  private FollowPractice(SessionEnvironment node, Revision revision) throws ProtocolException {
    this.revision = revision;
    this.follower = new Follower(node.withSwitchboard(switchboard), LANE, new PracticeLane());
    for (int i = 0; i < SESSIONS; i++) {
      transfers.add(transfer(i));
    }
  }

  private final class PracticeLane implements Follower.Lane {
    @Override
    public void run(Runnable task) {
      tasks.add(task);
    }

    @Override
    public void tell(Transfer transfer, SessionActor.Command what) {
      transfer.dropCode(); // refused, delayed, failed: as with real sessions, nothing to learn here
    }

    @Override
    public void again(Transfer transfer) {
      throw new IllegalStateException("code was switched while sessions practised");
    }
  }

  private Transfer transfer(int number) throws ProtocolException {
    ClientMessage.Get get = (ClientMessage.Get) ClientMessage.parse("GET practice\n");
    Transfer transfer = Transfer.begin(new UUID(0, number));
    transfer.link = link;
    transfer.command = get;
    transfer.facts = Facts.of(get, OptionalLong.of(SIZE), "identity", /* target= */ null);
    transfer.accepted = true;
    transfer.revise(Revision.builtIn(), /* its= */ null);
    return transfer;
  }

  /**
   * Practises with a revision that serves nobody yet. Not where it has a policy of admission, which
   * counts what it is asked.
   *
   * @return how often a session followed
   * @throws ModuleException where its code hangs: then no further call of it is made
   */
  public static int run(SessionEnvironment node, Revision revision)
      throws ModuleException, InterruptedException {
    if (revision.isBuiltIn() || !revision.admits() || node.bandwidth() != null) {
      return 0;
    }
    try {
      return new FollowPractice(node, revision).run();
    } catch (ProtocolException e) {
      throw new IllegalStateException(e);
    }
  }

  private int run() throws ModuleException, InterruptedException {
    try {
      boolean goesOn = true;
      for (int i = 0; goesOn && i < ROUNDS; i++) {
        long began = System.nanoTime();
        List<Transfer> all = i == 0 ? transfers.subList(0, FIRST_SESSIONS) : transfers;
        follow(all, revision);
        follow(all, Revision.builtIn());
        goesOn = System.nanoTime() - began < SLOW.toNanos();
        Thread.sleep(PAUSE.toMillis());
      }
      return link.succeeded;
    } finally {
      transfers.forEach(Transfer::dropCode);
    }
  }

  private void follow(List<Transfer> all, Revision wanted)
      throws ModuleException, InterruptedException {
    switchboard.publish(wanted, Optional.empty(), Revision.builtIn());
    all.forEach(follower::look);
    follower.go();
    while (!follower.isIdle()) {
      Runnable task = tasks.poll(LOOK.toMillis(), TimeUnit.MILLISECONDS);
      if (task != null) {
        task.run();
        continue;
      }
      String hung = revision.check();
      if (hung != null) {
        throw new ModuleException(hung);
      }
    }
  }
}
