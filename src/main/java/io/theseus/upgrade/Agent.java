package io.theseus.upgrade;

import io.theseus.upgrade.Message.Progress;
import io.theseus.upgrade.RunningAct.Phase;
import io.theseus.wire.Texts;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * One node's part in coordination: keeps the register's state on disk, and brings its node to the
 * course that the decided state prescribes. Knows no clock, no network, no disk and no actors: what
 * happens comes in, what is to be done comes out.
 *
 * <pre>
 * CATCHING_UP  a majority has told how far it is, and this node is as far   CURRENT
 * CATCHING_UP  no majority in time                                          ALONE
 * ALONE        as from CATCHING_UP                                          CURRENT
 * </pre>
 *
 * <p>A node that is CATCHING_UP serves nothing; one that is ALONE serves by its last confirmed
 * course; one that is CURRENT by the course of each state that is decided.
 */
class Agent {
  /*
   * The register. It is that of single-decree consensus (Paxos), used again for each sequence, as
   * CASPaxos does: the value is the whole small state, so there is no log to be kept or truncated.
   *
   * Ordering. A coordinator proposes the state n + 1 only when n is decided in its own term, so of
   * one term a disk holds states in the order of their sequence, and (term, sequence) orders all that
   * was ever accepted. A new coordinator takes the highest of a majority and has it accepted in its
   * own term before it goes on: a state that is decided is among what any majority shows, and what is
   * shown above it descends from it.
   *
   * Durability. Each answer leaves after what it says is on disk: actions are carried out in order,
   * and Persist comes before Send. So does it before what a decided state does to this node.
   *
   * Catching up by what others have *accepted*, not by what they know to be decided: a decided state
   * is on the disks of a majority, so each majority shows it, though perhaps nobody there has heard
   * that it is decided. What was accepted and is not decided holds a node back until a coordinator
   * decides, one way or the other.
   */

  /** How much a node knows of the cluster. */
  enum Standing {
    CATCHING_UP,
    ALONE,
    CURRENT
  }

  /** A revision that is being made ready. */
  private record Staging(long attempt, RevisionId revision, long sinceNanos) {}

  /**
   * What went wrong.
   *
   * @param actId under which act; empty for none
   */
  private record Failure(String actId, RevisionId revision, String reason, long atNanos) {
    Failure {
      reason = Texts.escape(reason); // it may be a module's own words
    }
  }

  private final String self;
  private final Set<String> nodes;
  private final long life;
  private final Rules rules;
  private final long startNanos;

  private AgentState state;
  private Standing standing = Standing.CATCHING_UP;
  private final Map<String, Long> told = new HashMap<>();

  private final Set<RevisionId> staged = new HashSet<>();
  private @Nullable Staging staging;
  private long attempts;
  private @Nullable Course course;
  private long switchGeneration;
  private @Nullable Failure failure;

  /** What may have ended the process before this one. */
  private @Nullable Failure death;

  /** The coordinator that was heard last, and its clock then. */
  private @Nullable Term leader;

  private long askedNanos;
  private long reports;

  /**
   * The agent of a node that has just started.
   *
   * @param nodes ids of all nodes, this one among them
   * @param state what is on disk
   * @param life random for each start
   */
  Agent(String self, Set<String> nodes, Rules rules, AgentState state, long life, long nowNanos) {
    this.self = self;
    this.nodes = Collections.unmodifiableSet(new TreeSet<>(nodes));
    this.state = state;
    this.life = life;
    this.rules = rules;
    this.startNanos = nowNanos;
  }

  /**
   * The process has just started, not this agent alone. Where nodes were switching to code that was
   * never in force before, that may be what ended it: a lone node would begin it again and again.
   */
  void processStarted(long nowNanos) {
    RunningAct act = state.decided().running();
    if (act != null && act.phase() == Phase.SWITCHING && state.decided().isNovel(act)) {
      death =
          new Failure(
              act.id(),
              act.target().revision(),
              "the process ended while it was watched (expected: that it lives on)",
              nowNanos);
    }
  }

  /** Time has passed: every {@link Rules#beat}, and once at the start. */
  List<Action.OfAgent> onTick(long nowNanos) {
    List<Action.OfAgent> actions = new ArrayList<>();
    if (standing != Standing.CURRENT) {
      for (String node : nodes) {
        if (!node.equals(self)) {
          actions.add(new Action.Send(node, new Message.Ask(life)));
        }
      }
      catchUp();
      if (standing == Standing.CATCHING_UP && nowNanos - startNanos >= rules.catchUp().toNanos()) {
        standing = Standing.ALONE;
      }
    }
    giveUpStaging(nowNanos, actions);
    steer(nowNanos, actions);
    return actions;
  }

  /** The host may hang; another attempt takes its place. */
  private void giveUpStaging(long nowNanos, List<Action.OfAgent> actions) {
    if (staging != null && nowNanos - staging.sinceNanos() >= rules.stage().toNanos()) {
      String reason = "not ready (expected: within " + rules.stage().toSeconds() + " s)";
      failure = new Failure(actId(), staging.revision(), reason, nowNanos);
      staging = null;
      report(actions);
    }
  }

  /** A message of another node, or of the coordinator of this one. */
  List<Action.OfAgent> onMessage(String from, Message.ToAgent message, long nowNanos) {
    List<Action.OfAgent> actions = new ArrayList<>();
    if (!nodes.contains(from)) {
      return actions;
    }
    if (message instanceof Message.Prepare prepare) {
      onPrepare(from, prepare.term(), actions);
    } else if (message instanceof Message.Accept accept) {
      onAccept(from, accept, actions);
    } else if (message instanceof Message.Beat beat) {
      onBeat(from, beat, nowNanos, actions);
    } else if (message instanceof Message.Ask ask) {
      actions.add(new Action.Send(from, new Message.Tell(ask.life(), state.accepted().sequence())));
    } else if (message instanceof Message.Tell tell && tell.life() == life) {
      told.put(from, tell.sequence());
      catchUp();
      steer(nowNanos, actions);
    }
    return actions;
  }

  private void onPrepare(String from, Term term, List<Action.OfAgent> actions) {
    if (isOld(term)) {
      refuse(from, term, actions);
      return;
    }
    if (!term.equals(state.promised())) {
      persist(state.promising(term), actions);
    }
    actions.add(
        new Action.Send(
            from,
            new Message.Promise(
                term, state.incarnation(), state.acceptedTerm(), state.accepted())));
  }

  private void onAccept(String from, Message.Accept accept, List<Action.OfAgent> actions) {
    if (isOld(accept.term())) {
      refuse(from, accept.term(), actions);
      return;
    }
    boolean known =
        accept.term().equals(state.acceptedTerm())
            && accept.state().sequence() <= state.accepted().sequence();
    if (!known) {
      persist(state.accepting(accept.term(), accept.state()), actions);
    }
    heard(accept.term(), accept.askedNanos());
    report(actions);
  }

  private void onBeat(String from, Message.Beat beat, long nowNanos, List<Action.OfAgent> actions) {
    if (isOld(beat.term())) {
      refuse(from, beat.term(), actions);
      return;
    }
    boolean news =
        beat.term().equals(state.acceptedTerm())
            && beat.decided() == state.accepted().sequence()
            && beat.decided() > state.decided().sequence();
    if (news) {
      persist(state.deciding(), actions);
    }
    catchUp();
    steer(nowNanos, actions);
    heard(beat.term(), beat.askedNanos());
    report(actions);
  }

  /** The host has made a revision ready. */
  List<Action.OfAgent> onStaged(long attempt, long nowNanos) {
    List<Action.OfAgent> actions = new ArrayList<>();
    Staging ended = staging;
    if (ended != null && ended.attempt() == attempt) {
      staging = null;
      failure = null;
      staged.add(ended.revision());
      steer(nowNanos, actions);
      report(actions);
    }
    return actions;
  }

  /** The host can't make a revision ready. */
  List<Action.OfAgent> onStageRefused(long attempt, String reason, long nowNanos) {
    List<Action.OfAgent> actions = new ArrayList<>();
    Staging ended = staging;
    if (ended != null && ended.attempt() == attempt) {
      staging = null;
      failure = new Failure(actId(), ended.revision(), reason, nowNanos);
      report(actions);
    }
    return actions;
  }

  /**
   * What was published does harm. It ends an act that is not confirmed.
   *
   * @param generation of the switch that did it
   */
  List<Action.OfAgent> onMisbehaviour(long generation, String reason, long nowNanos) {
    List<Action.OfAgent> actions = new ArrayList<>();
    RunningAct act = state.decided().running();
    if (act != null
        && act.phase() == Phase.SWITCHING
        && act.target().equals(course)
        && generation == switchGeneration) {
      failure = new Failure(act.id(), act.target().revision(), reason, nowNanos);
      report(actions);
    }
    return actions;
  }

  /** Whether what a switch brought is served still. */
  boolean isServing(long generation) {
    return generation == switchGeneration;
  }

  Standing standing() {
    return standing;
  }

  /** What this node acts by. */
  ClusterState decided() {
    return state.decided();
  }

  /** By what it serves; empty before anything is published: no client may be accepted. */
  Optional<Course> course() {
    return Optional.ofNullable(course);
  }

  /**
   * Why it does not serve by the course that it should, or an act fails; empty where all is well.
   */
  Optional<String> failure() {
    return trouble().map(each -> each.revision() + ": " + each.reason());
  }

  private Optional<Failure> trouble() {
    return Optional.ofNullable(failure)
        .or(() -> Optional.ofNullable(death).filter(each -> each.actId().equals(actId())));
  }

  /** Whether a term is one that this node has promised to refuse. */
  boolean isOld(Term term) {
    return term.isBefore(state.promised());
  }

  private void refuse(String from, Term term, List<Action.OfAgent> actions) {
    actions.add(new Action.Send(from, new Message.Refusal(term, state.promised())));
  }

  private void persist(AgentState next, List<Action.OfAgent> actions) {
    state = next;
    actions.add(new Action.Persist(next));
  }

  private void heard(Term term, long coordinatorNanos) {
    if (!term.equals(leader)) {
      leader = term;
      askedNanos = coordinatorNanos;
    } else if (coordinatorNanos - askedNanos > 0) {
      askedNanos = coordinatorNanos;
    }
  }

  /** Takes this node for current when it is as far as a majority is. */
  private void catchUp() {
    long decided = state.decided().sequence();
    long others = told.values().stream().filter(sequence -> sequence <= decided).count();
    int majority = Voters.majority(nodes.size());
    if (!state.decided().voters().isFounded()) {
      // This node may have lost its disk, and with it a state of which it was part of the majority.
      int needed = Math.min(nodes.size() - majority + 1, nodes.size() - 1);
      if (others >= needed && state.accepted().sequence() <= decided) {
        standing = Standing.CURRENT;
      }
    } else if (others + (state.accepted().sequence() <= decided ? 1 : 0) >= majority) {
      standing = Standing.CURRENT;
    }
  }

  /** By what this node should serve. */
  private Course wanted() {
    return standing == Standing.CURRENT ? state.decided().course() : state.decided().confirmed();
  }

  private String actId() {
    RunningAct act = state.decided().running();
    return act == null ? "" : act.id();
  }

  /** Does what is missing between what is and what the decided state wants. */
  private void steer(long nowNanos, List<Action.OfAgent> actions) {
    if (standing == Standing.CATCHING_UP) {
      return;
    }
    if (failure != null && !failure.actId().equals(actId())) {
      failure = null;
    }
    Course wanted = wanted();
    letGo(wanted, actions);
    if (mayPublish(wanted) && !wanted.equals(course)) {
      if (!wanted.runsAs(course)) {
        switchGeneration++;
      }
      course = wanted;
      RevisionId stable = stable(wanted);
      actions.add(new Action.Publish(switchGeneration, wanted, stable));
      letGo(wanted, actions);
    }
    RevisionId next = toStage(wanted, nowNanos);
    if (next != null) {
      staging = new Staging(++attempts, next, nowNanos);
      actions.add(new Action.Stage(attempts, next));
    }
  }

  /** Null for what is built in. */
  private @Nullable RevisionId stable(Course wanted) {
    return state
        .decided()
        .stable()
        .filter(staged::contains)
        .filter(each -> !each.equals(wanted.revision()))
        .orElse(null);
  }

  boolean mayPublish(Course wanted) {
    return staged.containsAll(wanted.revisions());
  }

  /** What is to be made ready now; null for nothing. */
  private @Nullable RevisionId toStage(Course wanted, long nowNanos) {
    if (staging != null) {
      return null;
    }
    RevisionId missing = notStaged(wanted);
    if (missing != null) {
      boolean rests =
          failure != null
              && failure.revision().equals(missing)
              && nowNanos - failure.atNanos() < rules.retry().toNanos();
      return rests ? null : missing;
    }
    RunningAct act = state.decided().running();
    if (act == null || standing != Standing.CURRENT || failure != null) {
      return null;
    }
    return notStaged(act.target());
  }

  private @Nullable RevisionId notStaged(Course of) {
    if (!staged.contains(of.revision())) {
      return of.revision();
    }
    Canary canary = of.canary();
    return canary == null || staged.contains(canary.revision()) ? null : canary.revision();
  }

  /** Drops what neither serves nor may have to serve next. */
  private void letGo(Course wanted, List<Action.OfAgent> actions) {
    Set<RevisionId> needed = new HashSet<>(wanted.revisions());
    RunningAct act = state.decided().running();
    if (act != null) {
      needed.addAll(act.target().revisions());
    }
    boolean abandoned = staging != null && !needed.contains(staging.revision());
    if (abandoned) {
      staging = null;
    }
    Set<RevisionId> kept = new HashSet<>(needed);
    kept.addAll(state.decided().confirmed().revisions());
    state.decided().replaced().ifPresent(kept::add);
    if (course != null) {
      kept.addAll(course.revisions());
    }
    if (staged.retainAll(kept) || abandoned) {
      actions.add(new Action.Keep(kept));
    }
  }

  /** Tells the coordinator how this node is. */
  private void report(List<Action.OfAgent> actions) {
    Term to = leader;
    if (to == null) {
      return;
    }
    actions.add(
        new Action.Send(
            to.node(),
            new Message.Report(
                to,
                state.incarnation(),
                askedNanos,
                ++reports,
                to.equals(state.acceptedTerm()) ? state.accepted().sequence() : -1,
                actId(),
                progress(),
                trouble().map(Failure::reason).orElse(""))));
  }

  private Progress progress() {
    RunningAct act = state.decided().running();
    if (trouble().isPresent()) {
      return Progress.FAILED;
    }
    if (act == null || standing != Standing.CURRENT || !wanted().equals(course)) {
      return Progress.WORKING;
    }
    if (act.phase() == Phase.SWITCHING) {
      return Progress.SWITCHED;
    }
    return notStaged(act.target()) == null ? Progress.STAGED : Progress.WORKING;
  }
}
