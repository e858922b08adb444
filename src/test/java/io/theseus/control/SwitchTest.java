package io.theseus.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.channel.Admission;
import io.theseus.channel.HandOver;
import io.theseus.channel.NetworkFunction;
import io.theseus.channel.Passage;
import io.theseus.channel.Range;
import io.theseus.channel.SessionInfo;
import io.theseus.module.Revision;
import io.theseus.module.TestRevisions;
import io.theseus.session.Grant;
import io.theseus.session.Misbehaviour;
import io.theseus.session.SessionActor;
import io.theseus.steps.Steps;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Code that is switched under sessions: they follow, go back where it fails, and lose nothing. */
final class SwitchTest {
  private static final int MIB = 1 << 20;
  private static final int SIZE = 40 * MIB;
  private static final UUID SESSION = UUID.fromString("6b7e0f3a-1111-4222-8333-123456789abd");

  @TempDir Path directory;

  private TestNode node() {
    return new TestNode(directory, Steps.NONE, TestNode.unhurried());
  }

  private static FakeLink begin(TestNode node, String verb, byte[] content) {
    FakeLink link =
        verb.equals("GET")
            ? FakeLink.reading(content)
            : FakeLink.sending(content, 2 * MIB, /* sized= */ true);
    node.open(link.stopAt(5 * MIB), command(verb, content));
    return link;
  }

  private static String command(String verb, byte[] content) {
    String rest = "Session: " + SESSION + "\n";
    return verb.equals("GET")
        ? "GET in\n" + rest
        : "PUT out\n" + rest + "Size: " + content.length + "\n";
  }

  private static void awaitStop(FakeLink link) {
    await().atMost(TestNode.PATIENCE).until(() -> link.position() == 5 * MIB);
  }

  private static void finish(TestNode node, FakeLink link, String verb, byte[] content)
      throws Exception {
    link.goOn();
    await().atMost(TestNode.PATIENCE).until(() -> link.finished() || link.failure().isPresent());
    assertThat(link.failure()).isEmpty();
    if (verb.equals("GET")) {
      assertThat(link.bytesRead()).isEqualTo(content);
    } else {
      assertThat(node.file("out")).hasBinaryContent(content);
    }
    node.awaitNoSession();
  }

  /** A channel that grants a mebibyte at a time. */
  private static Revision careful(String name) {
    return TestRevisions.channel(
        name,
        () ->
            progress ->
                new Range(
                    progress.position(),
                    (int) Math.min(MIB, progress.end() - progress.position())));
  }

  private static Revision function(String name, Supplier<NetworkFunction> function) {
    return TestRevisions.functions(name, List.of(function));
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET", "PUT"})
  void shouldFollowASwitchInTheMiddleAndLoseNothing(String verb) throws Exception {
    try (TestNode node = node()) {
      byte[] content = node.write("in", SIZE);
      FakeLink link = begin(node, verb, content);
      awaitStop(link);
      long batches = node.journalBatches();
      node.publish(careful("one"));
      node.tell(SESSION, new SessionActor.FollowSwitch());
      await().atMost(TestNode.PATIENCE).until(() -> link.told().contains("RESUMED one@2.0.0"));
      assertThat(node.journalBatches()).as("a switch alone writes nothing").isEqualTo(batches);
      node.publish(careful("two"));
      node.tell(SESSION, new SessionActor.FollowSwitch());
      await().atMost(TestNode.PATIENCE).until(() -> link.told().contains("RESUMED two@2.0.0"));
      assertThat(link.told()).as("never held").noneMatch(each -> each.startsWith("MODIFYING"));
      finish(node, link, verb, content);
      List<Grant> grants = link.grants();
      assertThat(grants.get(grants.size() - 1).module()).isEqualTo("two@2.0.0");
      assertThat(node.misbehaviours()).isEmpty();
    }
  }

  @Test
  void shouldFollowWithoutTrafficAndCountWhoIsBehind() throws Exception {
    try (TestNode node = node()) {
      byte[] content = node.write("in", SIZE);
      FakeLink link = begin(node, "GET", content);
      awaitStop(link);
      node.publish(careful("one"));
      assertThat(node.behind()).isEqualTo(1);
      node.followSwitch();
      await().atMost(TestNode.PATIENCE).until(() -> node.behind() == 0);
      assertThat(link.told()).containsExactly("RESUMED one@2.0.0");
      finish(node, link, "GET", content);
    }
  }

  @Test
  void shouldBeginNewSessionsUnderWhatIsInForce() throws Exception {
    try (TestNode node = node()) {
      node.publish(careful("one"));
      byte[] content = node.write("in", SIZE);
      FakeLink link = begin(node, "GET", content);
      awaitStop(link);
      assertThat(link.readies().get(0).module()).isEqualTo("one@2.0.0");
      finish(node, link, "GET", content);
      assertThat(link.grants()).extracting(Grant::module).containsOnly("one@2.0.0");
    }
  }

  /** Counts the bytes that it lets pass, and hands the count over. */
  private static final class Counter implements NetworkFunction {
    private final AtomicLong seen;
    private long count;

    Counter(AtomicLong seen) {
      this.seen = seen;
    }

    @Override
    public void passed(Range range) {
      count += range.length();
      seen.set(count);
    }

    @Override
    public Optional<HandOver> handOver() {
      return Optional.of(new HandOver(1, ByteBuffer.allocate(8).putLong(count).array()));
    }

    @Override
    public boolean takeOver(HandOver state) {
      count = ByteBuffer.wrap(state.state()).getLong();
      return true;
    }
  }

  @Test
  void shouldHandStateOverToTheNextVersion() throws Exception {
    try (TestNode node = node()) {
      AtomicLong first = new AtomicLong();
      AtomicLong second = new AtomicLong();
      node.publish(function("one", () -> new Counter(first)));
      byte[] content = node.write("in", SIZE);
      FakeLink link = begin(node, "GET", content);
      awaitStop(link);
      await().atMost(TestNode.PATIENCE).until(() -> first.get() >= 16 * MIB);
      node.publish(function("two", () -> new Counter(second)));
      node.tell(SESSION, new SessionActor.FollowSwitch());
      await().atMost(TestNode.PATIENCE).until(() -> !link.told().isEmpty());
      finish(node, link, "GET", content);
      // granted anew from where the packets stood, on top of what the first had counted
      assertThat(second.get()).isEqualTo(first.get() + SIZE - 5 * MIB);
    }
  }

  /** What code that isn't checked as ours is may return. */
  @SuppressWarnings("NullAway")
  private static Range nothing() {
    return null;
  }

  @ParameterizedTest
  @CsvSource({
    "GET, throws",
    "PUT, throws",
    "GET, returns a wrong offset",
    "GET, returns nothing",
    "GET, returns too much",
    "GET, hangs",
    "PUT, hangs",
    "GET, can't be made"
  })
  void shouldGoBackToTheStableRevisionWhereCodeFails(String verb, String how) throws Exception {
    CountDownLatch never = new CountDownLatch(1);
    AtomicInteger calls = new AtomicInteger();
    Revision bad =
        TestRevisions.of(
            "bad",
            () -> {
              if (how.equals("can't be made")) {
                throw new IllegalStateException("no");
              }
              return progress -> {
                long at = progress.position();
                if (calls.incrementAndGet() < 3) {
                  return new Range(at, (int) Math.min(MIB, progress.end() - at));
                }
                return switch (how) {
                  case "throws" -> throw new IllegalStateException("broken");
                  case "returns a wrong offset" -> new Range(at + 1, 1);
                  case "returns too much" -> new Range(at, Range.MOST + 1);
                  case "hangs" -> {
                    try {
                      never.await();
                    } catch (InterruptedException e) {
                      Thread.currentThread().interrupt();
                    }
                    yield new Range(at, 1);
                  }
                  default -> nothing();
                };
              };
            },
            List.of(),
            how.equals("hangs") ? Duration.ofSeconds(1) : Duration.ofMinutes(5));
    try (TestNode node = node()) {
      byte[] content = node.write("in", SIZE);
      FakeLink link = begin(node, verb, content);
      awaitStop(link);
      node.publish(bad);
      node.tell(SESSION, new SessionActor.FollowSwitch());
      await()
          .atMost(TestNode.PATIENCE)
          .until(() -> calls.get() > 0 || !node.misbehaviours().isEmpty());
      link.goOn(); // not before: it could end under what is built in
      await()
          .atMost(TestNode.PATIENCE)
          .until(
              () -> {
                bad.check();
                return !node.misbehaviours().isEmpty();
              });
      finish(node, link, verb, content);
      Misbehaviour misbehaviour = node.misbehaviours().get(0);
      assertThat(misbehaviour.session()).hasValue(SESSION);
      assertThat(misbehaviour.revision()).isEqualTo(bad);
      assertThat(misbehaviour.what())
          .contains(
              switch (how) {
                case "throws" -> "bad@2.0.0: next threw java.lang.IllegalStateException: broken";
                case "returns a wrong offset" -> "bad@2.0.0: range at ";
                case "returns too much" -> "bad@2.0.0: range of 8388609 bytes (expected: 1 to ";
                case "hangs" -> "bad@2.0.0: next did not return within 1000 ms";
                case "can't be made" -> "its constructor threw java.lang.IllegalStateException: no";
                default -> "bad@2.0.0: next returned null (expected: an answer)";
              });
      List<Grant> grants = link.grants();
      assertThat(grants.get(grants.size() - 1).module()).isEqualTo("standard@1.0.0");
    } finally {
      never.countDown();
    }
  }

  @Test
  void shouldRefuseWhomCodeDenies() throws Exception {
    try (TestNode node = node()) {
      byte[] content = node.write("in", SIZE);
      FakeLink running = begin(node, "GET", content);
      awaitStop(running);
      node.publish(
          function(
              "firewall",
              () ->
                  new NetworkFunction() {
                    @Override
                    public Admission begin(SessionInfo session) {
                      return Admission.deny("no " + session.client());
                    }
                  }));
      FakeLink begun = FakeLink.reading(content);
      node.open(begun, "GET in\n");
      await().atMost(TestNode.PATIENCE).until(() -> begun.failure().isPresent());
      assertThat(begun.failure()).contains("denied: standard@1.0.0: no fake");
      node.tell(SESSION, new SessionActor.FollowSwitch());
      await().atMost(TestNode.PATIENCE).until(() -> running.failure().isPresent());
      assertThat(running.failure()).contains("denied: standard@1.0.0: no fake");
      assertThat(node.misbehaviours()).isEmpty();
    }
  }

  @Test
  void shouldDenyInTheMiddle() throws Exception {
    try (TestNode node = node()) {
      node.publish(
          function(
              "quota",
              () ->
                  new NetworkFunction() {
                    @Override
                    public Passage decide(Range range, long nowNanos) {
                      return range.offset() >= 16 * MIB ? Passage.deny("enough") : Passage.pass();
                    }
                  }));
      FakeLink link = FakeLink.reading(node.write("in", SIZE));
      node.open(link, "GET in\n");
      await().atMost(TestNode.PATIENCE).until(() -> link.failure().isPresent());
      assertThat(link.failure()).contains("denied: standard@1.0.0: enough");
      assertThat(link.position()).isEqualTo(16 * MIB);
    }
  }

  @Test
  void shouldLimitAndDelay() throws Exception {
    AtomicInteger delays = new AtomicInteger();
    try (TestNode node = node()) {
      node.publish(
          function(
              "limiter",
              () ->
                  new NetworkFunction() {
                    private boolean waited;

                    @Override
                    public Passage decide(Range range, long nowNanos) {
                      waited = !waited;
                      if (waited) {
                        delays.incrementAndGet();
                        return Passage.delay(Duration.ofMillis(1));
                      }
                      return Passage.limit(Math.min(range.length(), 3 * MIB));
                    }
                  }));
      byte[] content = node.write("in", SIZE);
      FakeLink link = begin(node, "GET", content);
      awaitStop(link);
      finish(node, link, "GET", content);
      assertThat(link.grants())
          .allSatisfy(grant -> assertThat(grant.range().length()).isLessThanOrEqualTo(3 * MIB));
      assertThat(delays.get()).isGreaterThanOrEqualTo(14);
    }
  }

  @Test
  void shouldRedirectWhatBegins() throws Exception {
    try (TestNode node = node()) {
      node.publish(
          function(
              "router",
              () ->
                  new NetworkFunction() {
                    @Override
                    public Admission begin(SessionInfo session) {
                      return session.name().equals("out")
                          ? Admission.redirect("quarantine/out")
                          : Admission.admit();
                    }
                  }));
      byte[] content = TestNode.content(SIZE);
      FakeLink link = begin(node, "PUT", content);
      awaitStop(link);
      // resumed elsewhere in time: it keeps its place
      link.lose();
      FakeLink again = FakeLink.sending(content, 2 * MIB, /* sized= */ true);
      node.open(again, command("PUT", content) + "Offset: " + link.acked() + "\n");
      await().atMost(TestNode.PATIENCE).until(again::finished);
      assertThat(node.file("quarantine/out")).hasBinaryContent(content);
      assertThat(node.file("out")).doesNotExist();
    }
  }

  @Test
  void shouldLetGoOfARevisionBehindItsLastSession() throws Exception {
    try (TestNode node = node()) {
      AtomicInteger released = new AtomicInteger();
      Revision one = TestRevisions.releasing("one", released::incrementAndGet);
      node.publish(one);
      byte[] content = node.write("in", SIZE);
      FakeLink link = begin(node, "GET", content);
      awaitStop(link);
      assertThat(one.sessions()).isEqualTo(1);
      node.publish(careful("two"));
      one.retire();
      assertThat(released.get()).as("a session runs it").isZero();
      node.tell(SESSION, new SessionActor.FollowSwitch());
      await().atMost(TestNode.PATIENCE).until(() -> released.get() == 1);
      finish(node, link, "GET", content);
    }
  }
}
