package io.theseus.upgrade;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.theseus.upgrade.ActRecord.Outcome;
import io.theseus.upgrade.Agent.Standing;
import io.theseus.upgrade.RunningAct.Phase;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A whole cluster with its operators, disks and network, in virtual time; everything that happens
 * follows from the seed.
 *
 * <p>First come faults: messages are lost, late, repeated and overtake each other; the network
 * parts in both directions or one, and flaps; nodes die at any point, between what is on disk and
 * what was sent too, come back, or come back with an empty disk; several coordinators run at once;
 * staging fails or hangs; a revision misbehaves behind the switch. Then all of that ends, one
 * coordinator is left, a minority may stay dead, and the cluster has to come to rest.
 *
 * <p>What must hold is checked at every step, by a model of its own ({@link #onDecided}, {@link
 * Node#write}, {@link Host#publish}, {@link #onAnswer}), and in the end ({@link #isAtRest}).
 */
final class Simulation {
  static final long FAULTS_END = SECONDS.toNanos(40);
  private static final long STORM_BEGINS = SECONDS.toNanos(6);
  private static final long REST_BOUND = SECONDS.toNanos(60);
  private static final long LAST_ACT_BOUND = SECONDS.toNanos(20);

  static final Rules RULES =
      new Rules(
          Duration.ofMillis(500),
          Duration.ofSeconds(3),
          Duration.ofSeconds(10),
          Duration.ofSeconds(8),
          Duration.ofSeconds(5),
          Duration.ofSeconds(2),
          Duration.ofMillis(1500),
          Duration.ofSeconds(8));

  static final RevisionId BUILT_IN = revision(0);

  /** What the cluster is made of; a test puts flawed parts in. */
  static class Parts {
    Agent agent(String self, Set<String> nodes, AgentState state, long life, long nowNanos) {
      return new Agent(self, nodes, RULES, state, life, nowNanos);
    }

    Coordinator coordinator(
        String self, Set<String> nodes, long life, SplittableRandom random, long nowNanos) {
      return new Coordinator(self, nodes, RULES, BUILT_IN, life, random, nowNanos);
    }

    /** What a disk holds behind a write. */
    AgentState written(AgentState before, AgentState written) {
      return written;
    }

    /** What an agent's actions are carried out as. */
    List<Action.OfAgent> carriedOut(List<Action.OfAgent> actions) {
      return actions;
    }
  }

  private record Event(long atNanos, long order, Runnable run) implements Comparable<Event> {
    @Override
    public int compareTo(Event other) {
      return atNanos != other.atNanos
          ? Long.compare(atNanos, other.atNanos)
          : Long.compare(order, other.order);
    }
  }

  /** What came of it, for whoever counts. */
  record Tally(int decided, Map<Outcome, Integer> outcomes, int crashes, int wipes) {}

  private final long seed;
  private final Parts parts;
  private final boolean tracing;
  private final boolean encoding;
  private final SplittableRandom random;
  private final PriorityQueue<Event> events = new PriorityQueue<>();
  private final TreeSet<String> names = new TreeSet<>();
  private final Map<String, Node> nodes = new HashMap<>();
  private final List<Node> all = new ArrayList<>();
  private final boolean[][] cut;
  private final double loss;
  private final double repeat;
  private final double trouble;

  /**
   * In every third seed: short lives, slow messages, many acts, and no coordinator hears of
   * another.
   */
  private final boolean storm;

  private long nowNanos;
  private long order;
  private long lives;
  private int crashes;
  private int wipes;
  private int acts;
  private int revisions;
  private boolean faulty = true;

  /** Decided states by their sequence, as whoever learnt it first showed it. */
  private final List<ClusterState> decided = new ArrayList<>();

  /** Who has staged for an act, and who has switched, as "act node". */
  private final Set<String> stagedFor = new HashSet<>();

  private final Set<String> switchedFor = new HashSet<>();
  private final List<ActRequest> requests = new ArrayList<>();

  Simulation(long seed, Parts parts, boolean tracing) {
    this.seed = seed;
    this.parts = parts;
    this.tracing = tracing;
    this.encoding = seed % 512 == 0;
    this.random = new SplittableRandom(seed);
    int size = 1 + random.nextInt(5);
    this.cut = new boolean[size][size];
    this.storm = random.nextInt(3) == 0;
    this.loss = random.nextInt(3) == 0 ? 0 : random.nextDouble() * 0.3;
    this.repeat = random.nextDouble() * 0.1;
    this.trouble = random.nextInt(3) == 0 ? 0 : random.nextDouble() * 0.3;
    this.decided.add(ClusterState.initial(BUILT_IN));
    for (int i = 0; i < size; i++) {
      names.add("n" + (i + 1));
    }
    for (String name : names) {
      Node node = new Node(name, all.size());
      all.add(node);
      nodes.put(name, node);
    }
  }

  static RevisionId revision(int number) {
    return new RevisionId(String.format("%08x%056x", number, 0), "r" + number);
  }

  /** Runs it; throws where something is wrong. */
  Tally run() {
    trace(() -> "seed " + seed + ", nodes " + names);
    for (Node node : all) {
      at(within(SECONDS.toNanos(storm ? 1 : 3)), node::start);
    }
    if (storm) {
      faulty = false; // all nodes must have been there once
      at(STORM_BEGINS, () -> faulty = true);
    }
    times(storm ? 2 : 1, () -> at(within(SECONDS.toNanos(3)), this::startCoordinator));
    times(storm ? 30 : 2 + random.nextInt(6), () -> at(within(FAULTS_END), this::act));
    times((storm ? 15 : 0) + random.nextInt(14), () -> at(within(FAULTS_END), this::fault));
    runUntil(FAULTS_END);
    endFaults();
    long restBy = nowNanos + REST_BOUND;
    while (!isAtRest()) {
      if (nowNanos > restBy) {
        throw new IllegalStateException("not at rest: " + whyNotAtRest());
      }
      runUntil(nowNanos + SECONDS.toNanos(1));
    }
    lastAct();
    Map<Outcome, Integer> outcomes = new HashMap<>();
    last().history().forEach(each -> outcomes.merge(each.outcome(), 1, Integer::sum));
    return new Tally(decided.size() - 1, outcomes, crashes, wipes);
  }

  private ClusterState last() {
    return decided.get(decided.size() - 1);
  }

  private void runUntil(long endNanos) {
    for (Event event = events.peek();
        event != null && event.atNanos() <= endNanos;
        event = events.peek()) {
      events.poll();
      nowNanos = event.atNanos();
      event.run().run();
    }
    nowNanos = endNanos;
  }

  private void at(long atNanos, Runnable run) {
    events.add(new Event(atNanos, order++, run));
  }

  private void after(long delayNanos, Runnable run) {
    at(nowNanos + delayNanos, run);
  }

  private long within(long nanos) {
    return random.nextLong(nanos);
  }

  private static void times(int count, Runnable run) {
    for (int i = 0; i < count; i++) {
      run.run();
    }
  }

  private boolean chance(double probability) {
    return random.nextDouble() < probability;
  }

  private <T> T any(List<T> of) {
    return of.get(random.nextInt(of.size()));
  }

  private void trace(Supplier<String> line) {
    if (tracing) {
      System.out.printf("%9.3f %s%n", nowNanos / 1e9, line.get());
    }
  }

  private void check(boolean holds, Supplier<String> otherwise) {
    if (!holds) {
      throw new IllegalStateException(otherwise.get());
    }
  }

  // Faults.

  private void fault() {
    if (!faulty) {
      return;
    }
    Node node = any(all);
    switch (random.nextInt(9)) {
      case 0, 1 -> crashAndReturn(node, awayNanos());
      case 2 -> {
        if (node.mayLoseItsDisk()) {
          crashAndReturn(node, awayNanos());
          node.wipe();
        }
      }
      case 3 -> part(/* oneWay= */ false, within(SECONDS.toNanos(storm ? 6 : 20)));
      case 4 -> part(/* oneWay= */ true, within(SECONDS.toNanos(storm ? 6 : 20)));
      case 5 -> times(6, () -> after(within(SECONDS.toNanos(10)), this::flap));
      case 6, 7 -> startCoordinator();
      default -> {
        Node some = any(all);
        if (!some.coordinators.isEmpty()) {
          some.coordinators.remove(0).stop();
        }
      }
    }
  }

  private long awayNanos() {
    return storm ? within(SECONDS.toNanos(1)) : within(SECONDS.toNanos(15));
  }

  private void crashAndReturn(Node node, long awayNanos) {
    if (faulty) {
      node.crash();
      after(awayNanos, node::start);
    }
  }

  private void part(boolean oneWay, long forNanos) {
    boolean[] side = new boolean[all.size()];
    for (int i = 0; i < side.length; i++) {
      side[i] = random.nextBoolean();
    }
    for (int i = 0; i < side.length; i++) {
      for (int j = 0; j < side.length; j++) {
        cut[i][j] |= side[i] != side[j] && (!oneWay || side[i]);
      }
    }
    trace(() -> "the network parts" + (oneWay ? " one way" : ""));
    after(forNanos, this::heal);
  }

  private void flap() {
    if (faulty) {
      int i = random.nextInt(all.size());
      int j = random.nextInt(all.size());
      cut[i][j] = !cut[i][j];
    }
  }

  private void heal() {
    for (boolean[] row : cut) {
      java.util.Arrays.fill(row, false);
    }
  }

  private void startCoordinator() {
    List<Node> living = all.stream().filter(node -> node.alive).toList();
    if (!living.isEmpty()) {
      any(living).startCoordinator();
    } else {
      after(
          SECONDS.toNanos(1),
          () -> {
            if (faulty) {
              startCoordinator();
            }
          });
    }
  }

  /** The faults are over: a coordinator, and enough nodes, are left. */
  private void endFaults() {
    trace(() -> "the faults end");
    faulty = false;
    heal();
    int mostDead = last().voters().isFounded() ? (all.size() - 1) / 2 : 0;
    int dead = mostDead == 0 ? 0 : random.nextInt(mostDead + 1);
    for (Node node : all) {
      boolean stays = !node.alive && node.isVoter() && dead > 0 && othersSuffice(node);
      if (stays) {
        dead--;
        node.gone = true;
      } else {
        node.start();
      }
    }
    for (Node node : all) {
      node.coordinators.forEach(SimCoordinator::stop);
      node.coordinators.clear();
    }
    startCoordinator();
  }

  private boolean othersSuffice(Node without) {
    // while voters change, of those before as well: a lost disk and a dead node may be too many
    Map<String, Long> others = new HashMap<>();
    all.stream()
        .filter(node -> node != without && !node.gone)
        .forEach(node -> others.put(node.name, node.disk.incarnation()));
    return last().voters().isQuorum(others, names);
  }

  // Operators.

  private void act() {
    ActRequest request;
    if (!requests.isEmpty() && random.nextInt(8) == 0) {
      request = any(requests); // somebody is late
    } else {
      Set<String> without = new HashSet<>();
      for (String name : names) {
        if (random.nextInt(6) == 0) {
          without.add(name);
        }
      }
      request =
          new ActRequest(
              "a" + ++acts,
              random.nextBoolean() ? "ann" : "bob",
              MILLISECONDS.convert(nowNanos, java.util.concurrent.TimeUnit.NANOSECONDS),
              randomAct(),
              without,
              random.nextLong(storm ? 500 : 5000));
      requests.add(request);
    }
    trace(() -> "wanted: " + request + " without " + request.without());
    ask(request, 1 + random.nextInt(4));
  }

  private Act randomAct() {
    return switch (random.nextInt(9)) {
      case 0 -> new Act.Pause();
      case 1 -> new Act.Resume();
      case 2, 3 -> new Act.Undo(acts < 2 ? "a0" : "a" + Math.max(1, acts - random.nextInt(3)));
      case 4 -> new Act.Rollback(revision(random.nextInt(revisions + 1)));
      case 5 -> new Act.Promote();
      default -> new Act.Upgrade(revision(++revisions), base(), share());
    };
  }

  /** What is in force, mostly. */
  private RevisionId base() {
    return random.nextInt(10) == 0
        ? revision(random.nextInt(revisions + 1))
        : last().confirmed().revision();
  }

  private Act.@Nullable Share share() {
    return switch (random.nextInt(6)) {
      case 0 -> new Act.Share(null, 1 + random.nextInt(99));
      case 1 -> new Act.Share(new UUID(0, random.nextInt(9)), 0);
      default -> null;
    };
  }

  private void ask(ActRequest request, int repetitions) {
    List<Node> asked = all.stream().filter(node -> !node.coordinators.isEmpty()).toList();
    if (!asked.isEmpty()) {
      any(any(asked).coordinators).request(request);
    }
    if (repetitions > 1) {
      after(
          within(SECONDS.toNanos(6)),
          () -> {
            if (faulty) {
              ask(request, repetitions - 1);
            }
          });
    }
  }

  private void onAnswer(String actId, ActAnswer answer) {
    trace(() -> "answer to " + actId + ": " + answer);
    if (answer instanceof ActAnswer.Begun) {
      RunningAct running = last().running();
      check(
          (running != null && running.id().equals(actId)) || last().ended(actId).isPresent(),
          () -> actId + " is said to have begun (expected: it is decided)");
    } else if (answer instanceof ActAnswer.Ended ended) {
      check(
          last().ended(actId).equals(Optional.of(ended.how())),
          () -> actId + " is said to have ended: " + ended + " (expected: as decided)");
    }
  }

  // The end.

  private boolean isAtRest() {
    return whyNotAtRest().isEmpty();
  }

  private String whyNotAtRest() {
    ClusterState state = last();
    if (state.running() != null) {
      return state.describe();
    }
    if (!state.voters().isFounded() || !state.voters().former().isEmpty()) {
      return "voters: " + state.voters();
    }
    boolean led =
        all.stream()
            .flatMap(node -> node.coordinators.stream())
            .anyMatch(each -> each.coordinator.decided().isPresent());
    if (!led) {
      return "nobody leads"; // what is on some disks may still be taken up
    }
    for (Node node : all) {
      if (!node.gone) {
        Agent agent = node.agent();
        boolean there =
            agent.standing() == Standing.CURRENT
                && agent.decided().equals(state)
                && agent.course().equals(Optional.of(state.confirmed()))
                && node.host().course.equals(Optional.of(state.confirmed()))
                && node.isVoter();
        if (!there) {
          return node.name
              + ": "
              + agent.standing()
              + ", decided "
              + agent.decided().sequence()
              + " of "
              + state.sequence()
              + ", course "
              + agent.course()
              + ", failure "
              + agent.failure();
        }
      }
    }
    return "";
  }

  /** An act with all that live goes through, and a second one goes back. */
  private void lastAct() {
    Set<String> gone = new HashSet<>();
    all.stream().filter(node -> node.gone).forEach(node -> gone.add(node.name));
    Course before = last().confirmed();
    if (before.canary() != null) {
      end(new ActRequest("promoted", "eve", 0, new Act.Promote(), gone, 1000));
      before = last().confirmed();
    }
    Act.Upgrade upgrade = new Act.Upgrade(revision(++revisions), before.revision(), null);
    end(new ActRequest("last", "eve", 0, upgrade, gone, 1000));
    check(
        last().confirmed().revision().equals(upgrade.revision()),
        () -> "the last act: " + last().describe());
    end(new ActRequest("back", "eve", 0, new Act.Undo("last"), gone, 1000));
    boolean asBefore = last().confirmed().equals(before);
    check(asBefore, () -> "undone: " + last().describe());
  }

  private void end(ActRequest request) {
    long by = nowNanos + LAST_ACT_BOUND;
    ask(request, 1);
    while (!isAtRest() || last().ended(request.id()).isEmpty()) {
      check(
          nowNanos <= by, () -> request + " has not ended: " + last().describe() + whyNotAtRest());
      runUntil(nowNanos + SECONDS.toNanos(1));
    }
    check(
        last().ended(request.id()).orElseThrow().outcome() == Outcome.CONFIRMED,
        () -> "expected: CONFIRMED: " + last().ended(request.id()));
  }

  // What must hold.

  /** Somebody takes a state for decided. */
  private void onDecided(ClusterState state, String who) {
    int sequence = (int) state.sequence();
    if (sequence < decided.size()) {
      ClusterState known = decided.get(sequence);
      check(
          isSame(known, state),
          () -> who + " takes for decided: " + state + " (expected: " + known + ")");
      return;
    }
    trace(() -> who + " decides " + sequence + ": " + state.describe() + " " + state.voters());
    ClusterState before = last();
    check(sequence == decided.size(), () -> who + " skips to " + sequence);
    checkFollows(before, state);
    decided.add(state);
  }

  @SuppressWarnings("ReferenceEquality") // nearly always it is the very object
  private static boolean isSame(ClusterState one, @Nullable ClusterState other) {
    return one == other || one.equals(other);
  }

  private void checkFollows(ClusterState before, ClusterState state) {
    Supplier<String> otherwise = () -> state + " follows " + before;
    RunningAct was = before.running();
    RunningAct is = state.running();
    if (!state.voters().equals(before.voters())) {
      check(
          state.confirmed().equals(before.confirmed())
              && Objects.equals(is, was)
              && state.history().equals(before.history()),
          otherwise);
    } else if (was == null) {
      check(
          is != null
              && is.phase() == Phase.STAGING
              && state.confirmed().equals(before.confirmed())
              && state.history().equals(before.history())
              && before.ended(is.id()).isEmpty(),
          otherwise);
    } else if (is != null) {
      check(
          was.phase() == Phase.STAGING
              && is.phase() == Phase.SWITCHING
              && is.request().equals(was.request())
              && is.target().equals(was.target())
              && state.confirmed().equals(before.confirmed())
              && state.history().equals(before.history()),
          otherwise);
      for (String name : names) {
        check(
            is.request().without().contains(name) || stagedFor.contains(is.id() + " " + name),
            () -> is.request() + " switches, and " + name + " has never staged");
      }
    } else {
      checkEnd(before, was, state, otherwise);
    }
  }

  private void checkEnd(
      ClusterState before, RunningAct was, ClusterState state, Supplier<String> otherwise) {
    int known = before.history().size();
    List<ActRecord> added = state.history().subList(known, state.history().size());
    check(
        state.history().subList(0, known).equals(before.history())
            && !added.isEmpty()
            && added.get(0).id().equals(was.id())
            && added.stream().allMatch(each -> before.ended(each.id()).isEmpty()),
        otherwise);
    Outcome outcome = added.get(0).outcome();
    if (outcome == Outcome.CONFIRMED) {
      long switched =
          names.stream().filter(name -> switchedFor.contains(was.id() + " " + name)).count();
      check(was.phase() == Phase.SWITCHING && state.confirmed().equals(was.target()), otherwise);
      check(
          switched >= Voters.majority(names.size()),
          () -> was.request() + " is confirmed, and " + switched + " have switched");
    } else {
      check(
          state.confirmed().equals(before.confirmed())
              && (outcome == Outcome.REFUSED) == (was.phase() == Phase.STAGING),
          otherwise);
    }
  }

  // The network.

  private void send(Node from, String to, Message message) {
    Node target = Objects.requireNonNull(nodes.get(to));
    Message sent = encoding ? Codec.message(Codec.encode(message)) : message;
    boolean near = from == target;
    if (!near && faulty && (cut[from.index][target.index] || chance(loss))) {
      return;
    }
    if (storm && faulty && message instanceof Message.Refusal) {
      return;
    }
    int copies = !near && faulty && chance(repeat) ? 2 : 1;
    times(
        copies,
        () -> {
          long delay = near ? within(100_000) : within(MILLISECONDS.toNanos(usualMillis()));
          if (!near && faulty && random.nextInt(12) == 0) {
            delay += within(SECONDS.toNanos(random.nextInt(4) == 0 ? 15 : 1));
          }
          after(delay, () -> target.deliver(from.name, sent));
        });
  }

  private long usualMillis() {
    return storm && faulty && random.nextBoolean() ? 1500 : 20;
  }

  // Nodes.

  private final class Node {
    final String name;
    final int index;
    boolean alive;
    boolean gone;
    long life;
    private AgentState disk;
    private @Nullable Agent agent;
    private @Nullable Host host;
    final List<SimCoordinator> coordinators = new ArrayList<>();

    /** What waits for the agent while it waits for its disk. */
    private final Deque<Supplier<List<Action.OfAgent>>> inbox = new ArrayDeque<>();

    private boolean busy;

    /** What is being written: a crash leaves it on disk or not. */
    private @Nullable AgentState writing;

    private @Nullable ClusterState shown;

    /** The last promise that was sent. */
    private Term promised = Term.NONE;

    Node(String name, int index) {
      this.name = name;
      this.index = index;
      this.disk = AgentState.fresh(++lives, BUILT_IN);
    }

    Agent agent() {
      return Objects.requireNonNull(agent);
    }

    Host host() {
      return Objects.requireNonNull(host);
    }

    void start() {
      if (alive || gone) {
        return;
      }
      trace(() -> name + " starts, decided " + disk.decided().sequence());
      alive = true;
      life = ++lives;
      host = new Host(this, life);
      agent = parts.agent(name, names, disk, life, nowNanos);
      agent.processStarted(nowNanos);
      shown = null;
      tick(life);
    }

    void crash() {
      if (!alive) {
        return;
      }
      crashes++;
      alive = false;
      AgentState torn = writing;
      if (torn != null && random.nextBoolean()) {
        disk = parts.written(disk, torn);
      }
      writing = null;
      busy = false;
      inbox.clear();
      coordinators.forEach(SimCoordinator::stop);
      coordinators.clear();
      trace(() -> name + " dies, decided " + disk.decided().sequence());
    }

    void wipe() {
      trace(() -> name + " loses its disk");
      wipes++;
      promised = Term.NONE;
      disk = AgentState.fresh(++lives, BUILT_IN);
    }

    boolean isVoter() {
      Long known = last().voters().current().get(name);
      return known != null && known == disk.incarnation();
    }

    /** Fewer may lose their disks at a time than are needed to lose what is decided. */
    boolean mayLoseItsDisk() {
      int size = all.size();
      int needed = size - Voters.majority(size) + 1;
      if (size == 1) {
        return false;
      }
      if (!last().voters().isFounded()) {
        return size - wipes - 1 >= needed;
      }
      long voters = all.stream().filter(node -> node != this && node.isVoter()).count();
      return last().voters().former().isEmpty() && voters >= needed;
    }

    void startCoordinator() {
      SimCoordinator coordinator = new SimCoordinator(this, ++lives);
      coordinators.add(coordinator);
      trace(() -> name + " coordinates");
      coordinator.tick();
    }

    private void tick(long ticking) {
      if (alive && life == ticking) {
        input(() -> agent().onTick(nowNanos));
        after(RULES.beat().toNanos() - within(1_000_000), () -> tick(ticking));
      }
    }

    void deliver(String from, Message message) {
      if (!alive) {
        return;
      }
      if (message instanceof Message.ToAgent toAgent) {
        input(() -> agent().onMessage(from, toAgent, nowNanos));
      } else if (message instanceof Message.ToCoordinator toCoordinator) {
        for (SimCoordinator each : List.copyOf(coordinators)) {
          each.deliver(from, toCoordinator);
        }
      }
    }

    void input(Supplier<List<Action.OfAgent>> input) {
      if (busy) {
        inbox.add(input);
      } else {
        carryOut(parts.carriedOut(input.get()), 0);
      }
    }

    private void carryOut(List<Action.OfAgent> actions, int from) {
      for (int i = from; i < actions.size(); i++) {
        Action.OfAgent action = actions.get(i);
        if (faulty && random.nextInt(2000) == 0) {
          crashAndReturn(this, awayNanos()); // between any two actions
          return;
        }
        if (action instanceof Action.Persist persist) {
          busy = true;
          writing = persist.state();
          if (faulty && random.nextInt(storm ? 20 : 60) == 0) {
            after(within(MILLISECONDS.toNanos(12)), () -> crashAndReturn(this, awayNanos()));
          }
          long mine = life;
          int next = i + 1;
          after(
              within(MILLISECONDS.toNanos(10)),
              () -> {
                if (alive && life == mine) {
                  write(persist.state());
                  carryOut(actions, next);
                }
              });
          return;
        }
        carryOut(action);
      }
      show();
      busy = false;
      Supplier<List<Action.OfAgent>> next = inbox.poll();
      if (next != null) {
        input(next);
      }
    }

    private void show() {
      ClusterState now = agent().decided();
      if (!isSame(now, shown)) {
        shown = now;
        onDecided(now, name);
        host().note(now);
      }
    }

    private void carryOut(Action.OfAgent action) {
      if (action instanceof Action.Send send) {
        if (send.message() instanceof Message.Promise promise) {
          checkTerm(promise.term());
          promised = promise.term();
        }
        send(this, send.to(), send.message());
      } else if (action instanceof Action.Stage stage) {
        host().stage(stage);
      } else if (action instanceof Action.Publish publish) {
        host().publish(publish);
      } else if (action instanceof Action.Keep keep) {
        host().staged.retainAll(keep.revisions());
      }
    }

    private void checkTerm(Term term) {
      check(
          !term.isBefore(promised),
          () -> name + " goes back to term " + term + " (expected: >= " + promised + ")");
    }

    private void write(AgentState state) {
      AgentState before = disk;
      if (!state.acceptedTerm().equals(before.acceptedTerm())) {
        checkTerm(state.acceptedTerm());
      }
      check(
          !state.promised().isBefore(before.promised())
              && !state.acceptedTerm().isBefore(before.acceptedTerm())
              && (!state.acceptedTerm().equals(before.acceptedTerm())
                  || state.accepted().sequence() >= before.accepted().sequence())
              && state.decided().sequence() >= before.decided().sequence()
              && state.incarnation() == before.incarnation(),
          () -> name + " goes back from " + before + " to " + state);
      AgentState written = parts.written(before, state);
      disk = encoding ? Codec.agentState(Codec.encode(written)) : written;
      writing = null;
    }
  }

  private final class SimCoordinator {
    private final Node node;
    private final Coordinator coordinator;
    private boolean running = true;
    private @Nullable ClusterState shown;

    SimCoordinator(Node node, long life) {
      this.node = node;
      this.coordinator = parts.coordinator(node.name, names, life, random.split(), nowNanos);
    }

    void tick() {
      if (running) {
        carryOut(coordinator.onTick(nowNanos));
        after(RULES.beat().toNanos() - within(1_000_000), this::tick);
      }
    }

    void deliver(String from, Message.ToCoordinator message) {
      if (running) {
        carryOut(coordinator.onMessage(from, message, nowNanos));
      }
    }

    void request(ActRequest request) {
      if (running) {
        carryOut(coordinator.onRequest(request, nowNanos));
      }
    }

    void stop() {
      running = false;
    }

    private void carryOut(List<Action.OfCoordinator> actions) {
      Optional<ClusterState> now = coordinator.decided();
      if (now.isPresent() && !isSame(now.get(), shown)) {
        shown = now.get();
        onDecided(now.get(), "the coordinator of " + node.name + " in term " + coordinator.term());
      }
      for (Action.OfCoordinator action : actions) {
        if (action instanceof Action.Send send) {
          send(node, send.to(), send.message());
        } else if (action instanceof Action.Answer answer) {
          onAnswer(answer.actId(), answer.answer());
        }
      }
    }
  }

  /** Where revisions would run, in one life of a node. */
  private final class Host {
    private final Node node;
    private final long life;
    final Set<RevisionId> staged = new HashSet<>();
    Optional<Course> course = Optional.empty();
    private long generation;

    Host(Node node, long life) {
      this.node = node;
      this.life = life;
    }

    private boolean isThere() {
      return node.alive && node.life == life;
    }

    void stage(Action.Stage stage) {
      long delay = MILLISECONDS.toNanos(10) + within(MILLISECONDS.toNanos(400));
      boolean bad = faulty && chance(trouble);
      if (bad && random.nextBoolean()) {
        trace(() -> node.name + " hangs in staging " + stage.revision());
        return;
      }
      after(
          delay,
          () -> {
            if (!isThere()) {
              return;
            }
            if (bad) {
              String reason = "the self-test of " + stage.revision() + " failed";
              node.input(() -> node.agent().onStageRefused(stage.attempt(), reason, nowNanos));
            } else {
              node.input(
                  () -> {
                    staged.add(stage.revision());
                    note(node.agent().decided());
                    return node.agent().onStaged(stage.attempt(), nowNanos);
                  });
            }
          });
    }

    /** Notes how far this node is with an act. */
    void note(ClusterState state) {
      RunningAct act = state.running();
      if (act != null && staged.containsAll(act.target().revisions())) {
        stagedFor.add(act.id() + " " + node.name);
      }
      // it may have been so before: a resume finds a node that has not heard of the pause
      if (act != null
          && act.phase() == Phase.SWITCHING
          && course.equals(Optional.of(act.target()))) {
        switchedFor.add(act.id() + " " + node.name);
      }
    }

    void publish(Action.Publish publish) {
      Course now = publish.course();
      trace(() -> node.name + " serves by " + now);
      check(
          staged.containsAll(now.revisions())
              && (publish.stable() == null || staged.contains(publish.stable())),
          () -> node.name + " serves by " + publish + " (expected: it is staged)");
      boolean changes = course.isEmpty() || !now.runsAs(course.get());
      check(
          publish.switchGeneration() == (changes ? generation + 1 : generation),
          () -> node.name + ": switch generation " + publish.switchGeneration());
      ClusterState state = node.agent().decided();
      onDecided(state, node.name);
      check(
          now.equals(
              node.agent().standing() == Standing.CURRENT ? state.course() : state.confirmed()),
          () -> node.name + " serves by " + now + " (expected: as decided)");
      generation = publish.switchGeneration();
      course = Optional.of(now);
      note(state);
      RunningAct act = state.running();
      if (act != null && act.phase() == Phase.SWITCHING && faulty && chance(trouble)) {
        long mine = generation;
        after(
            within(SECONDS.toNanos(4)),
            () -> {
              if (isThere()) {
                node.input(() -> node.agent().onMisbehaviour(mine, "many errors", nowNanos));
              }
            });
      }
    }
  }
}
