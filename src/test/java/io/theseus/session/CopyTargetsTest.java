package io.theseus.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.channel.BackupPolicy;
import io.theseus.channel.BackupPolicy.Candidate;
import io.theseus.module.Revision;
import io.theseus.module.Switchboard;
import io.theseus.module.TestRevisions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who decides where copies go. */
final class CopyTargetsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration FOREVER = Duration.ofMinutes(5);
  private static final UUID SESSION = new UUID(0, 1);

  /** The least loaded one is a. */
  private static final List<Candidate> CANDIDATES =
      List.of(candidate("a", 0), candidate("b", 1), candidate("c", 2));

  private final Switchboard switchboard = new Switchboard();
  private final List<Misbehaviour> misbehaviours = new CopyOnWriteArrayList<>();
  private final CopyTargets targets = new CopyTargets(switchboard, misbehaviours::add);
  private final CountDownLatch gate = new CountDownLatch(1);
  private final AtomicInteger asked = new AtomicInteger();

  @AfterEach
  void open() {
    gate.countDown();
  }

  private static Candidate candidate(String node, int sessions) {
    return new Candidate(node, "", 1000, sessions, 0, false);
  }

  private static BackupPolicy always(String node) {
    return (upload, candidates) -> node;
  }

  private static Revision revision(String name, BackupPolicy policy) {
    return TestRevisions.backup(name, () -> policy, FOREVER);
  }

  private CompletionStage<String> ask() {
    return targets.choose(
        new BackupPolicy.Upload(SESSION, "f", OptionalLong.of(9), "n", "", List.of()), CANDIDATES);
  }

  private String choose() throws Exception {
    return ask().toCompletableFuture().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  @Test
  void shouldChooseTheLeastLoadedAtOnceWithoutAPolicy() throws Exception {
    assertThat(targets.policy(SESSION)).isEmpty();
    assertThat(ask().toCompletableFuture()).isDone();
    assertThat(choose()).isEqualTo("a");
    Revision other = TestRevisions.functions("other", List.of());
    switchboard.publish(other, Optional.empty(), Revision.builtIn());
    assertThat(targets.policy(SESSION)).isEmpty();
    assertThat(choose()).isEqualTo("a");
  }

  @Test
  void shouldAskThePolicyInForceAndSayThatItIsAnother() throws Exception {
    Revision one = revision("one", always("b"));
    switchboard.publish(one, Optional.empty(), Revision.builtIn());
    String before = targets.policy(SESSION);
    assertThat(before).isNotEmpty();
    assertThat(choose()).isEqualTo("b");
    switchboard.publish(revision("two", always("c")), Optional.empty(), one);
    assertThat(targets.policy(SESSION)).isNotEmpty().isNotEqualTo(before);
    assertThat(choose()).isEqualTo("c");
    assertThat(misbehaviours).isEmpty();
  }

  @Test
  void shouldAskThatOfACanaryForItsSession() throws Exception {
    Revision one = revision("one", always("b"));
    Revision two = revision("two", always("c"));
    switchboard.publish(
        one, Optional.of(new Switchboard.Canary(two, Optional.of(SESSION), 0)), one);
    assertThat(choose()).isEqualTo("c");
    assertThat(targets.policy(SESSION)).isNotEqualTo(targets.policy(new UUID(0, 2)));
  }

  private static BackupPolicy bad(String way, AtomicInteger asked) {
    return (upload, candidates) -> {
      asked.incrementAndGet();
      return switch (way) {
        case "threw" -> throw new IllegalStateException("oops");
        case "null" -> nothing();
        default -> "d";
      };
    };
  }

  /** What code that isn't checked as ours is may return. */
  @SuppressWarnings("NullAway")
  private static String nothing() {
    return null;
  }

  @ParameterizedTest
  @ValueSource(strings = {"threw", "null", "node: \"d\" (expected: of [a, b, c])"})
  void shouldLetTheStableOneDecideWhereItFails(String way) throws Exception {
    Revision stable = revision("stable", always("b"));
    Revision broken = revision("broken", bad(way, asked));
    switchboard.publish(broken, Optional.empty(), stable);
    String before = targets.policy(SESSION);
    assertThat(choose()).isEqualTo("b");
    assertThat(targets.policy(SESSION)).isNotEmpty().isNotEqualTo(before);
    assertThat(choose()).isEqualTo("b");
    assertThat(asked).as("not asked again").hasValue(1);
    assertThat(misbehaviours).hasSize(1);
    assertThat(misbehaviours.get(0).revision()).isEqualTo(broken);
    assertThat(misbehaviours.get(0).session()).isEmpty();
    assertThat(misbehaviours.get(0).what()).startsWith("backup@2.0.0: ").contains(way);
  }

  @Test
  void shouldChooseTheLeastLoadedWhereTheStableOneFailsToo() throws Exception {
    switchboard.publish(
        revision("broken", bad("threw", asked)),
        Optional.empty(),
        revision("stable", bad("null", asked)));
    assertThat(choose()).isEqualTo("a");
    assertThat(targets.policy(SESSION)).isEmpty();
    assertThat(asked).hasValue(2);
    assertThat(misbehaviours).hasSize(2);
  }

  @Test
  void shouldNotWaitForAPolicyThatHangs() throws Exception {
    Revision hanging =
        TestRevisions.backup(
            "hanging",
            () ->
                (upload, candidates) -> {
                  while (gate.getCount() > 0) {
                    try {
                      gate.await();
                    } catch (InterruptedException e) {
                      // as code does that takes no notice
                    }
                  }
                  return "c";
                },
            Duration.ofMillis(1));
    switchboard.publish(hanging, Optional.empty(), revision("stable", always("b")));
    CompletionStage<String> choice = ask();
    assertThat(choice.toCompletableFuture()).isNotDone();
    await().atMost(PATIENCE).until(() -> hanging.check() != null);
    assertThat(choice.toCompletableFuture().get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
        .isEqualTo("b");
    assertThat(misbehaviours).hasSize(1);
    assertThat(misbehaviours.get(0).what())
        .isEqualTo("backup@2.0.0: choose did not return within 1 ms");
  }

  @Test
  void shouldBlameNobodyWhoWasLetGoOf() throws Exception {
    Revision gone = revision("gone", always("c"));
    switchboard.publish(gone, Optional.empty(), revision("stable", always("b")));
    gone.retire();
    assertThat(choose()).isEqualTo("b");
    assertThat(misbehaviours).isEmpty();
  }
}
