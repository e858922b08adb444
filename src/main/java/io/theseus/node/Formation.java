package io.theseus.node;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Decides when a node joins a cluster, and which one of the seed nodes forms it. Knows no clock, no
 * network and no actors: what happens comes in, what is to be done comes out.
 *
 * <pre>
 * SEARCHING  a seed is in a cluster            JOINING   join it
 * SEARCHING  a majority of the seeds voted     FORMING   join itself
 * JOINING    no member in time, or seed lost   SEARCHING
 * JOINING    member                            MEMBER
 * FORMING    member                            MEMBER
 * MEMBER     a better cluster is found         (dissolve: this life of the node ends)
 * </pre>
 */
final class Formation {
  /*
   * Why there is never a second island.
   *
   * A former needs the votes of more than half of the seeds, all valid at the same instant. A vote
   * is a lease. The voter counts it from when the call arrived; the former counts it from when it
   * sent that call, by its own clock, which is earlier. So, whatever messages were delayed, lost or
   * repeated, a voter that has promised itself to A is free for B only after A has stopped counting
   * on it, and two majorities share a voter. While its vote is out a node neither joins nor forms
   * anything but what the vote is for. The former counts a vote for half of the lease only: in the
   * other half the voters hear of the cluster and join it. A node that has just started gives no vote
   * for one lease, since an earlier life of it may have one out.
   *
   * What leases can't rule out: the former stops between its last look at the clock and the act
   * (SIGSTOP), or is cut off, or dies right after it has formed, and the voters go on without it.
   * Then what it formed has less than a majority of members, while the others may have one. A
   * cluster without a majority never counts: Akka's Split Brain Resolver runs with the same quorum
   * and ends what falls below it; and here every member goes on asking all seeds, so that of two
   * clusters which meet, the one without a majority dissolves and its nodes join the other. Two with
   * a majority can't be, since a node is in one only.
   *
   * Progress: of the seeds that hear a majority, the one with the lowest address asks for votes and
   * the others let it. Where some pairs can't hear each other, two may ask at once and halve the
   * votes; who gets no majority in time rests for a random while.
   */

  /** Who asks, and when by its own clock; the answer brings both back. */
  record Question(String from, long incarnation, long sentNanos, boolean wantsVote) {}

  /**
   * What a node answers.
   *
   * @param askedIncarnation the question's, brought back
   * @param askedNanos when the asker sent it, by its own clock
   * @param granted the asker has this node's vote, for one lease from {@code sentNanos}
   * @param electable this node hears a majority of the seeds and is free to form a cluster
   * @param membership the cluster that this node is in
   */
  record Reply(
      String from,
      long askedIncarnation,
      long askedNanos,
      boolean granted,
      boolean electable,
      Membership membership) {}

  /**
   * What a node knows of its cluster; empty where it is in none.
   *
   * @param members {@code host:port#uid}
   * @param reachable how many of them can be reached, this node included
   */
  record Membership(Set<String> members, int reachable) {
    static final Membership NONE = new Membership(Set.of(), 0);

    Membership {
      members = Set.copyOf(members);
    }

    boolean exists() {
      return !members.isEmpty();
    }
  }

  /** What is to be done. */
  sealed interface Action {
    /** Sends a question to a seed. */
    record Ask(String to, Question question) implements Action {}

    /** Joins the cluster that a seed is in. */
    record Join(String seed) implements Action {}

    /** Joins itself: forms the cluster. */
    record Form() implements Action {}

    /** Leaves a cluster without a majority, for a better one. */
    record Dissolve(String reason) implements Action {}
  }

  /** Times and addresses. */
  record Rules(
      String self,
      List<String> seeds,
      Duration lease,
      Duration patience,
      Duration silence,
      Duration joinTimeout) {

    static Rules of(String self, List<String> seeds) {
      return new Rules(
          self,
          seeds,
          Duration.ofSeconds(3),
          Duration.ofSeconds(3),
          Duration.ofSeconds(3),
          Duration.ofSeconds(10));
    }
  }

  private enum Phase {
    SEARCHING,
    JOINING,
    FORMING,
    MEMBER
  }

  private record Heard(Reply reply, long atNanos) {}

  private static final Comparator<String> BY_ADDRESS =
      Comparator.comparing((String address) -> address.substring(0, address.lastIndexOf(':')))
          .thenComparingInt(
              address -> Integer.parseInt(address.substring(address.lastIndexOf(':') + 1)));

  private final String self;
  private final String selfUnique;
  private final long incarnation;
  private final List<String> others;
  private final int seedCount;
  private final boolean seed;
  private final long leaseNanos;
  private final long patienceNanos;
  private final long silenceNanos;
  private final long joinTimeoutNanos;
  private final RandomGenerator random;
  private final long startNanos;

  private final Map<String, Heard> heard = new HashMap<>();

  private Phase phase = Phase.SEARCHING;
  private long phaseSinceNanos;
  private @Nullable String joining;

  /** Who has this node's vote, itself perhaps. */
  private @Nullable String votedFor;

  private long voteUntilNanos;

  /** Votes for this node, and until when they count. */
  private final Map<String, Long> votes = new HashMap<>();

  /** Questions sent before this are no longer counted on. */
  private long votesFromNanos;

  private long candidateSinceNanos;
  private long restUntilNanos;
  private @Nullable String foreign;
  private long foreignSinceNanos;

  /**
   * A node that has just started.
   *
   * @param uid the unique id of this life of the actor system
   */
  Formation(Rules rules, long uid, long nowNanos, RandomGenerator random) {
    this.self = rules.self();
    this.selfUnique = rules.self() + "#" + uid;
    this.incarnation = uid;
    this.seed = rules.seeds().isEmpty() || rules.seeds().contains(rules.self());
    this.others =
        rules.seeds().stream()
            .filter(each -> !each.equals(rules.self()))
            .sorted(BY_ADDRESS)
            .toList();
    this.seedCount = Math.max(1, rules.seeds().size());
    this.leaseNanos = rules.lease().toNanos();
    this.patienceNanos = rules.patience().toNanos();
    this.silenceNanos = rules.silence().toNanos();
    this.joinTimeoutNanos = rules.joinTimeout().toNanos();
    this.random = random;
    this.startNanos = nowNanos;
    this.phaseSinceNanos = nowNanos;
    this.votesFromNanos = nowNanos;
    this.restUntilNanos = nowNanos;
  }

  /** Time has passed. */
  List<Action> onTick(long nowNanos, Membership mine) {
    List<Action> actions = new ArrayList<>();
    heard.values().removeIf(each -> nowNanos - each.atNanos() > silenceNanos);
    if (votedFor != null && nowNanos - voteUntilNanos >= 0) {
      votedFor = null;
    }
    if (mine.exists()) {
      enter(Phase.MEMBER, nowNanos);
      giveUpVotes(nowNanos);
      dissolve(nowNanos, mine).ifPresent(actions::add);
    } else {
      search(nowNanos).ifPresent(actions::add);
    }
    boolean wantsVote = phase == Phase.SEARCHING && self.equals(votedFor);
    for (String other : others) {
      actions.add(new Action.Ask(other, new Question(self, incarnation, nowNanos, wantsVote)));
    }
    return actions;
  }

  /** Another node asks. */
  Reply onQuestion(Question question, long nowNanos, Membership mine) {
    boolean granted = question.wantsVote() && grant(question.from(), nowNanos, mine);
    return new Reply(
        self,
        question.incarnation(),
        question.sentNanos(),
        granted,
        electable(nowNanos, mine),
        mine);
  }

  /** Another node has answered. */
  void onReply(Reply reply, long nowNanos) {
    if (reply.askedIncarnation() != incarnation || !others.contains(reply.from())) {
      return;
    }
    heard.put(reply.from(), new Heard(reply, nowNanos));
    if (reply.granted() && reply.askedNanos() - votesFromNanos >= 0) {
      votes.merge(reply.from(), reply.askedNanos() + leaseNanos, Math::max);
    }
  }

  /** What is waited for, in words; empty for a member. */
  Optional<String> waitsFor() {
    return switch (phase) {
      case MEMBER -> Optional.empty();
      case FORMING -> Optional.of("forming the cluster");
      case JOINING -> Optional.of("joining the cluster of " + joining);
      case SEARCHING -> Optional.of(searchesFor());
    };
  }

  private String searchesFor() {
    List<String> each = new ArrayList<>();
    for (String other : others) {
      Heard last = heard.get(other);
      each.add(other + (last == null ? " (no answer)" : " (has not joined either)"));
    }
    String names = String.join(", ", each);
    if (!seed) {
      return "waiting for a cluster at one of the seed nodes " + names;
    }
    int missing = majority() - answering();
    if (missing > 0) {
      return "waiting for "
          + missing
          + " more of seed nodes "
          + names
          + "; needs "
          + majority()
          + " of "
          + seedCount;
    }
    return "agreeing who forms the cluster, with seed nodes " + names;
  }

  private Optional<Action> search(long nowNanos) {
    if (phase == Phase.MEMBER) {
      // The membership has ended: this life of the actor system is ending, too.
      return Optional.empty();
    }
    if (phase == Phase.FORMING) {
      return again(nowNanos) ? Optional.of(new Action.Form()) : Optional.empty();
    }
    if (phase == Phase.JOINING && !again(nowNanos) && stillIn(joining)) {
      return Optional.empty();
    }
    enter(Phase.SEARCHING, nowNanos);
    String holder = votedFor;
    Optional<String> cluster = bestCluster();
    if (holder != null && !holder.equals(self)) {
      if (!stillIn(holder)) {
        return Optional.empty();
      }
      cluster = Optional.of(holder);
    }
    if (cluster.isPresent()) {
      giveUpVotes(nowNanos);
      joining = cluster.get();
      enter(Phase.JOINING, nowNanos);
      return Optional.of(new Action.Join(cluster.get()));
    }
    if (!seed || isFresh(nowNanos)) {
      return Optional.empty();
    }
    if (mayForm(nowNanos)) {
      enter(Phase.FORMING, nowNanos);
      return Optional.of(new Action.Form());
    }
    stand(nowNanos);
    return Optional.empty();
  }

  /** Asks for votes, goes on asking, or stops. */
  private void stand(long nowNanos) {
    boolean standing = self.equals(votedFor);
    if (answering() < majority() || lowerIsElectable() || nowNanos - restUntilNanos < 0) {
      if (standing) {
        giveUpVotes(nowNanos);
      }
      return;
    }
    if (!standing) {
      candidateSinceNanos = nowNanos;
      votesFromNanos = nowNanos;
    } else if (nowNanos - candidateSinceNanos > patienceNanos + 2 * leaseNanos) {
      giveUpVotes(nowNanos);
      restUntilNanos = nowNanos + leaseNanos + random.nextLong(3 * leaseNanos);
      return;
    }
    votedFor = self;
    voteUntilNanos = nowNanos + leaseNanos;
  }

  private boolean mayForm(long nowNanos) {
    if (seedCount == 1) {
      return true;
    }
    if (!self.equals(votedFor)) {
      return false;
    }
    boolean patient = heard.size() == others.size() || nowNanos - startNanos >= patienceNanos;
    return 1 + voters(nowNanos).size() >= majority() && patient;
  }

  private boolean grant(String asker, long nowNanos, Membership mine) {
    if (mine.exists() || phase != Phase.SEARCHING || !others.contains(asker) || isFresh(nowNanos)) {
      return false;
    }
    boolean free = votedFor == null || nowNanos - voteUntilNanos >= 0 || votedFor.equals(asker);
    if (!free && self.equals(votedFor) && BY_ADDRESS.compare(asker, self) < 0) {
      giveUpVotes(nowNanos);
      free = true;
    }
    if (free) {
      if (self.equals(votedFor)) {
        giveUpVotes(nowNanos);
      }
      votedFor = asker;
      voteUntilNanos = nowNanos + leaseNanos;
    }
    return free;
  }

  /** Stops counting on any vote, its own included; a vote for another node stays out. */
  private void giveUpVotes(long nowNanos) {
    votes.clear();
    votesFromNanos = nowNanos;
    if (self.equals(votedFor)) {
      votedFor = null;
    }
  }

  /** Whose votes count now, its own aside. */
  Set<String> voters(long nowNanos) {
    // The other half of the lease is for the voters to learn that the cluster is there.
    return votes.entrySet().stream()
        .filter(vote -> vote.getValue() - nowNanos > leaseNanos / 2)
        .map(Map.Entry::getKey)
        .collect(Collectors.toSet());
  }

  /** Whom this node has promised its vote, itself perhaps. */
  Optional<String> vote(long nowNanos) {
    return nowNanos - voteUntilNanos < 0 ? Optional.ofNullable(votedFor) : Optional.empty();
  }

  /** An earlier life of this node may have a vote out that this one knows nothing of. */
  private boolean isFresh(long nowNanos) {
    return seedCount > 1 && nowNanos - startNanos < leaseNanos;
  }

  private boolean electable(long nowNanos, Membership mine) {
    return seed
        && !mine.exists()
        && phase == Phase.SEARCHING
        && answering() >= majority()
        && nowNanos - restUntilNanos >= 0;
  }

  private boolean lowerIsElectable() {
    return others.stream()
        .filter(other -> BY_ADDRESS.compare(other, self) < 0)
        .map(heard::get)
        .anyMatch(last -> last != null && last.reply().electable());
  }

  private boolean stillIn(@Nullable String other) {
    Heard last = heard.get(other);
    return last != null && last.reply().membership().exists();
  }

  /**
   * The seed whose cluster is the one to join: most members that can be reached, lowest address.
   */
  private Optional<String> bestCluster() {
    return others.stream()
        .filter(this::stillIn)
        .max(Comparator.comparingInt(this::reachable).thenComparing(BY_ADDRESS.reversed()));
  }

  private int reachable(String other) {
    Heard last = heard.get(other);
    return last == null ? 0 : last.reply().membership().reachable();
  }

  /** This member's cluster against one that does not know it: the smaller one ends. */
  private Optional<Action> dissolve(long nowNanos, Membership mine) {
    Optional<String> better =
        others.stream()
            .filter(this::stillIn)
            .filter(other -> isForeign(other, mine) && isBetter(other, mine))
            .findFirst();
    if (better.isEmpty()) {
      foreign = null;
      return Optional.empty();
    }
    if (foreign == null) {
      foreign = better.get();
      foreignSinceNanos = nowNanos;
    }
    if (nowNanos - foreignSinceNanos < silenceNanos) {
      return Optional.empty();
    }
    foreign = null;
    return Optional.of(
        new Action.Dissolve(
            "node "
                + better.get()
                + " is in another cluster with "
                + reachable(better.get())
                + " reachable members; this one has "
                + mine.reachable()));
  }

  private boolean isForeign(String other, Membership mine) {
    Heard last = heard.get(other);
    if (last == null) {
      return false;
    }
    Set<String> theirs = last.reply().membership().members();
    return !theirs.contains(selfUnique) && theirs.stream().noneMatch(mine.members()::contains);
  }

  private boolean isBetter(String other, Membership mine) {
    int theirs = reachable(other);
    if (theirs != mine.reachable()) {
      return theirs > mine.reachable();
    }
    Heard last = heard.get(other);
    return last != null
        && lowest(last.reply().membership().members()).compareTo(lowest(mine.members())) < 0;
  }

  private static String lowest(Set<String> members) {
    return members.stream().min(Comparator.naturalOrder()).orElse("");
  }

  private int answering() {
    return heard.size() + 1;
  }

  private int majority() {
    return seedCount / 2 + 1;
  }

  private boolean again(long nowNanos) {
    return nowNanos - phaseSinceNanos > joinTimeoutNanos;
  }

  private void enter(Phase next, long nowNanos) {
    if (phase != next || again(nowNanos)) {
      phase = next;
      phaseSinceNanos = nowNanos;
    }
  }
}
