package io.theseus.upgrade;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.theseus.module.LabModules;
import io.theseus.module.ModuleArchive;
import io.theseus.module.ModuleException;
import io.theseus.module.ModuleKeys;
import io.theseus.module.ModuleStore;
import io.theseus.module.Revision;
import io.theseus.module.RevisionDescription;
import io.theseus.module.RevisionStore;
import io.theseus.module.Revisions;
import io.theseus.module.Switchboard;
import io.theseus.session.Misbehaviour;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

final class NodeRevisionsTest {
  @FunctionalInterface
  private interface Practice {
    void practise(Revision next) throws ModuleException;
  }

  private static final String CHANNEL =
      """
      import io.theseus.channel.*;

      public final class Bursts implements DataChannel {
        @Override
        public Range next(Progress progress) {
          return new Range(
              progress.position(), (int) Math.min(4096, progress.end() - progress.position()));
        }
      }
      """;
  private static final Duration PAUSE = Duration.ofMinutes(5);

  private final Map<String, byte[]> elsewhere = new HashMap<>();
  private final List<String> told = new ArrayList<>();
  private final List<Revision> practised = new ArrayList<>();
  private volatile Practice sessions = next -> {};
  private final List<String> alarms = new ArrayList<>();
  private final Switchboard switchboard = new Switchboard();
  private Instant now = Instant.parse("2026-11-26T12:00:00Z");
  private @TempDir Path directory;
  private Path labKey;
  private NodeRevisions revisions;

  @BeforeEach
  void open() throws Exception {
    labKey = directory.resolve("lab.key");
    revisions =
        new NodeRevisions(
            "n1",
            ModuleKeys.forNode(List.of(), Optional.of(labKey)),
            ModuleStore.open(directory.resolve("jars")),
            RevisionStore.open(directory.resolve("revisions")),
            new Revisions.Limits(1, Duration.ofMinutes(5), Duration.ofMinutes(5), Duration.ZERO),
            switchboard,
            new NodeRevisions.Sessions() {
              @Override
              public void follow() {
                told.add("follow");
              }

              @Override
              public void hold(boolean held) {
                told.add(held ? "hold" : "resume");
              }

              @Override
              public void practise(Revision next) throws ModuleException {
                practised.add(next);
                sessions.practise(next);
              }
            },
            /* mostMisbehavingPercent= */ 10,
            PAUSE,
            clock());
    revisions.source(sha256 -> Optional.ofNullable(elsewhere.get(sha256)));
    revisions.alarm((generation, reason) -> alarms.add(generation + " " + reason));
  }

  private Clock clock() {
    return new Clock() {
      @Override
      public java.time.ZoneId getZone() {
        return ZoneOffset.UTC;
      }

      @Override
      public Clock withZone(java.time.ZoneId zone) {
        return this;
      }

      @Override
      public Instant instant() {
        return now;
      }
    };
  }

  @AfterEach
  void close() {
    revisions.close();
  }

  // ---- staged

  @Test
  void shouldFetchWhatIsNotHere() throws Exception {
    RevisionDescription description = described("1");
    elsewhere.put(description.id(), description.toJson().getBytes(StandardCharsets.UTF_8));

    assertThat(staged(NodeRevisions.id(description))).isEmpty();
    assertThat(staged(NodeRevisions.id(description))).as("again").isEmpty();
    assertThat(practised).as("nobody is here to follow").isEmpty();

    publish(1, Course.of(NodeRevisions.id(description)), Optional.empty());
    assertThat(switchboard.current().revision().module()).isEqualTo("bursts@1");
    assertThat(told).containsExactly("follow");
    assertThat(revisions.bytes(description.id())).isPresent();
    String jar = description.jars().iterator().next();
    assertThat(revisions.bytes(jar).orElseThrow()).isEqualTo(elsewhere.get(jar));
  }

  @Test
  void shouldRefuseWhatNobodyHas() throws Exception {
    RevisionDescription description = described("1");
    assertThat(staged(NodeRevisions.id(description)))
        .hasValue(
            "description of the revision "
                + description.id()
                + ": on no node (expected: on one that is reached)");
    String jar = description.jars().iterator().next();
    elsewhere.remove(jar);
    revisions.put(description);
    assertThat(staged(NodeRevisions.id(description)))
        .hasValue("module " + jar + ": on no node (expected: on one that is reached)");
  }

  @Test
  void shouldLetGoOfWhatItCantPractise() throws Exception {
    RevisionDescription description = described("1");
    revisions.put(description);
    assertThat(staged(NodeRevisions.builtIn())).isEmpty();
    publish(1, Course.of(NodeRevisions.builtIn()), Optional.empty());
    sessions =
        next -> {
          throw new ModuleException("broken");
        };
    assertThat(staged(NodeRevisions.id(description))).hasValue("broken");
    sessions =
        next -> {
          throw new NoClassDefFoundError("broken");
        };
    assertThat(staged(NodeRevisions.id(description))).hasValue("staging broke off");
    // given up too late to be noticed in it
    sessions = next -> Thread.currentThread().interrupt();
    assertThat(staged(NodeRevisions.id(description))).hasValue("given up");
    assertThat(practised).hasSize(3).allMatch(Revision::isReleased);
    sessions = next -> {};
    assertThat(staged(NodeRevisions.id(description))).isEmpty();
    assertThat(practised).hasSize(4);
    assertThat(practised.get(3).isReleased()).isFalse();
  }

  @Test
  void shouldSayWhatIsInForceBeforeSessionsSayThatTheyFollowed() throws Exception {
    Logger logger = (Logger) LoggerFactory.getLogger(NodeRevisions.class);
    AppenderBase<ILoggingEvent> lines =
        new AppenderBase<>() {
          @Override
          protected void append(ILoggingEvent event) {
            if (event.getFormattedMessage().startsWith("in force: ")) {
              told.add("log");
            }
          }
        };
    lines.start();
    logger.addAppender(lines);
    try {
      RevisionId one = ready("1");
      publish(1, Course.of(one), Optional.empty());
      publish(1, Course.of(one).withPaused(true), Optional.empty());
    } finally {
      logger.detachAppender(lines);
    }
    assertThat(told).containsExactly("log", "follow", "log", "hold");
  }

  @Test
  void shouldRefuseOtherBytesThanTheirHashSays() throws Exception {
    RevisionDescription description = described("1");
    revisions.put(description);
    String jar = description.jars().iterator().next();
    byte[] changed = Objects.requireNonNull(elsewhere.get(jar)).clone();
    changed[100]++;
    elsewhere.put(jar, changed);
    assertThat(staged(NodeRevisions.id(description)))
        .hasValue(
            "module: SHA-256 " + ModuleKeys.sha256(changed) + " was sent (expected: " + jar + ")");
    assertThat(revisions.bytes(jar)).isEmpty();
  }

  @Test
  void shouldVerifyWhatAnotherNodeSends() throws Exception {
    Path otherKey = directory.resolve("other.key");
    var unused = ModuleKeys.forNode(List.of(), Optional.of(otherKey));
    RevisionDescription description = described("1", otherKey);
    revisions.put(description);
    assertThat(staged(NodeRevisions.id(description)).orElseThrow())
        .startsWith("signature: by key ")
        .contains("(expected: one by a pinned key: ");
    byte[] unsigned = elsewhere.values().iterator().next();
    assertThatThrownBy(() -> revisions.put(unsigned)).isInstanceOf(ModuleException.class);
  }

  @Test
  void shouldLetGoOfWhatIsNotKept() throws Exception {
    RevisionId one = ready("1");
    RevisionId two = ready("2");
    publish(1, Course.of(one), Optional.empty());
    Revision first = switchboard.current().revision();
    publish(2, Course.of(two), Optional.of(one));
    revisions.keep(Set.of(two));
    assertThat(first.isReleased()).isTrue();
    assertThat(switchboard.current().revision().isReleased()).isFalse();
    assertThat(staged(one)).as("from the store").isEmpty();
  }

  @Test
  void shouldRemoveFromTheDiskWhatIsOldAndNotNeeded() throws Exception {
    RevisionDescription one = described("1");
    RevisionDescription two = described("2");
    for (RevisionDescription each : List.of(one, two)) {
      revisions.put(each);
      assertThat(staged(NodeRevisions.id(each))).isEmpty();
    }
    now = Instant.now();
    revisions.retain(Set.of(NodeRevisions.id(two)));
    assertThat(revisions.bytes(one.id())).as("young").isPresent();
    now = Instant.now().plus(Duration.ofHours(2));
    revisions.retain(Set.of(NodeRevisions.id(two)));
    assertThat(revisions.bytes(one.id())).isEmpty();
    assertThat(revisions.bytes(one.jars().iterator().next())).isEmpty();
    assertThat(revisions.bytes(two.id())).isPresent();
    assertThat(revisions.bytes(two.jars().iterator().next())).isPresent();
  }

  // ---- in force

  @Test
  void shouldHoldAndResumeWithoutASwitch() throws Exception {
    RevisionId one = ready("1");
    publish(1, Course.of(one), Optional.empty());
    long generation = switchboard.generation();
    publish(1, Course.of(one).withPaused(true), Optional.empty());
    assertThat(switchboard.isPaused()).isTrue();
    publish(1, Course.of(one), Optional.empty());
    assertThat(switchboard.isPaused()).isFalse();
    assertThat(switchboard.generation()).isEqualTo(generation);
    assertThat(told).containsExactly("follow", "hold", "resume");
  }

  @Test
  void shouldEndAPauseThatNobodyEnds() throws Exception {
    publish(1, Course.of(ready("1")).withPaused(true), Optional.empty());
    now = now.plus(PAUSE);
    revisions.check();
    assertThat(switchboard.isPaused()).isTrue();
    now = now.plus(Duration.ofSeconds(11));
    revisions.check();
    revisions.check();
    assertThat(switchboard.isPaused()).isFalse();
    assertThat(told).containsExactly("follow", "hold", "resume");
  }

  @Test
  void shouldPublishACanary() throws Exception {
    RevisionId one = ready("1");
    RevisionId two = ready("2");
    UUID session = new UUID(1, 2);
    publish(1, new Course(one, new Canary(two, session, 0), false), Optional.empty());
    assertThat(switchboard.current().of(session).module()).isEqualTo("bursts@2");
    assertThat(switchboard.current().of(new UUID(1, 3)).module()).isEqualTo("bursts@1");
  }

  // ---- misbehaving

  @Test
  void shouldRaiseAnAlarmOnceForEachSwitch() throws Exception {
    RevisionId one = ready("1");
    publish(7, Course.of(one), Optional.empty());
    Revision serving = switchboard.current().revision();
    // the last session of its self-test ends on a thread of its own
    await().atMost(Duration.ofSeconds(60)).until(() -> serving.sessions() == 0);
    revisions.heard(
        new Misbehaviour(Revision.builtIn(), Optional.of(new UUID(0, 1)), "no fault of it"));
    assertThat(alarms).isEmpty();
    revisions.heard(new Misbehaviour(serving, Optional.of(new UUID(0, 1)), "next threw"));
    revisions.heard(new Misbehaviour(serving, Optional.of(new UUID(0, 2)), "next threw"));
    assertThat(alarms).containsExactly("7 1 of 1 sessions left it: next threw");
    publish(8, Course.of(ready("2")), Optional.of(one));
    revisions.heard(new Misbehaviour(serving, Optional.of(new UUID(0, 3)), "late"));
    assertThat(alarms).hasSize(1);
  }

  @Test
  void shouldRaiseTheAlarmAtOnceForWhatFailsForAll() throws Exception {
    RevisionId one = ready("1");
    publish(1, Course.of(one), Optional.empty());
    Revision serving = switchboard.current().revision();
    revisions.heard(new Misbehaviour(serving, Optional.empty(), "share threw"));
    revisions.heard(new Misbehaviour(serving, Optional.empty(), "share threw"));
    assertThat(alarms).containsExactly("1 no session can go on with it: share threw");
  }

  // ---- helpers

  /** Its jar is on another node. */
  private RevisionDescription described(String version) throws Exception {
    return described(version, labKey);
  }

  private RevisionDescription described(String version, Path key) throws Exception {
    byte[] jar = LabModules.signed("Bursts", version, CHANNEL, key);
    ModuleArchive module = ModuleArchive.read(jar);
    elsewhere.put(module.sha256(), jar);
    return RevisionDescription.standard().with(module.descriptor(), module.sha256());
  }

  private RevisionId ready(String version) throws Exception {
    RevisionId id = revisions.put(described(version));
    assertThat(staged(id)).isEmpty();
    return id;
  }

  private Optional<String> staged(RevisionId id) throws Exception {
    return revisions.stage(id).toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private void publish(long generation, Course course, Optional<RevisionId> stable) {
    revisions.publish(generation, course, stable);
  }
}
