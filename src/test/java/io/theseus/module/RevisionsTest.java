package io.theseus.module;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.theseus.channel.Admission;
import io.theseus.channel.Direction;
import io.theseus.channel.Progress;
import io.theseus.channel.Range;
import io.theseus.channel.SessionInfo;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RevisionsTest {
  private static final Duration LONG = Duration.ofMinutes(5);

  /** Of calls that hang: all others must return within it on a busy machine, too. */
  private static final Duration SHORT = Duration.ofSeconds(2);

  private static final RevisionDescription STANDARD = RevisionDescription.standard();

  /** Denies everybody, naming how many it has denied, its thread and its version. */
  private static final String COUNTING =
      """
      import io.theseus.channel.*;
      public final class Counting implements AdmissionPolicy {
        private int asked;
        @Override public Admission admit(SessionInfo session, int others) {
          while (session.name().equals("hang")) { Thread.onSpinWait(); }
          return Admission.deny("%s " + ++asked + " " + Thread.currentThread().getName());
        }
      }
      """;

  @TempDir Path directory;
  private StagedModules modules;

  @BeforeEach
  void open() throws Exception {
    modules = new StagedModules(directory.resolve("modules"));
  }

  private static SessionInfo session(String name) {
    return new SessionInfo(new UUID(0, 1), Direction.GET, name, OptionalLong.of(4096), "192.0.2.1");
  }

  private static <T> T get(CompletionStage<T> answer) throws Exception {
    return answer.toCompletableFuture().get();
  }

  private RevisionDescription burst(String version) throws Exception {
    return modules.put(STANDARD, "Burst", version, TestModules.SOURCE);
  }

  private RevisionDescription tried(String kind, String body) throws Exception {
    return modules.put(
        STANDARD,
        "Tried",
        "1.2",
        """
        import io.theseus.channel.*;
        import java.util.*;
        public final class Tried implements %s {
          %s
        }
        """
            .formatted(kind, body));
  }

  @Test
  void shouldStageWhatSessionsCanRun() throws Exception {
    RevisionDescription description =
        modules.put(
            burst("1.2"),
            "Tried",
            "1",
            "import io.theseus.channel.*; public final class Tried implements NetworkFunction {"
                + " public Passage decide(Range range, long now) { return"
                + " Passage.limit(Math.min(1000, range.length())); } }");
    Revisions revisions = modules.revisions();

    Revision revision = revisions.stage(description);

    assertThat(revision.id()).isEqualTo(description.id());
    assertThat(revision.module()).isEqualTo("burst@1.2");
    assertThat(revision.functions())
        .extracting(Revision.Component::name)
        .containsExactly("tried@1");
    assertThat(revision.channel().key()).isEqualTo("burst#burst");
    assertThat(revision.channel().content())
        .isEqualTo(description.channel().orElseThrow().sha256() + "#burst");
    SessionCode code =
        get(SessionCode.begin(revision, TestRevisions.beginning(session("a")), 0)).code();
    Decisions decisions =
        get(
            code.decide(
                new SessionCode.Question(new Progress(Direction.GET, 0, 4096), 1001, 4096)));
    assertThat(decisions.ranges()).containsExactly(new Range(0, 1000), new Range(1000, 1000));
    revision.retire();
    assertThat(revisions.held()).as("a session runs it").isEqualTo(2);
    code.close();
    await().until(() -> revisions.held() == 0);
  }

  @Test
  void shouldStageWhatIsBuiltIn() throws Exception {
    assertThat(modules.revisions().stage(STANDARD)).isSameAs(Revision.builtIn());
  }

  @Test
  void shouldLoadAJarOnce() throws Exception {
    Revisions revisions = modules.revisions();
    RevisionDescription description = burst("1.2");
    Revision one = revisions.stage(description);
    Revision two = revisions.stage(description);
    ClassLoader classes = StagedModules.classes(one).get();
    assertThat(StagedModules.classes(two).get()).isSameAs(classes).isNotNull();
    one.retire();
    assertThat(revisions.held()).isEqualTo(1);
    assertThat(StagedModules.classes(two).get()).isSameAs(classes);
    two.retire();
    await().until(() -> revisions.held() == 0);
    assertThatThrownBy(() -> StagedModules.classes(two))
        .hasMessageEndingWith("its module was unloaded (expected: one that is loaded)");
  }

  // ---- refusals

  private void assertRefused(Revisions revisions, RevisionDescription description, String message) {
    assertThatThrownBy(() -> revisions.stage(description))
        .isInstanceOf(ModuleException.class)
        .hasMessage(message)
        .hasNoCause();
    await().until(() -> revisions.held() == 0);
    String thread = "module-" + description.id().substring(0, 12);
    await()
        .until(() -> StagedModules.threads().stream().noneMatch(each -> each.startsWith(thread)));
  }

  private void assertRefused(RevisionDescription description, String message) {
    assertRefused(modules.revisions(LONG, LONG), description, message);
  }

  private static final String NEXT =
      "public Range next(Progress p) { return new Range(p.position(), (int)"
          + " Math.min(Range.MOST, p.end() - p.position())); } ";

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "DataChannel | public Tried() { throw new IllegalStateException(\"no\"); }"
            + " public Range next(Progress p) { return null; } |"
            + " tried@1.2: a download that went back: a new object: component tried@1.2#tried:"
            + " class Tried: its constructor threw java.lang.IllegalStateException: no",
        "DataChannel | public Range next(Progress p) { return new Range(p.position() + 1, 1); } |"
            + " tried@1.2: a download that went back: next at 0: offset: 1 (expected: 0)",
        "DataChannel | public Range next(Progress p) { throw new StackOverflowError(); } |"
            + " tried@1.2: a download that went back: next at 0: threw"
            + " java.lang.StackOverflowError (expected: a result)",
        "NetworkFunction | public PayloadUse payloadUse() { return PayloadUse.INSPECT; } public"
            + " Optional<String> payload(long o, java.nio.ByteBuffer b) { b.put(0, (byte) 0); return"
            + " Optional.empty(); } |"
            + " tried@1.2: a download that went back: payload at 0: threw"
            + " java.nio.ReadOnlyBufferException (expected: a result)",
        "NetworkFunction | private long n; public void passed(Range r) { if (++n > 0)"
            + " throw new IllegalStateException(\"late\"); } |"
            + " tried@1.2: a download that went back: passed at 0: threw"
            + " java.lang.IllegalStateException: late (expected: a result)",
        "AdmissionPolicy | public Admission admit(SessionInfo s, int o) { return null; } |"
            + " tried@1.2: a download that went back: admit: null (expected: a result)",
        "FairnessPolicy | public long[] share(long b, List<Demand> d) { return new long[1]; } |"
            + " tried@1.2: shares: share of 0 among []: shares: 1 (expected: 0, one for each)",
      })
  void shouldRefuseWhatBreaksARule(String kind, String body, String message) throws Exception {
    assertRefused(tried(kind, body), message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "public Range next(Progress p) { while (!Thread.interrupted()) {} return null; } | next at 0",
        "public Tried() { while (!Thread.interrupted()) {} } " + NEXT + " | a new object",
        NEXT
            + " public void begin(SessionInfo s) { while (s.name().equals(\"practice\")"
            + " && !Thread.interrupted()) {} } | begin",
        "public Range next(Progress p) { if (p.end() == 1L << 30) {"
            + " while (!Thread.interrupted()) {} } return new Range(p.position(), 1); } | next",
      })
  void shouldRefuseWhatHangs(String body, String call) throws Exception {
    assertRefused(
        modules.revisions(SHORT, LONG),
        tried("DataChannel", body),
        "tried@1.2: " + call + " did not return within 2000 ms");
  }

  @Test
  void shouldRefuseWhatTakesTooLongAltogether() throws Exception {
    assertRefused(
        modules.revisions(LONG, Duration.ZERO),
        burst("1.2"),
        "burst@1.2: self-test of the revision did not end within 0 ms");
  }

  private static RevisionDescription channel(
      String module, String version, String component, String sha256) {
    return new RevisionDescription(
        Optional.of(new ComponentReference(module, new ModuleVersion(version), component, sha256)),
        List.of(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }

  @Test
  void shouldRefuseWhatIsNotAsDescribed() throws Exception {
    String nowhere = "0".repeat(64);
    assertRefused(
        channel("burst", "1.2", "burst", nowhere),
        "burst@1.2: not here (expected: in the store, SHA-256 " + nowhere + ")");
    String sha256 = burst("1.2").channel().orElseThrow().sha256();
    assertRefused(
        channel("burst", "1.3", "burst", sha256),
        "module: burst@1.3 (expected: burst@1.2, which its jar is)");
    assertRefused(
        channel("burst", "1.2", "other", sha256),
        "component: other (expected: a DataChannel of burst@1.2)");
    ComponentReference channel = burst("1.2").channel().orElseThrow();
    assertRefused(
        new RevisionDescription(
            Optional.empty(),
            List.of(channel),
            Optional.empty(),
            Optional.empty(),
            Optional.empty()),
        "component: burst (expected: a NetworkFunction of burst@1.2)");
    Path file = directory.resolve("modules").resolve(sha256 + ".jar");
    Files.write(file, burst("1.4").toJson().getBytes(StandardCharsets.UTF_8));
    assertRefused(
        channel("burst", "1.2", "burst", sha256),
        "module file \""
            + file
            + "\" was changed: no end record (expected: a jar, and nothing behind it)");
  }

  // ---- policies

  private static String denied(Revision revision, String name) throws Exception {
    return ((Admission.Deny) get(revision.admit(session(name), 0))).reason();
  }

  @Test
  void shouldKeepAPolicyThatIsNotReplaced() throws Exception {
    Revisions revisions = modules.revisions();
    RevisionDescription first = modules.put(STANDARD, "Counting", "1", COUNTING.formatted("first"));
    Revision one = revisions.stage(first);
    Revision two = revisions.stage(modules.put(first, "Burst", "1.2", TestModules.SOURCE));
    assertThat(denied(one, "a")).isEqualTo("first 1 module-counting@1-1");
    assertThat(denied(two, "a")).isEqualTo("first 2 module-counting@1-1");
    one.retire();
    assertThat(denied(two, "a")).isEqualTo("first 3 module-counting@1-1");
    Revision three =
        revisions.stage(modules.put(first, "Counting", "2", COUNTING.formatted("second")));
    assertThat(denied(three, "a")).isEqualTo("second 1 module-counting@2-1");
    two.retire();
    three.retire();
    await().until(() -> revisions.held() == 0); // when practice sessions have left, too
    Revision again = revisions.stage(first);
    assertThat(denied(again, "a")).as("nobody had it").startsWith("first 1 ");
    again.retire();
  }

  @Test
  void shouldMakeAPolicyThatHungAnew() throws Exception {
    Revisions revisions = modules.revisions(SHORT, LONG);
    RevisionDescription description =
        modules.put(
            STANDARD,
            "Counting",
            "1",
            COUNTING
                .formatted("first")
                .replace("Thread.onSpinWait()", "if (Thread.interrupted()) { break; }"));
    Revision one = revisions.stage(description);
    Revision two = revisions.stage(description);
    CompletionStage<Admission> hung = one.admit(session("hang"), 0);
    List<String> heard = new ArrayList<>();
    await()
        .until(
            () -> {
              Optional.ofNullable(one.check()).ifPresent(heard::add);
              return !heard.isEmpty();
            });
    assertThat(heard).containsExactly("counting@1: admit did not return within 2000 ms");
    assertThatThrownBy(() -> get(hung)).hasMessageContaining(heard.get(0));
    assertThat(one.isAbandoned()).isTrue();
    assertThat(two.isAbandoned()).as("it is the same policy").isTrue();

    Revision three = revisions.stage(description);
    assertThat(three.isAbandoned()).isFalse();
    assertThat(denied(three, "a")).startsWith("first 1 ");
    one.retire();
    two.retire();
    assertThat(denied(three, "a")).startsWith("first 2 ");
    three.retire();
    await().until(() -> revisions.held() == 0);
  }

  // ---- warm and gone

  @Test
  void shouldWarmUpInBurstsWithPauses() throws Exception {
    AtomicLong now = new AtomicLong();
    List<Duration> pauses = new ArrayList<>();
    Revisions revisions =
        new Revisions(
            modules.store(),
            new Revisions.Limits(1, LONG, LONG, Duration.ofHours(1)),
            () -> now.getAndAdd(10_000),
            pauses::add);
    revisions.stage(burst("1.2")).retire();
    // 1 ms of a clock that goes on by 10 µs each time that it is read: some 100 calls
    assertThat(pauses).containsOnly(WarmUp.PAUSE);
    assertThat(pauses.size()).isBetween(WarmUp.LEAST_CALLS / 110, WarmUp.MOST_CALLS / 90);
    await().until(() -> revisions.held() == 0);
  }

  /** However fast they are: what they leave is garbage. */
  @Test
  @Timeout(60)
  void shouldEndABurstBehindSoManyCalls() throws Exception {
    List<Duration> pauses = new ArrayList<>();
    Revisions revisions =
        new Revisions(
            modules.store(),
            new Revisions.Limits(1, LONG, LONG, Duration.ofHours(1)),
            () -> 0, // no call takes any time
            pauses::add);
    revisions.stage(burst("1.3")).retire();
    assertThat(pauses).hasSize(WarmUp.LEAST_CALLS / WarmUp.BURST_CALLS);
    await().until(() -> revisions.held() == 0);
  }

  @Test
  void shouldCollectCodeThatLeavesThreadLocals() throws Exception {
    RevisionDescription description =
        tried(
            "DataChannel",
            "private static final ThreadLocal<Tried> KEPT = new ThreadLocal<>();"
                + NEXT.replace("{ return", "{ KEPT.set(this); return"));
    Revisions revisions = modules.revisions();
    Revision revision = revisions.stage(description);
    SessionCode code =
        get(SessionCode.begin(revision, TestRevisions.beginning(session("a")), 0)).code();
    get(code.decide(new SessionCode.Question(new Progress(Direction.GET, 0, 4096), 4096, 4096)));
    WeakReference<ClassLoader> classes = StagedModules.classes(revision);
    System.gc();
    assertThat(classes.get()).as("in use").isNotNull();
    code.close();
    revision.retire();
    await()
        .untilAsserted(
            () -> {
              System.gc();
              assertThat(classes.get()).isNull();
            });
    assertThat(revision.sessions()).isZero();
  }
}
