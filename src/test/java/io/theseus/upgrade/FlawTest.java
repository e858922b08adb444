package io.theseus.upgrade;

import static org.assertj.core.api.Assertions.fail;

import io.theseus.upgrade.Message.Promise;
import io.theseus.upgrade.Simulation.Parts;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Negative control: {@link Simulation} finds each of these bugs. */
@Tag("once") // says nothing of a version of Java
final class FlawTest {
  private static final int MOST_SEEDS = 3_000;

  /** A bug, as parts of a cluster that have it. */
  private enum Flaw {
    /** One node fewer than a majority is enough. */
    MAJORITY_OFF_BY_ONE(
        new Parts() {
          @Override
          Coordinator coordinator(
              String self, Set<String> nodes, long life, SplittableRandom random, long nowNanos) {
            return new FlawedCoordinator(self, nodes, life, random, nowNanos) {
              @Override
              boolean isQuorum(Voters voters, Map<String, Long> answers) {
                return voters.isFounded()
                    ? answers.size() >= Math.max(1, nodes.size() / 2)
                    : super.isQuorum(voters, answers);
              }
            };
          }
        }),

    /** A proposal counts as decided as soon as one node has it. */
    ACTS_BEFORE_A_MAJORITY(
        new Parts() {
          @Override
          Coordinator coordinator(
              String self, Set<String> nodes, long life, SplittableRandom random, long nowNanos) {
            return new FlawedCoordinator(self, nodes, life, random, nowNanos) {
              @Override
              boolean isDecided() {
                return true;
              }
            };
          }
        }),

    /** A promise is lost when its node dies. */
    TERM_NOT_PERSISTED(
        new Parts() {
          @Override
          AgentState written(AgentState before, AgentState written) {
            return written.acceptedTerm().equals(before.acceptedTerm())
                ? new AgentState(
                    written.incarnation(),
                    before.promised(),
                    written.acceptedTerm(),
                    written.accepted(),
                    written.decided())
                : written;
          }
        }),

    /** What was accepted is told before it is on disk. */
    SENDS_BEFORE_IT_PERSISTS(
        new Parts() {
          @Override
          List<Action.OfAgent> carriedOut(List<Action.OfAgent> actions) {
            List<Action.OfAgent> sorted = new ArrayList<>(actions);
            sorted.sort(Comparator.comparing(action -> action instanceof Action.Persist));
            return sorted;
          }
        }),

    /** A new coordinator goes on from the lowest state that it is shown. */
    ADOPTS_THE_LOWEST(
        new Parts() {
          @Override
          Coordinator coordinator(
              String self, Set<String> nodes, long life, SplittableRandom random, long nowNanos) {
            return new FlawedCoordinator(self, nodes, life, random, nowNanos) {
              @Override
              ClusterState adopt(Iterable<Promise> shown) {
                return StreamSupport.stream(shown.spliterator(), false)
                    .min(
                        Comparator.comparing(Promise::acceptedTerm)
                            .thenComparingLong(promise -> promise.accepted().sequence()))
                    .map(Promise::accepted)
                    .orElse(ClusterState.initial(Simulation.BUILT_IN));
              }
            };
          }
        }),

    /**
     * A new coordinator takes what it is shown for the highest by its sequence alone. One seed in
     * some 5,000 shows it.
     */
    ADOPTS_BY_SEQUENCE_ALONE(
        4_000,
        new Parts() {
          @Override
          Coordinator coordinator(
              String self, Set<String> nodes, long life, SplittableRandom random, long nowNanos) {
            return new FlawedCoordinator(self, nodes, life, random, nowNanos) {
              @Override
              ClusterState adopt(Iterable<Promise> shown) {
                return StreamSupport.stream(shown.spliterator(), false)
                    .map(Promise::accepted)
                    .max(Comparator.comparingLong(ClusterState::sequence))
                    .orElse(ClusterState.initial(Simulation.BUILT_IN));
              }
            };
          }
        }),

    /** An agent listens to a coordinator that it has promised not to listen to. */
    ACCEPTS_AN_OLD_TERM(
        new Parts() {
          @Override
          Agent agent(String self, Set<String> nodes, AgentState state, long life, long nowNanos) {
            return new Agent(self, nodes, Simulation.RULES, state, life, nowNanos) {
              @Override
              boolean isOld(Term term) {
                return false;
              }
            };
          }
        }),

    /** A node serves by what it has not made ready. */
    PUBLISHES_WHAT_IS_NOT_STAGED(
        new Parts() {
          @Override
          Agent agent(String self, Set<String> nodes, AgentState state, long life, long nowNanos) {
            return new Agent(self, nodes, Simulation.RULES, state, life, nowNanos) {
              @Override
              boolean mayPublish(Course wanted) {
                return true;
              }
            };
          }
        }),

    /** A node that has lost its disk is taken for the voter that it was. */
    TRUSTS_AN_EMPTY_DISK(
        new Parts() {
          @Override
          Coordinator coordinator(
              String self, Set<String> nodes, long life, SplittableRandom random, long nowNanos) {
            return new FlawedCoordinator(self, nodes, life, random, nowNanos) {
              @Override
              boolean isQuorum(Voters voters, Map<String, Long> answers) {
                Map<String, Long> trusted = new HashMap<>(voters.current());
                trusted.keySet().retainAll(answers.keySet());
                return voters.isFounded()
                    ? new Voters(voters.current(), Map.of()).isQuorum(trusted, nodes)
                    : super.isQuorum(voters, answers);
              }
            };
          }
        }),

    /** Nodes switch when most of them have staged. */
    SWITCHES_WHEN_MOST_HAVE_STAGED(
        new Parts() {
          @Override
          Coordinator coordinator(
              String self, Set<String> nodes, long life, SplittableRandom random, long nowNanos) {
            return new FlawedCoordinator(self, nodes, life, random, nowNanos) {
              @Override
              boolean haveAllStaged(Set<String> late) {
                return late.size() <= 1;
              }
            };
          }
        });

    @SuppressWarnings("ImmutableEnumChecker") // they have no fields
    private final Parts parts;

    private final long firstSeed;

    Flaw(Parts parts) {
      this(0, parts);
    }

    /**
     * A bug that is rare.
     *
     * @param firstSeed to begin with, so that it is found soon
     */
    Flaw(long firstSeed, Parts parts) {
      this.firstSeed = firstSeed;
      this.parts = parts;
    }
  }

  private static class FlawedCoordinator extends Coordinator {
    FlawedCoordinator(
        String self, Set<String> nodes, long life, SplittableRandom random, long nowNanos) {
      super(self, nodes, Simulation.RULES, Simulation.BUILT_IN, life, random, nowNanos);
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldBeFound(Flaw flaw) {
    for (long seed = flaw.firstSeed; seed < flaw.firstSeed + MOST_SEEDS; seed++) {
      try {
        new Simulation(seed, flaw.parts, /* tracing= */ false).run();
      } catch (IllegalStateException | IllegalArgumentException e) {
        System.out.println(flaw + ": seed " + seed + ": " + e.getMessage());
        return;
      }
    }
    fail("not found in %d seeds", MOST_SEEDS);
  }
}
