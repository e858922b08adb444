package io.theseus.upgrade;

import io.theseus.upgrade.Message.Progress;
import io.theseus.upgrade.Message.Promise;
import io.theseus.upgrade.Message.Report;
import io.theseus.upgrade.RunningAct.Phase;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Carries acts out, step by step, each on the disks of a majority before the next. Keeps nothing on
 * disk itself: whoever comes after it finds all in the agents. Knows no clock, no network and no
 * actors.
 *
 * <pre>
 * RESTING    its rest is over                        PREPARING  a higher term
 * PREPARING  a majority of the voters promised       LEADING    adopts the highest, has it accepted
 * PREPARING  an agent has promised a later term      RESTING
 * LEADING    an agent has promised a later term      RESTING
 * </pre>
 *
 * <p>What it proposes while LEADING, and when, is {@link #next}; each proposal is a transition of
 * {@link ClusterState}. Two coordinators at once do no harm, but hinder each other: each rests for
 * longer when it has lost again.
 */
class Coordinator {
  private enum Mode {
    RESTING,
    PREPARING,
    LEADING
  }

  /** A request that has no answer yet. */
  private record Waiting(ActRequest request, long sinceNanos, boolean proposed) {}

  private static final int MOST_WAITING = 64;
  private static final int MOST_RESTS = 4;

  private final String self;
  private final Set<String> nodes;
  private final Rules rules;
  private final long life;
  private final RandomGenerator random;

  private final Map<String, Waiting> waiting = new LinkedHashMap<>();
  private final Map<String, Promise> promises = new HashMap<>();

  /** The latest of each node in this term. */
  private final Map<String, Report> reports = new HashMap<>();

  /** When the proposal was last sent to a node. */
  private final Map<String, Long> sentNanos = new HashMap<>();

  private List<Action.OfCoordinator> actions = new ArrayList<>();
  private Mode mode = Mode.RESTING;
  private Term term;
  private long highest;
  private int rests;
  private long restUntilNanos;

  /** Since when this mode lasts. */
  private long sinceNanos;

  private ClusterState state;
  private boolean decided;
  private @Nullable ClusterState lastDecided;
  private long decidedNanos;

  /**
   * A coordinator that begins at once.
   *
   * @param self the node that it runs on
   * @param nodes ids of all nodes
   * @param life random for each coordinator
   */
  Coordinator(
      String self,
      Set<String> nodes,
      Rules rules,
      RevisionId builtIn,
      long life,
      RandomGenerator random,
      long nowNanos) {
    this.self = self;
    this.nodes = Collections.unmodifiableSet(new TreeSet<>(nodes));
    this.rules = rules;
    this.life = life;
    this.random = random;
    this.term = Term.NONE;
    this.state = ClusterState.initial(builtIn);
    this.restUntilNanos = nowNanos;
    this.sinceNanos = nowNanos;
  }

  /** Time has passed: every {@link Rules#beat}, and once at the start. */
  List<Action.OfCoordinator> onTick(long nowNanos) {
    switch (mode) {
      case RESTING -> {
        if (nowNanos - restUntilNanos >= 0) {
          prepare(nowNanos);
        }
      }
      case PREPARING -> askForPromises();
      case LEADING -> {
        beat(nowNanos);
        proceed(nowNanos);
      }
    }
    giveUpWaiting(nowNanos);
    return taken();
  }

  /** A message of an agent. */
  List<Action.OfCoordinator> onMessage(String from, Message.ToCoordinator message, long nowNanos) {
    if (!nodes.contains(from)) {
      return taken();
    }
    if (message instanceof Promise promise) {
      onPromise(from, promise, nowNanos);
    } else if (message instanceof Message.Refusal refusal) {
      onRefusal(refusal, nowNanos);
    } else if (message instanceof Report report) {
      onReport(from, report, nowNanos);
    }
    return taken();
  }

  /** An operator wants an act. The answer comes as an action, now or later. */
  List<Action.OfCoordinator> onRequest(ActRequest request, long nowNanos) {
    Waiting known = waiting.get(request.id());
    if (known != null && !known.request().equals(request)) {
      answer(request, isTaken(request));
    } else if (known == null && waiting.size() == MOST_WAITING) {
      answer(
          request,
          new ActAnswer.Refused(
              request
                  + ": "
                  + MOST_WAITING
                  + " requests are waiting (expected: fewer); ask again later"));
    } else if (known == null) {
      waiting.put(request.id(), new Waiting(request, nowNanos, /* proposed= */ false));
      if (mode == Mode.LEADING) {
        proceed(nowNanos);
      }
    }
    return taken();
  }

  /** The last state that this coordinator knows to be decided. */
  Optional<ClusterState> decided() {
    return Optional.ofNullable(lastDecided);
  }

  /** How far each node is with the act under way, in words; none where there is none. */
  Map<String, String> progress() {
    Map<String, String> progress = new HashMap<>();
    RunningAct act = lastDecided == null ? null : lastDecided.running();
    if (act != null) {
      for (String node : participants(act)) {
        progress.put(node, progress(node, act).toString().toLowerCase(Locale.ROOT));
      }
    }
    return progress;
  }

  Term term() {
    return term;
  }

  private List<Action.OfCoordinator> taken() {
    List<Action.OfCoordinator> taken = actions;
    actions = new ArrayList<>();
    return taken;
  }

  private void send(String to, Message.ToAgent message) {
    actions.add(new Action.Send(to, message));
  }

  private void answer(ActRequest request, ActAnswer answer) {
    actions.add(new Action.Answer(request.id(), answer));
  }

  // Becoming the one that leads.

  private void prepare(long nowNanos) {
    mode = Mode.PREPARING;
    sinceNanos = nowNanos;
    term = new Term(++highest, self, life);
    promises.clear();
    askForPromises();
  }

  private void askForPromises() {
    for (String node : nodes) {
      if (!promises.containsKey(node)) {
        send(node, new Message.Prepare(term));
      }
    }
  }

  private void onPromise(String from, Promise promise, long nowNanos) {
    if (mode != Mode.PREPARING || !promise.term().equals(term)) {
      return;
    }
    promises.put(from, promise);
    ClusterState adopted = adopt(promises.values());
    if (isQuorum(adopted.voters(), incarnations()) && strangers(adopted).isEmpty()) {
      mode = Mode.LEADING;
      sinceNanos = nowNanos;
      reports.clear();
      propose(adopted, nowNanos);
    }
  }

  private Map<String, Long> incarnations() {
    return promises.entrySet().stream()
        .collect(Collectors.toMap(Map.Entry::getKey, each -> each.getValue().incarnation()));
  }

  /** The highest that was accepted: what is decided is it, or is what it descends from. */
  ClusterState adopt(Iterable<Promise> shown) {
    Promise best = null;
    Comparator<Promise> order =
        Comparator.comparing(Promise::acceptedTerm)
            .thenComparingLong(promise -> promise.accepted().sequence());
    for (Promise promise : shown) {
      if (best == null || order.compare(promise, best) > 0) {
        best = promise;
      }
    }
    return best == null ? state : best.accepted();
  }

  boolean isQuorum(Voters voters, Map<String, Long> answers) {
    return voters.isQuorum(answers, nodes);
  }

  /** Nodes that are recorded and not configured, or the other way round. */
  private Set<String> strangers(ClusterState shown) {
    Set<String> strangers = new TreeSet<>();
    if (shown.voters().isFounded()) {
      Set<String> recorded = shown.voters().current().keySet();
      strangers.addAll(recorded);
      strangers.removeAll(nodes);
      nodes.stream().filter(node -> !recorded.contains(node)).forEach(strangers::add);
    }
    return strangers;
  }

  private void onRefusal(Message.Refusal refusal, long nowNanos) {
    highest = Math.max(highest, refusal.promised().number());
    if (mode != Mode.RESTING && refusal.term().equals(term) && term.isBefore(refusal.promised())) {
      mode = Mode.RESTING;
      sinceNanos = nowNanos;
      decided = false;
      long least = rules.rest().toNanos() << rests;
      restUntilNanos = nowNanos + random.nextLong(least, 2 * least);
      rests = Math.min(rests + 1, MOST_RESTS);
    }
  }

  // Leading.

  private void propose(ClusterState next, long nowNanos) {
    state = next;
    decided = false;
    sentNanos.clear();
    for (String node : nodes) {
      if (!isOutOfReach(node, nowNanos)) {
        sendProposal(node, nowNanos);
      }
    }
  }

  private void sendProposal(String node, long nowNanos) {
    sentNanos.put(node, nowNanos);
    send(node, new Message.Accept(term, state, nowNanos));
  }

  private void beat(long nowNanos) {
    for (String node : nodes) {
      send(node, new Message.Beat(term, decided ? state.sequence() : -1, nowNanos));
    }
  }

  private void onReport(String from, Report report, long nowNanos) {
    if (mode != Mode.LEADING || !report.term().equals(term)) {
      return;
    }
    Report last = reports.get(from);
    if (last != null && !report.isNewerThan(last)) {
      return;
    }
    reports.put(from, report);
    Long sent = sentNanos.get(from);
    // a report that was asked for before the proposal was sent does not say that it was lost
    if (report.accepted() < state.sequence() && (sent == null || report.askedNanos() - sent > 0)) {
      sendProposal(from, nowNanos);
    }
    if (!decided && isDecided()) {
      decided = true;
      lastDecided = state;
      decidedNanos = nowNanos;
      rests = 0;
      beat(nowNanos);
    }
    proceed(nowNanos);
  }

  boolean isDecided() {
    Map<String, Long> accepted =
        reports.entrySet().stream()
            .filter(each -> each.getValue().accepted() == state.sequence())
            .collect(Collectors.toMap(Map.Entry::getKey, each -> each.getValue().incarnation()));
    return isQuorum(state.voters(), accepted);
  }

  /** Takes the next step, if there is one and the last is decided. */
  private void proceed(long nowNanos) {
    if (!decided) {
      return;
    }
    Optional<ClusterState> next = next(nowNanos);
    if (next.isPresent()) {
      propose(next.get(), nowNanos);
      return;
    }
    for (Waiting each : List.copyOf(waiting.values())) {
      consider(each.request(), nowNanos);
      if (!decided) {
        return;
      }
    }
  }

  /** The state that is to follow the decided one; empty as long as there is none. */
  private Optional<ClusterState> next(long nowNanos) {
    Optional<ClusterState> changed = changedVoters();
    if (changed.isPresent()) {
      return changed;
    }
    RunningAct act = state.running();
    if (act == null) {
      return Optional.empty();
    }
    Optional<String> failed = failed(act);
    if (failed.isPresent()) {
      return Optional.of(state.giveUp(failed.get()));
    }
    return act.phase() == Phase.STAGING ? afterStaging(act, nowNanos) : afterSwitch(act, nowNanos);
  }

  private Optional<ClusterState> changedVoters() {
    if (!state.voters().isFounded()) {
      // all have answered, or this coordinator would not lead
      return Optional.of(state.found(incarnations()));
    }
    if (!state.voters().former().isEmpty()) {
      return Optional.of(state.settle());
    }
    return reports.entrySet().stream()
        .filter(
            each -> {
              Long known = state.voters().current().get(each.getKey());
              return known != null && known != each.getValue().incarnation();
            })
        .findFirst()
        .map(each -> state.admit(each.getKey(), each.getValue().incarnation()));
  }

  private Optional<String> failed(RunningAct act) {
    return participants(act).stream()
        .filter(node -> progress(node, act) == Progress.FAILED)
        .findFirst()
        .map(node -> node + ": " + Objects.requireNonNull(reports.get(node)).reason());
  }

  private Optional<ClusterState> afterStaging(RunningAct act, long nowNanos) {
    Set<String> participants = participants(act);
    Set<String> missing = those(participants, node -> isOutOfReach(node, nowNanos));
    if (!missing.isEmpty()) {
      return Optional.of(state.giveUp(outOfReach(missing)));
    }
    Set<String> late = those(participants, node -> progress(node, act) != Progress.STAGED);
    if (haveAllStaged(late)) {
      return Optional.of(state.switchOver());
    }
    if (nowNanos - decidedNanos >= rules.stage().toNanos()) {
      return Optional.of(
          state.giveUp(
              String.join(", ", late)
                  + ": not ready (expected: within "
                  + rules.stage().toSeconds()
                  + " s)"));
    }
    return Optional.empty();
  }

  /** Whether nobody is missing of those that take part. */
  boolean haveAllStaged(Set<String> late) {
    return late.isEmpty();
  }

  private Optional<ClusterState> afterSwitch(RunningAct act, long nowNanos) {
    long watchNanos = act.request().watchMillis() * 1_000_000;
    long lastedNanos = nowNanos - decidedNanos;
    Set<String> switched = those(nodes, node -> progress(node, act) == Progress.SWITCHED);
    Set<String> late =
        those(participants(act), node -> !isOutOfReach(node, nowNanos) && !switched.contains(node));
    boolean enough = switched.size() >= Voters.majority(nodes.size());
    if (late.isEmpty() && enough && lastedNanos >= watchNanos) {
      return Optional.of(state.confirm());
    }
    if (lastedNanos >= watchNanos + rules.switchOver().toNanos()) {
      return Optional.of(
          state.giveUp(
              "switched: "
                  + String.join(", ", switched)
                  + " (expected: "
                  + (late.isEmpty() ? "" : String.join(", ", late) + " too, and ")
                  + "at least "
                  + Voters.majority(nodes.size())
                  + " of "
                  + nodes.size()
                  + " nodes)"));
    }
    return Optional.empty();
  }

  private Set<String> participants(RunningAct act) {
    return those(nodes, node -> !act.request().without().contains(node));
  }

  private static Set<String> those(Set<String> nodes, Predicate<String> which) {
    return nodes.stream().filter(which).collect(Collectors.toCollection(TreeSet::new));
  }

  private Progress progress(String node, RunningAct act) {
    Report report = reports.get(node);
    return report != null && report.actId().equals(act.id()) ? report.progress() : Progress.WORKING;
  }

  /** Whether a node has said nothing for so long that it counts as gone. */
  private boolean isOutOfReach(String node, long nowNanos) {
    Report report = reports.get(node);
    long lastNanos = report == null ? sinceNanos : report.askedNanos();
    return nowNanos - lastNanos > rules.silence().toNanos();
  }

  private static String outOfReach(Set<String> missing) {
    return String.join(", ", missing) + ": can't be reached (expected: all nodes, or without them)";
  }

  // Requests.

  /** Answers a request, begins it, or leaves it waiting. The state is decided. */
  private void consider(ActRequest request, long nowNanos) {
    Optional<ActRecord> ended = state.ended(request.id());
    if (ended.isPresent()) {
      boolean same = ended.get().isOf(request);
      finish(request, same ? new ActAnswer.Ended(ended.get()) : isTaken(request));
      return;
    }
    RunningAct act = state.running();
    if (act != null && act.id().equals(request.id())) {
      finish(request, act.request().equals(request) ? new ActAnswer.Begun() : isTaken(request));
      return;
    }
    try {
      ClusterState next = state.begin(request, nodes);
      if (next.running() != null && !areThere(request, nowNanos)) {
        return;
      }
      waiting.put(request.id(), new Waiting(request, nowNanos, /* proposed= */ true));
      propose(next, nowNanos);
    } catch (RefusedException e) {
      finish(request, new ActAnswer.Refused(e.reason()));
    }
  }

  /** Whether all that are to take part are known to be there; not yet, or never. */
  private boolean areThere(ActRequest request, long nowNanos) throws RefusedException {
    Set<String> needed = those(nodes, node -> !request.without().contains(node));
    Set<String> missing = those(needed, node -> isOutOfReach(node, nowNanos));
    if (!missing.isEmpty()) {
      throw new RefusedException(request + ": " + outOfReach(missing));
    }
    return reports.keySet().containsAll(needed);
  }

  private void finish(ActRequest request, ActAnswer answer) {
    waiting.remove(request.id());
    answer(request, answer);
  }

  private static ActAnswer isTaken(ActRequest request) {
    return new ActAnswer.Refused(request + ": the id belongs to another act (expected: a new one)");
  }

  /** Nobody waits for what can't come, nor for ever. */
  private void giveUpWaiting(long nowNanos) {
    Optional<String> hopeless = whyNoMajority(nowNanos);
    for (Waiting each : List.copyOf(waiting.values())) {
      boolean late = nowNanos - each.sinceNanos() >= rules.request().toNanos();
      if (late || hopeless.isPresent()) {
        String reason =
            each.request()
                + ": "
                + hopeless.orElse("no answer within " + rules.request().toSeconds() + " s");
        finish(
            each.request(),
            each.proposed() ? new ActAnswer.Unknown(reason) : new ActAnswer.Refused(reason));
      }
    }
  }

  /** Why nothing can be decided for now; empty where it can, or where that is not known yet. */
  private Optional<String> whyNoMajority(long nowNanos) {
    if (mode == Mode.RESTING || nowNanos - sinceNanos <= rules.silence().toNanos()) {
      return Optional.empty();
    }
    if (mode == Mode.PREPARING) {
      ClusterState shown = adopt(promises.values());
      if (!strangers(shown).isEmpty()) {
        return Optional.of(
            "theseus.cluster.nodes: "
                + String.join(", ", nodes)
                + " (expected: "
                + ClusterState.sorted(shown.voters().current().keySet())
                + ", as recorded)");
      }
      return Optional.of(needs(promises.keySet(), shown.voters().isFounded()));
    }
    Set<String> reached = those(nodes, node -> !isOutOfReach(node, nowNanos));
    return reached.size() < Voters.majority(nodes.size())
        ? Optional.of(needs(reached, /* founded= */ true))
        : Optional.empty();
  }

  private String needs(Set<String> reached, boolean founded) {
    return "needs "
        + (founded ? Voters.majority(nodes.size()) : nodes.size())
        + " of "
        + nodes.size()
        + " nodes"
        + (founded ? "" : ", all of them before the first act")
        + "; reached: "
        + (reached.isEmpty() ? "none" : ClusterState.sorted(reached));
  }
}
