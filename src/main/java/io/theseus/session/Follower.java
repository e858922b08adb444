package io.theseus.session;

import io.theseus.channel.Admission;
import io.theseus.channel.DataChannel;
import io.theseus.channel.Direction;
import io.theseus.channel.PayloadUse;
import io.theseus.channel.Progress;
import io.theseus.channel.Range;
import io.theseus.channel.SessionInfo;
import io.theseus.module.Decisions;
import io.theseus.module.Revision;
import io.theseus.module.SessionCode;
import io.theseus.module.Switchboard;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Takes the sessions of a lane behind a switch, many at a time, and without their actors: these
 * notice when they next have something to do, and exchange their workers then.
 *
 * <p>On the lane's thread, which sessions and connections live on, it looks at each of them twice:
 * to see where it stands, and to hand its connection to the successor, which has begun and said its
 * first word by then, on threads of its own. What is not as simple is left to the session's actor:
 * a connection of another lane, functions that look at bytes, a bandwidth that is shared, code that
 * fails or objects.
 */
public final class Follower {
  /** The lane, as seen from here. */
  public interface Lane {
    /** Runs a task on its thread; from any thread. */
    void run(Runnable task);

    /** Tells a session's actor; nothing where it has none. */
    void tell(Transfer transfer, SessionActor.Command what);

    /** Code was switched again while the session followed. */
    void again(Transfer transfer);
  }

  /** A session whose code is being begun. */
  private static final class Joining {
    private final Transfer transfer;
    private final SessionLink link;
    private final Report from;
    private final CompletableFuture<SessionActor.Command> switching = new CompletableFuture<>();
    private final long attempt;
    private SessionCode.@Nullable Begun begun;

    Joining(Transfer transfer, SessionLink link, Report from) {
      this.transfer = transfer;
      this.link = link;
      this.from = from;
      this.attempt = transfer.attempts + 1;
    }
  }

  private final SessionEnvironment environment;
  private final int number;
  private final Lane lane;
  private final DataChannel builtIn = Revision.builtIn().openBuiltIn();

  /** Of the switch that those follow who were looked at; never what is in force itself. */
  private long switchGeneration;

  private final Map<Revision, List<Joining>> joining = new LinkedHashMap<>();

  /** How many these are. */
  private int waiting;

  /** Who these are is said by themselves: they have it as theirs. */
  private Object round = new Object();

  /** Sessions whose code is being begun. */
  private int underWay;

  /**
   * For a lane.
   *
   * @param number of the lane, as connections say it
   */
  public Follower(SessionEnvironment environment, int number, Lane lane) {
    this.environment = environment;
    this.number = number;
    this.lane = lane;
  }

  /**
   * Looks at a session, which follows with the next {@link #go}, if it has to.
   *
   * @return false where that is its actor's business
   */
  public boolean look(Transfer transfer) {
    Switchboard.Current current = environment.switchboard().current();
    if (current.generation() != switchGeneration) {
      go();
      switchGeneration = current.generation();
    }
    if (!transfer.isDue(switchGeneration) || transfer.round == round) {
      return true;
    }
    Revision wanted = transfer.wanted(current);
    if (transfer.runs(wanted)) {
      transfer.follow(switchGeneration);
      return true;
    }
    SessionLink link = transfer.connected();
    SessionCode code = transfer.code;
    boolean simple =
        environment.bandwidth() == null
            && link.lane() == number
            && (code == null || code.payloadUse() == PayloadUse.NONE);
    Report stands = simple ? link.stands() : null;
    if (stands == null || stands.finished() || stands.closure() != null || stands.changed()) {
      return false;
    }
    Joining joins = new Joining(transfer, link, stands);
    if (wanted.isBuiltIn()) {
      transfer.code = null;
      succeed(
          joins,
          switchGeneration,
          wanted,
          /* code= */ null,
          aheadOf(stands, transfer.facts().direction()));
      if (code != null) {
        code.close();
      }
    } else {
      transfer.round = round;
      joining.computeIfAbsent(wanted, each -> new ArrayList<>()).add(joins);
      waiting++;
    }
    return true;
  }

  /** What is built in grants as far ahead as it may. */
  private List<Range> aheadOf(Report stands, Direction direction) {
    List<Range> ranges = new ArrayList<>();
    long at = stands.position();
    long reach = Math.min(stands.end(), at + Granting.AHEAD);
    while (at < reach) {
      Range range = builtIn.next(new Progress(direction, at, stands.end()));
      ranges.add(range);
      at = range.end();
    }
    return ranges;
  }

  /** How many were looked at that follow. */
  public int waiting() {
    return waiting;
  }

  /** Those that were looked at follow. */
  public void go() {
    joining.forEach(this::begin);
    joining.clear();
    waiting = 0;
    round = new Object();
  }

  /** Whether nothing is under way. */
  public boolean isIdle() {
    return underWay == 0;
  }

  private void begin(Revision revision, List<Joining> all) {
    long begunFor = switchGeneration;
    underWay += all.size();
    List<SessionCode.Beginning> beginnings = new ArrayList<>(all.size());
    for (Joining each : all) {
      Transfer transfer = each.transfer;
      Report from = each.from;
      SessionInfo info = transfer.info();
      beginnings.add(
          new SessionCode.Beginning(
              info,
              transfer.code,
              Optional.of(
                  new SessionCode.Question(
                      new Progress(info.direction(), from.position(), from.end()),
                      from.position() + Granting.AHEAD,
                      from.end()))));
    }
    CompletionStage<Void> unused =
        SessionCode.begin(
                revision,
                beginnings,
                environment.running().getAsInt(),
                (number, begun, failure) -> {
                  Joining each = all.get(number);
                  each.begun = begun;
                  each.switching.complete(
                      SessionActor.CodeBegun.of(each.attempt, begunFor, revision, begun, failure));
                })
            .thenRun(() -> lane.run(() -> arrive(revision, all, begunFor)));
    for (Joining each : all) {
      Transfer transfer = each.transfer;
      transfer.code = null; // it hands over: its worker asks it nothing any more
      transfer.switching = each.switching;
      transfer.attempts = each.attempt;
    }
  }

  private void arrive(Revision revision, List<Joining> all, long begunFor) {
    underWay -= all.size();
    boolean over = begunFor != environment.switchboard().generation();
    for (Joining each : all) {
      Transfer transfer = each.transfer;
      if (transfer.switching != each.switching) {
        continue; // given up meanwhile, by somebody who closes what was begun
      }
      SessionCode.Begun begun = each.begun;
      Decisions first = begun == null ? null : begun.first().orElse(null);
      if (begun == null || first == null || !isSimple(each, begun, first)) {
        lane.tell(transfer, each.switching.join());
        continue;
      }
      transfer.switching = null;
      succeed(each, begunFor, revision, begun.code(), first.ranges());
      if (over) {
        lane.again(transfer);
      }
    }
  }

  private static boolean isSimple(Joining joins, SessionCode.Begun begun, Decisions first) {
    Transfer transfer = joins.transfer;
    return transfer.isRunning()
        && !transfer.held
        && transfer.link == joins.link
        && begun.admission() instanceof Admission.Admit
        && begun.code().payloadUse() == PayloadUse.NONE
        && first.denial().isEmpty()
        && first.delay().isEmpty();
  }

  private static void succeed(
      Joining joins,
      long switchGeneration,
      Revision revision,
      @Nullable SessionCode code,
      List<Range> ranges) {
    Transfer transfer = joins.transfer;
    transfer.revise(revision, code);
    transfer.follow(switchGeneration);
    joins.link.succeed(
        transfer.nextGeneration(), revision.module(), joins.from.seekEpoch(), ranges);
  }
}
