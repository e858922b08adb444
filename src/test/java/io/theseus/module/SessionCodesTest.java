package io.theseus.module;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.theseus.channel.Admission;
import io.theseus.channel.DataChannel;
import io.theseus.channel.Direction;
import io.theseus.channel.HandOver;
import io.theseus.channel.NetworkFunction;
import io.theseus.channel.Passage;
import io.theseus.channel.Progress;
import io.theseus.channel.Range;
import io.theseus.channel.SessionInfo;
import io.theseus.module.SessionCode.Beginning;
import io.theseus.module.SessionCode.Begun;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Many sessions whose code begins together, on two threads: what one of them does to the others.
 */
class SessionCodesTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration DEADLINE = Duration.ofSeconds(1);
  private static final int SESSIONS = 9;
  private static final long END = 1000;

  private final AtomicLong now = new AtomicLong();
  private final CountDownLatch never = new CountDownLatch(1);

  /** What was taken over, by the name of the session; empty for nothing. */
  private final Map<String, String> taken = new ConcurrentHashMap<>();

  private final AtomicInteger released = new AtomicInteger();

  @AfterEach
  void letGo() {
    never.countDown();
  }

  /** A function that hands over what it took over and the name of its revision. */
  private class Remembering implements NetworkFunction {
    private final String revision;
    String session = "";
    private String state = "";

    Remembering(String revision) {
      this.revision = revision;
    }

    @Override
    public Admission begin(SessionInfo begun) {
      session = begun.name();
      taken.put(session, "");
      return Admission.admit();
    }

    @Override
    public Optional<HandOver> handOver() {
      return Optional.of(
          new HandOver(1, (state + " " + revision).getBytes(StandardCharsets.UTF_8)));
    }

    @Override
    public boolean takeOver(HandOver left) {
      state = new String(left.state(), StandardCharsets.UTF_8);
      taken.put(session, state);
      return true;
    }
  }

  private void hang() {
    try {
      never.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static DataChannel standard() {
    return Revision.builtIn().openBuiltIn();
  }

  private Revision revision(
      String name, Supplier<DataChannel> channel, Supplier<NetworkFunction> function) {
    return Revision.of(
        name,
        new Revision.Component<>(name + "@2.0.0", "channel", "test " + name, channel::get),
        List.of(
            new Revision.Component<>(
                "function-1@2.0.0", "function-1", "test " + name, function::get)),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        new ModuleThreads(name, 2, DEADLINE, now::get),
        released::incrementAndGet);
  }

  private Revision remembering(String name) {
    return revision(name, SessionCodesTest::standard, () -> new Remembering(name));
  }

  private static List<CompletableFuture<Begun>> begin(
      Revision revision, @Nullable List<SessionCode> predecessors) {
    List<Beginning> all = new ArrayList<>();
    for (int i = 0; i < SESSIONS; i++) {
      all.add(
          new Beginning(
              new SessionInfo(new UUID(0, i), Direction.GET, "s" + i, OptionalLong.of(END), "test"),
              predecessors == null ? null : predecessors.get(i),
              Optional.of(
                  new SessionCode.Question(new Progress(Direction.GET, i, END), END, END))));
    }
    List<CompletableFuture<Begun>> begun = new ArrayList<>();
    all.forEach(each -> begun.add(new CompletableFuture<>()));
    CompletionStage<Boolean> unused =
        SessionCode.begin(
            revision,
            all,
            /* others= */ 0,
            (number, code, failure) ->
                assertThat(
                        code != null
                            ? begun.get(number).complete(code)
                            : begun.get(number).completeExceptionally(failure))
                    .as("heard once")
                    .isTrue());
    return begun;
  }

  private static List<SessionCode> codes(List<CompletableFuture<Begun>> begun) {
    return begun.stream().map(each -> each.orTimeout(60, TimeUnit.SECONDS).join().code()).toList();
  }

  private static void awaitNobody(Revision revision) {
    await().atMost(PATIENCE).until(() -> revision.sessions() == 0);
  }

  private static void assertFailed(CompletableFuture<Begun> begun, String reason) {
    assertThatThrownBy(begun.orTimeout(60, TimeUnit.SECONDS)::join)
        .cause()
        .isInstanceOf(CodeException.class)
        .hasMessageContaining(reason);
  }

  @Test
  void shouldBeginThemAllAndAnswerTheFirstQuestionOfEach() {
    Revision one = remembering("one");
    List<CompletableFuture<Begun>> begun = begin(one, null);
    for (int i = 0; i < SESSIONS; i++) {
      assertThat(begun.get(i).orTimeout(60, TimeUnit.SECONDS).join().first().orElseThrow().ranges())
          .containsExactly(new Range(i, (int) END - i));
    }
    assertThat(one.sessions()).isEqualTo(SESSIONS);
    codes(begun).forEach(SessionCode::close);
    awaitNobody(one);
    assertThat(released.get()).as("it is in force yet").isZero();
    one.retire();
    assertThat(released.get()).isEqualTo(1);
  }

  /** A function of which nothing is handed over: it goes over as it is, or it is lost. */
  private static final class Counting implements NetworkFunction {
    private final AtomicLong passed;

    Counting(List<AtomicLong> all) {
      passed = new AtomicLong();
      all.add(passed);
    }

    @Override
    public void passed(Range range) {
      passed.addAndGet(range.length());
    }
  }

  /** The same counter in front of a function of its own. */
  private Revision chain(String name, List<AtomicLong> counters) {
    return Revision.of(
        name,
        new Revision.Component<>("standard@1", "channel", "channel", SessionCodesTest::standard),
        List.of(
            new Revision.Component<>(
                "counter@1",
                "counter",
                "counter",
                () -> {
                  synchronized (counters) {
                    return new Counting(counters);
                  }
                }),
            new Revision.Component<>(
                name + "@1", "other", "other " + name, () -> new Remembering(name))),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        new ModuleThreads(name, 2, DEADLINE, now::get),
        released::incrementAndGet);
  }

  @Test
  void shouldKeepTheFunctionsOfAChainThatStayAsTheyAre() {
    List<AtomicLong> counters = new ArrayList<>();
    Revision one = chain("one", counters);
    List<SessionCode> first = codes(begin(one, null));
    Revision two = chain("two", counters);
    List<SessionCode> second = codes(begin(two, first));
    awaitNobody(one);
    assertThat(counters).as("none was made anew").hasSize(SESSIONS);
    long passed = counters.stream().mapToLong(AtomicLong::get).sum();
    long each = 0;
    for (int i = 0; i < SESSIONS; i++) {
      each += END - i;
    }
    assertThat(passed).as("what passed under both").isEqualTo(2 * each);
    assertThat(taken).as("the other function was replaced").hasSize(SESSIONS).containsValue(" one");
    second.forEach(SessionCode::close);
    awaitNobody(two);
  }

  @Test
  void shouldFailOnlyWhoseCodeFails() {
    AtomicInteger made = new AtomicInteger();
    Revision one =
        revision(
            "one",
            () -> {
              if (made.incrementAndGet() == SESSIONS) {
                throw new IllegalStateException("one too many");
              }
              return standard();
            },
            () ->
                new Remembering("one") {
                  @Override
                  public Passage decide(Range range, long nowNanos) {
                    return switch (session) {
                      case "s1" -> throw new AssertionError("broken");
                      case "s2" -> Passage.limit(0);
                      // behind the bounds of what arithmetic can say
                      case "s3" -> Passage.delay(Duration.ofSeconds(Long.MAX_VALUE));
                      default -> Passage.pass();
                    };
                  }
                });
    List<CompletableFuture<Begun>> begun = begin(one, null);
    assertFailed(begun.get(1), "function-1@2.0.0: decide threw java.lang.AssertionError: broken");
    assertFailed(begun.get(2), "function-1@2.0.0: limit of 0 bytes (expected: 1 to 998)");
    assertFailed(begun.get(3), "one: begin threw java.lang.ArithmeticException");
    List<CompletableFuture<Begun>> others = new ArrayList<>(begun);
    others.subList(1, 4).clear();
    await().atMost(PATIENCE).until(() -> others.stream().allMatch(CompletableFuture::isDone));
    List<CompletableFuture<Begun>> good =
        others.stream().filter(each -> !each.isCompletedExceptionally()).toList();
    assertThat(good).as("but for whom nothing could be made").hasSize(SESSIONS - 4);
    assertThat(one.sessions()).isEqualTo(SESSIONS - 4);
    codes(good).forEach(SessionCode::close);
    awaitNobody(one);
  }

  @Test
  void shouldHandOverToEachWhatItsOwnPredecessorLeaves() {
    Revision one = remembering("one");
    Revision two = remembering("two");
    List<SessionCode> first = codes(begin(one, null));
    List<SessionCode> second = codes(begin(two, first));
    assertThat(one.sessions()).isZero();
    assertThat(taken.values()).hasSize(SESSIONS).containsOnly(" one");
    one.retire();
    assertThat(released.get()).isEqualTo(1);
    first.forEach(SessionCode::close); // by whom was late
    assertThat(released.get()).as("once").isEqualTo(1);
    second.forEach(SessionCode::close);
    awaitNobody(two);
  }

  @Test
  void shouldLeaveWhatItBeganWithWhereItCannotHandOver() {
    Revision one = remembering("one");
    Revision two =
        revision(
            "two",
            SessionCodesTest::standard,
            () ->
                new Remembering("two") {
                  @Override
                  public Optional<HandOver> handOver() {
                    if (session.equals("s4")) {
                      throw new IllegalStateException("no");
                    }
                    return super.handOver();
                  }
                });
    Revision three = remembering("three");
    List<SessionCode> third = codes(begin(three, codes(begin(two, codes(begin(one, null))))));
    assertThat(taken).hasSize(SESSIONS).containsEntry("s4", " one");
    taken.remove("s4");
    assertThat(taken.values()).containsOnly(" one two");
    assertThat(two.sessions()).isZero();
    third.forEach(SessionCode::close);
    awaitNobody(three);
  }

  private void awaitHang(Revision revision) {
    now.set(DEADLINE.toNanos() + 1);
    assertThat(await().atMost(PATIENCE).until(revision::check, Objects::nonNull))
        .endsWith("did not return within 1000 ms");
  }

  @Test
  void shouldLoseNothingThatWasHandedOverBeforeAnotherHangs() throws Exception {
    CountDownLatch asked = new CountDownLatch(SESSIONS - 2);
    Revision one =
        revision(
            "one",
            SessionCodesTest::standard,
            () ->
                new Remembering("one") {
                  @Override
                  public Optional<HandOver> handOver() {
                    asked.countDown();
                    if (session.equals("s4")) { // two before it, two behind it on its thread
                      hang();
                    }
                    return super.handOver();
                  }
                });
    Revision two = remembering("two");
    List<CompletableFuture<Begun>> begun = begin(two, codes(begin(one, null)));
    asked.await();
    awaitHang(one);
    List<SessionCode> second = codes(begun);
    assertThat(taken).hasSize(SESSIONS).containsEntry("s0", " one").containsEntry("s2", " one");
    assertThat(taken).containsEntry("s4", "").containsEntry("s6", "").containsEntry("s8", "");
    awaitNobody(one);
    assertThat(two.sessions()).isEqualTo(SESSIONS);
    second.forEach(SessionCode::close);
    awaitNobody(two);
  }

  @Test
  void shouldEndWithARevisionThatHangsWhenItBegins() throws Exception {
    CountDownLatch hanging = new CountDownLatch(2);
    Revision one = remembering("one");
    Revision two =
        revision(
            "two",
            SessionCodesTest::standard,
            () ->
                new Remembering("two") {
                  @Override
                  public boolean takeOver(HandOver left) {
                    if (session.equals("s4") || session.equals("s5")) {
                      hanging.countDown();
                      hang();
                    }
                    return super.takeOver(left);
                  }
                });
    List<CompletableFuture<Begun>> begun = begin(two, codes(begin(one, null)));
    hanging.await();
    awaitHang(two);
    begun.forEach(each -> assertFailed(each, "takeOver did not return within 1000 ms"));
    awaitNobody(one);
    awaitNobody(two);
    assertThat(two.isAbandoned()).isTrue();
    two.retire();
    assertThat(released.get()).isEqualTo(1);
  }

  @Test
  void shouldBeginNothingWhereTheRevisionWasLetGoOf() {
    Revision one = remembering("one");
    Revision two = remembering("two");
    List<SessionCode> first = codes(begin(one, null));
    two.retire();
    List<CompletableFuture<Begun>> begun = begin(two, first);
    begun.forEach(each -> assertFailed(each, "two: was let go of (expected: in force)"));
    awaitNobody(one);
    assertThat(two.sessions()).isZero();
    assertThat(released.get()).as("two, once").isEqualTo(1);
  }
}
