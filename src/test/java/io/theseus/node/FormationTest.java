package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.theseus.node.Formation.Action;
import io.theseus.node.Formation.Membership;
import io.theseus.node.Formation.Question;
import io.theseus.node.Formation.Reply;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Simulates whole clusters with a virtual clock. A seed that fails is printed; pass it to {@link
 * Simulation} alone to see the run again.
 */
class FormationTest {
  private static final long SECOND = 1_000_000_000L;
  private static final List<String> THREE = List.of("h:1", "h:2", "h:3");
  private static final int RUNS = 150;

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5})
  void shouldFormOneClusterAndNoOtherUnderLossDelayAndCrashes(int size) {
    for (int seed = 0; seed < RUNS; seed++) {
      new Simulation(size, seed, Faults.MESSAGES).run();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5})
  void shouldEndAsOneClusterAfterPartitionsAndCrashesOfMembers(int size) {
    for (int seed = 0; seed < RUNS; seed++) {
      new Simulation(size, seed, Faults.ALL).run();
    }
  }

  @Test
  void shouldFormAtOnceWhenAlone() {
    assertThat(formation("h:1", List.of()).onTick(0, Membership.NONE))
        .containsExactly(new Action.Form());
    assertThat(formation("h:1", List.of("h:1")).onTick(0, Membership.NONE))
        .containsExactly(new Action.Form());
  }

  @Test
  void shouldSayWhatItWaitsFor() {
    Formation formation = formation("h:1", THREE);
    formation.onTick(0, Membership.NONE);
    assertThat(formation.waitsFor())
        .hasValue(
            "waiting for 1 more of seed nodes h:2 (no answer), h:3 (no answer); needs 2 of 3");

    formation.onReply(reply("h:3", 0, false, Membership.NONE), 1);
    assertThat(formation.waitsFor())
        .hasValue(
            "agreeing who forms the cluster, with seed nodes h:2 (no answer), h:3 (has not joined"
                + " either)");

    Membership theirs = new Membership(Set.of("h:3#9"), 1);
    formation.onReply(reply("h:3", 0, false, theirs), 2);
    assertThat(formation.onTick(3, Membership.NONE)).contains(new Action.Join("h:3"));
    assertThat(formation.waitsFor()).hasValue("joining the cluster of h:3");

    formation.onTick(4, new Membership(Set.of("h:3#9", "h:1#7"), 2));
    assertThat(formation.waitsFor()).isEmpty();
  }

  @Test
  void shouldNotFormWithoutAMajority() {
    Formation formation = formation("h:1", THREE);
    for (long now = 0; now < 600 * SECOND; now += SECOND / 2) {
      assertThat(formation.onTick(now, Membership.NONE)).doesNotContain(new Action.Form());
    }
  }

  @Test
  void shouldNeverFormWhereItIsNoSeed() {
    Formation formation = formation("h:9", THREE);
    for (long now = 0; now < 600 * SECOND; now += SECOND / 2) {
      for (String seed : THREE) {
        formation.onReply(reply(seed, now, true, Membership.NONE), now);
      }
      assertThat(formation.onTick(now, Membership.NONE)).doesNotContain(new Action.Form());
    }
    assertThat(formation.waitsFor().orElse(""))
        .startsWith("waiting for a cluster at one of the seed nodes h:1");
  }

  @Test
  void shouldGiveOneVoteForTheTimeOfALease() {
    Formation voter = formation("h:3", THREE);
    long now = 4 * SECOND;

    assertThat(voter.onQuestion(asks("h:2", now), now, Membership.NONE).granted()).isTrue();
    assertThat(voter.onQuestion(asks("h:1", now), now + SECOND, Membership.NONE).granted())
        .isFalse();
    assertThat(voter.onQuestion(asks("h:2", now), now + SECOND, Membership.NONE).granted())
        .isTrue();
    assertThat(voter.onQuestion(asks("h:1", now), now + 5 * SECOND, Membership.NONE).granted())
        .isTrue();
  }

  @Test
  void shouldGiveNoVoteBeforeAnEarlierLifesVotesAreOver() {
    Formation voter = formation("h:3", THREE);

    assertThat(voter.onQuestion(asks("h:1", 0), 3 * SECOND - 1, Membership.NONE).granted())
        .isFalse();
    assertThat(voter.onQuestion(asks("h:1", 0), 3 * SECOND, Membership.NONE).granted()).isTrue();
  }

  @Test
  void shouldGiveNoVoteToAStrangerOrAsAMember() {
    Formation voter = formation("h:3", THREE);
    Membership mine = new Membership(Set.of("h:3#7"), 1);

    assertThat(voter.onQuestion(asks("h:8", 0), 9 * SECOND, Membership.NONE).granted()).isFalse();
    assertThat(voter.onQuestion(asks("h:1", 0), 9 * SECOND, mine).granted()).isFalse();
  }

  @Test
  void shouldCountAVoteForHalfALeaseFromWhenItWasAskedFor() {
    Formation formation = formation("h:1", THREE);
    formation.onReply(reply("h:2", 0, false, Membership.NONE), 4 * SECOND);
    formation.onTick(4 * SECOND, Membership.NONE);
    assertThat(formation.vote(4 * SECOND)).hasValue("h:1");

    // the answer was on its way for a second
    formation.onReply(reply("h:2", 4 * SECOND, true, Membership.NONE), 5 * SECOND);

    assertThat(formation.voters(5 * SECOND + SECOND / 2 - 1)).containsExactly("h:2");
    assertThat(formation.voters(5 * SECOND + SECOND / 2)).isEmpty();
  }

  @Test
  void shouldFormWithAMajorityOfVotesOnly() {
    Formation formation = formation("h:1", THREE);
    long now = 4 * SECOND;
    formation.onReply(reply("h:2", 0, false, Membership.NONE), now);
    assertThat(formation.onTick(now, Membership.NONE)).doesNotContain(new Action.Form());
    formation.onReply(reply("h:2", now, false, Membership.NONE), now);
    assertThat(formation.onTick(now, Membership.NONE)).doesNotContain(new Action.Form());
    formation.onReply(reply("h:2", now, true, Membership.NONE), now);
    assertThat(formation.onTick(now, Membership.NONE)).contains(new Action.Form());
  }

  @Test
  void shouldJoinNothingElseWhileItsVoteIsOut() {
    Formation voter = formation("h:3", THREE);
    long now = 4 * SECOND;
    assertThat(voter.onQuestion(asks("h:1", now), now, Membership.NONE).granted()).isTrue();
    Membership second = new Membership(Set.of("h:2#9"), 1);
    voter.onReply(reply("h:2", now, false, second), now + SECOND);
    assertThat(voter.onTick(now + SECOND, Membership.NONE)).doesNotContain(new Action.Join("h:2"));

    // what the vote was for may be joined at once
    Membership first = new Membership(Set.of("h:1#9"), 1);
    voter.onReply(reply("h:1", now, false, first), now + SECOND);
    assertThat(voter.onTick(now + SECOND, Membership.NONE)).contains(new Action.Join("h:1"));
  }

  @Test
  void shouldJoinAnotherClusterWhenItsVoteIsOver() {
    Formation voter = formation("h:3", THREE);
    long now = 4 * SECOND;
    assertThat(voter.onQuestion(asks("h:1", now), now, Membership.NONE).granted()).isTrue();
    voter.onReply(reply("h:2", now, false, new Membership(Set.of("h:2#9"), 1)), now + 3 * SECOND);
    assertThat(voter.onTick(now + 3 * SECOND, Membership.NONE)).contains(new Action.Join("h:2"));
  }

  @Test
  void shouldIgnoreAnswersToAnEarlierLife() {
    Formation formation = formation("h:1", THREE);
    Membership theirs = new Membership(Set.of("h:3#9"), 1);

    formation.onReply(new Reply("h:3", 6, 0, true, true, theirs), 1);

    assertThat(formation.onTick(2, Membership.NONE)).doesNotContain(new Action.Join("h:3"));
  }

  @Test
  void shouldLeaveTheSmallerOfTwoClusters() {
    Formation formation = formation("h:1", THREE);
    Membership mine = new Membership(Set.of("h:1#7"), 1);
    Membership theirs = new Membership(Set.of("h:2#8", "h:3#9"), 2);
    List<Action> actions = new ArrayList<>();
    for (long now = 0; now <= 4 * SECOND; now += SECOND / 2) {
      formation.onReply(reply("h:2", now, false, theirs), now);
      actions.addAll(formation.onTick(now, mine));
    }

    assertThat(actions)
        .contains(
            new Action.Dissolve(
                "node h:2 is in another cluster with 2 reachable members; this one has 1"));
  }

  private static Formation formation(String self, List<String> seeds) {
    return new Formation(Formation.Rules.of(self, seeds), 7, 0, new Random(1));
  }

  private static Question asks(String from, long sentNanos) {
    return new Question(from, 1, sentNanos, true);
  }

  private static Reply reply(String from, long asked, boolean granted, Membership membership) {
    return new Reply(from, 7, asked, granted, true, membership);
  }

  private enum Faults {
    /** Loss, delays that are short beside a lease, and crashes of nodes that haven't joined yet. */
    MESSAGES,
    /** Also delays of many leases, partitions of one or both directions, and crashes of anybody. */
    ALL
  }

  private record Event(long atNanos, long order, Runnable run) {}

  /** One cluster of a seed; nodes that form or join are members of a modelled cluster. */
  private static final class Simulation {
    private static final long FAULTS_END = 60 * SECOND;
    private static final long END = 180 * SECOND;
    private static final long DOWN_AFTER = 10 * SECOND;

    private final int size;
    private final int seed;
    private final Faults faults;
    private final Random random;
    private final List<String> addresses;
    private final List<SimNode> nodes = new ArrayList<>();
    private final PriorityQueue<Event> events =
        new PriorityQueue<>(
            Comparator.comparingLong(Event::atNanos).thenComparingLong(Event::order));
    private final boolean[][] cut;
    private final double loss;
    private long nowNanos;
    private long order;
    private long uids;

    Simulation(int size, int seed, Faults faults) {
      this.size = size;
      this.seed = seed;
      this.faults = faults;
      this.random = new Random(seed * 31L + size);
      this.addresses = IntStream.rangeClosed(1, size).mapToObj(i -> "h:" + i).toList();
      this.cut = new boolean[size][size];
      this.loss = random.nextDouble() * 0.3;
    }

    void run() {
      assertThatCode(this::simulate)
          .as("size %d, seed %d, %s", size, seed, faults)
          .doesNotThrowAnyException();
    }

    private void simulate() {
      for (int i = 0; i < size; i++) {
        SimNode node = new SimNode(i);
        nodes.add(node);
        at(random.nextLong(20 * SECOND), node::start);
      }
      for (int i = 0; i < random.nextInt(8); i++) {
        at(random.nextLong(FAULTS_END), this::fault);
      }
      at(FAULTS_END, this::heal);
      while (!events.isEmpty() && events.peek().atNanos() <= END) {
        Event event = events.poll();
        nowNanos = event.atNanos();
        event.run().run();
      }
      Set<SimCluster> clusters =
          nodes.stream().map(node -> node.cluster).collect(Collectors.toCollection(HashSet::new));
      assertThat(clusters).as("clusters at the end").hasSize(1).doesNotContainNull();
      assertThat(clusters.iterator().next().alive()).isEqualTo(size);
    }

    private void fault() {
      SimNode node = nodes.get(random.nextInt(size));
      switch (random.nextInt(faults == Faults.ALL ? 3 : 1)) {
        case 0 -> {
          if (node.alive && (faults == Faults.ALL || node.cluster == null)) {
            node.crash();
            at(nowNanos + random.nextLong(15 * SECOND), node::start);
          }
        }
        case 1 -> {
          int other = random.nextInt(size);
          cut[node.index][other] = true;
          cut[other][node.index] = random.nextBoolean() || cut[other][node.index];
        }
        default -> {
          for (int i = 0; i < size; i++) {
            boolean side = i < size / 2;
            for (int j = 0; j < size; j++) {
              cut[i][j] = side != j < size / 2;
            }
          }
        }
      }
    }

    private void heal() {
      for (boolean[] row : cut) {
        java.util.Arrays.fill(row, false);
      }
    }

    private void at(long atNanos, Runnable run) {
      events.add(new Event(atNanos, order++, run));
    }

    /** Delivers a message, perhaps. */
    private void send(int from, int to, Runnable deliver) {
      boolean faulty = nowNanos < FAULTS_END;
      if (cut[from][to] || (faulty && random.nextDouble() < loss)) {
        return;
      }
      long delay = random.nextLong(SECOND / 50);
      if (faulty && random.nextInt(10) == 0) {
        delay += random.nextLong(faults == Faults.ALL ? 20 * SECOND : SECOND / 2);
      }
      at(nowNanos + delay, deliver);
    }

    private static final class SimCluster {
      final Set<SimNode> members = new HashSet<>();

      long alive() {
        return members.stream().filter(node -> node.alive && node.cluster == this).count();
      }
    }

    private final class SimNode {
      final int index;
      boolean alive;
      long uid;
      @Nullable Formation formation;
      @Nullable SimCluster cluster;
      @Nullable String joinTarget;
      long lonelySinceNanos = -1;

      SimNode(int index) {
        this.index = index;
      }

      String address() {
        return addresses.get(index);
      }

      Formation formation() {
        return java.util.Objects.requireNonNull(formation);
      }

      void start() {
        if (alive) {
          return;
        }
        alive = true;
        uid = ++uids;
        joinTarget = null;
        lonelySinceNanos = -1;
        formation = new Formation(Formation.Rules.of(address(), addresses), uid, nowNanos, random);
        tick(uid);
        retryJoin(uid);
      }

      void crash() {
        alive = false;
        SimCluster left = cluster;
        cluster = null;
        if (left != null && left.alive() == 0) {
          left.members.clear();
        }
      }

      /**
       * A member of its cluster is known by its address and uid; an old life of it stays a while.
       */
      Membership membership() {
        SimCluster mine = cluster;
        if (mine == null) {
          return Membership.NONE;
        }
        Set<String> names = new TreeSet<>();
        int reachable = 0;
        for (SimNode member : mine.members) {
          names.add(member.address() + "#" + member.uid);
          if (member.alive
              && member.cluster == mine
              && !cut[index][member.index]
              && !cut[member.index][index]) {
            reachable++;
          }
        }
        return new Membership(names, reachable);
      }

      void tick(long life) {
        if (!alive || uid != life) {
          return;
        }
        resolve();
        if (!alive || uid != life) {
          return;
        }
        for (Action action : formation().onTick(nowNanos, membership())) {
          if (action instanceof Action.Ask ask) {
            SimNode other = nodes.get(addresses.indexOf(ask.to()));
            send(index, other.index, () -> other.onQuestion(ask.question(), this));
          } else if (action instanceof Action.Join join) {
            joinTarget = join.seed();
          } else if (action instanceof Action.Form) {
            form();
          } else if (action instanceof Action.Dissolve) {
            endLife();
            return;
          }
        }
        at(nowNanos + SECOND / 2 + random.nextLong(SECOND / 100), () -> tick(life));
      }

      void form() {
        if (cluster != null) {
          return;
        }
        for (String voter : formation().voters(nowNanos)) {
          SimNode node = nodes.get(addresses.indexOf(voter));
          if (node.alive) {
            String promised = node.formation().vote(nowNanos).orElse(address());
            assertThat(promised).as("whom the voter %s is promised to", voter).isEqualTo(address());
            assertThat(node.cluster).as("the cluster of the voter %s", voter).isNull();
          }
        }
        if (faults == Faults.MESSAGES) {
          assertThat(nodes)
              .as("members while %s forms", address())
              .noneMatch(node -> node.cluster != null);
        }
        cluster = new SimCluster();
        cluster.members.add(this);
      }

      /** Akka repeats a join until it is welcome or told to join another. */
      void retryJoin(long life) {
        if (!alive || uid != life) {
          return;
        }
        String target = joinTarget;
        if (target != null && cluster == null) {
          SimNode other = nodes.get(addresses.indexOf(target));
          send(index, other.index, () -> other.onJoin(this, life));
        }
        at(nowNanos + SECOND, () -> retryJoin(life));
      }

      void onJoin(SimNode joining, long life) {
        SimCluster mine = cluster;
        if (alive
            && mine != null
            && joining.alive
            && joining.uid == life
            && joining.cluster == null
            && address().equals(joining.joinTarget)) {
          mine.members.add(joining);
          joining.cluster = mine;
        }
      }

      void onQuestion(Question question, SimNode asker) {
        if (alive) {
          Reply reply = formation().onQuestion(question, nowNanos, membership());
          send(
              index,
              asker.index,
              () -> {
                if (asker.alive) {
                  asker.formation().onReply(reply, nowNanos);
                }
              });
        }
      }

      /** The Split Brain Resolver: a static quorum of a majority, after a time. */
      void resolve() {
        SimCluster mine = cluster;
        if (mine == null || membership().reachable() == mine.members.size()) {
          lonelySinceNanos = -1;
          return;
        }
        if (lonelySinceNanos < 0) {
          lonelySinceNanos = nowNanos;
        }
        if (nowNanos - lonelySinceNanos < DOWN_AFTER) {
          return;
        }
        lonelySinceNanos = -1;
        if (membership().reachable() < size / 2 + 1) {
          endLife();
          return;
        }
        for (SimNode member : List.copyOf(mine.members)) {
          boolean reachable =
              member.alive
                  && member.cluster == mine
                  && !cut[index][member.index]
                  && !cut[member.index][index];
          if (!reachable) {
            mine.members.remove(member);
            if (member.alive && member.cluster == mine) {
              member.endLife();
            }
          }
        }
      }

      /** Downed: the actor system ends, the node starts another one. */
      void endLife() {
        SimCluster mine = cluster;
        crash();
        if (mine != null) {
          mine.members.remove(this);
        }
        at(nowNanos + SECOND, this::start);
      }
    }
  }

  @Test
  void shouldHaveALeaseThatIsNotShorterThanThePatience() {
    Formation.Rules rules = Formation.Rules.of("h:1", THREE);

    assertThat(rules.lease()).isGreaterThanOrEqualTo(Duration.ofSeconds(2));
    assertThat(rules.patience()).isLessThanOrEqualTo(rules.lease());
  }
}
