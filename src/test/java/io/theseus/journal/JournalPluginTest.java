package io.theseus.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import akka.actor.BootstrapSetup;
import akka.actor.setup.ActorSystemSetup;
import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.testkit.typed.javadsl.TestProbe;
import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import akka.persistence.AtomicWrite;
import akka.persistence.JournalProtocol;
import akka.persistence.Persistence;
import akka.persistence.PersistentEnvelope;
import akka.persistence.PersistentRepr;
import akka.persistence.typed.PersistenceId;
import akka.persistence.typed.javadsl.CommandHandler;
import akka.persistence.typed.javadsl.Effect;
import akka.persistence.typed.javadsl.EventHandler;
import akka.persistence.typed.javadsl.EventSourcedBehavior;
import akka.persistence.typed.javadsl.RetentionCriteria;
import akka.testkit.javadsl.TestKit;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.theseus.journal.JournalSettings.Engine;
import io.theseus.steps.Steps;
import java.io.IOException;
import java.io.NotSerializableException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import scala.jdk.javaapi.CollectionConverters;

class JournalPluginTest {
  private final Path temp;

  JournalPluginTest(@TempDir Path temp) {
    this.temp = temp;
  }

  // ---- an actor that keeps a text; a snapshot each third event, events behind it deleted

  private sealed interface Command {}

  private record Append(Object text, ActorRef<String> replyTo) implements Command {}

  private record Read(ActorRef<String> replyTo) implements Command {}

  private record Finish(ActorRef<String> replyTo) implements Command {}

  private record Finished() implements FinalEvent {}

  private static final class Text extends EventSourcedBehavior<Command, Object, String> {
    static Behavior<Command> create(String id) {
      return new Text(PersistenceId.ofUniqueId(id));
    }

    private Text(PersistenceId id) {
      super(id);
    }

    @Override
    public String emptyState() {
      return "";
    }

    @Override
    public RetentionCriteria retentionCriteria() {
      return RetentionCriteria.snapshotEvery(3, 1).withDeleteEventsOnSnapshot();
    }

    @Override
    public CommandHandler<Command, Object, String> commandHandler() {
      return newCommandHandlerBuilder()
          .forAnyState()
          .onCommand(
              Append.class,
              command ->
                  Effect().persist(command.text()).thenReply(command.replyTo(), text -> text))
          .onCommand(Read.class, (text, command) -> Effect().reply(command.replyTo(), text))
          .onCommand(
              Finish.class,
              command ->
                  Effect()
                      .persist(new Finished())
                      .thenStop()
                      .thenReply(command.replyTo(), text -> "finished"))
          .build();
    }

    @Override
    public EventHandler<String, Object> eventHandler() {
      return (text, event) -> event instanceof Finished ? text : text + event;
    }
  }

  private Config config(Engine engine) {
    return ConfigFactory.parseMap(
            Map.of(
                "theseus.journal.dir",
                temp.toString(),
                "theseus.journal.engine",
                engine.name().toLowerCase(Locale.ROOT),
                "theseus.journal.min-free",
                0,
                "akka.persistence.journal.plugin",
                "theseus.journal.plugin",
                "akka.persistence.snapshot-store.plugin",
                "theseus.journal.snapshots",
                "akka.actor.allow-java-serialization",
                false))
        // not application.conf: no cluster here, no ports
        .withFallback(ConfigFactory.defaultReference());
  }

  private static String append(ActorTestKit kit, ActorRef<Command> actor, Object text) {
    return ask(kit, actor, probe -> new Append(text, probe));
  }

  private static String read(ActorTestKit kit, ActorRef<Command> actor) {
    return ask(kit, actor, Read::new);
  }

  private static String ask(
      ActorTestKit kit, ActorRef<Command> actor, Function<ActorRef<String>, Command> command) {
    TestProbe<String> probe = kit.createTestProbe();
    actor.tell(command.apply(probe.getRef()));
    return probe.receiveMessage(Duration.ofSeconds(20));
  }

  private <T> T withSystem(Engine engine, Function<ActorTestKit, T> test) {
    ActorTestKit kit = ActorTestKit.create("journal", config(engine));
    try {
      return test.apply(kit);
    } finally {
      kit.shutdownTestKit();
    }
  }

  private static JournalDatabase journal(ActorSystem<?> system) {
    return JournalDatabase.get(system);
  }

  @ParameterizedTest
  @EnumSource(names = {"NATIVE", "JAVA"})
  void shouldRecoverFromSnapshotsAndEventsInANewActorSystem(Engine engine) {
    String before =
        withSystem(
            engine,
            kit -> {
              ActorRef<Command> actor = kit.spawn(Text.create("text"));
              for (int number = 1; number <= 10; number++) {
                append(kit, actor, number + ",");
              }
              Awaitility.await()
                  .untilAsserted(
                      () ->
                          assertThat(TestJournals.events(journal(kit.system()).database(), "text"))
                              .as("events behind the snapshot of 9 are deleted, up to that of 6")
                              .hasSizeLessThan(10));
              return read(kit, actor);
            });
    // at once: the directory is free when the actor system has terminated
    String after = withSystem(engine, kit -> read(kit, kit.spawn(Text.create("text"))));

    assertThat(after).isEqualTo(before).isEqualTo("1,2,3,4,5,6,7,8,9,10,");
  }

  @ParameterizedTest
  @EnumSource(names = {"NATIVE", "JAVA"})
  void shouldListOpenSessionsBeforeAnyActor(Engine engine) {
    Instant start = Instant.ofEpochMilli(System.currentTimeMillis());
    withSystem(
        engine,
        kit -> {
          for (String id : List.of("one", "two", "gone")) {
            ActorRef<Command> actor = kit.spawn(Text.create(id));
            for (int number = 1; number <= 4; number++) {
              append(kit, actor, "x");
            }
          }
          ask(kit, kit.spawn(Text.create("gone")), Finish::new);
          return kit;
        });
    withSystem(
        engine,
        kit -> {
          List<OpenSession> sessions = journal(kit.system()).openSessions();
          assertThat(sessions)
              .extracting(OpenSession::persistenceId)
              .containsExactlyInAnyOrder("one", "two");
          assertThat(sessions)
              .allSatisfy(
                  session -> assertThat(session.lastWrite()).isBetween(start, Instant.now()));
          return kit;
        });
  }

  @ParameterizedTest
  @EnumSource(names = {"NATIVE", "JAVA"})
  void shouldLeaveNothingOfAFinishedActor(Engine engine) {
    withSystem(
        engine,
        kit -> {
          Database database = journal(kit.system()).database();
          ActorRef<Command> actor = kit.spawn(Text.create("text"));
          for (int number = 1; number <= 7; number++) {
            append(kit, actor, "x");
          }
          assertThat(TestJournals.countKeys(database)).isPositive();

          assertThat(ask(kit, actor, Finish::new)).isEqualTo("finished");

          assertThat(TestJournals.countKeys(database)).isZero();
          kit.createTestProbe().expectTerminated(actor, Duration.ofSeconds(20));
          ActorRef<Command> again = kit.spawn(Text.create("text"));
          assertThat(read(kit, again)).isEmpty();
          long batches = database.batches();
          ask(kit, again, Finish::new);
          assertThat(database.batches()).as("an id with nothing stored").isEqualTo(batches);
          return kit;
        });
  }

  @Test
  void shouldRefuseAFinalEventThatIsNotTheLastOfItsWrite() {
    withSystem(
        Engine.NATIVE,
        kit -> {
          TestKit probe = new TestKit(kit.system().classicSystem());
          write(probe, new Finished(), "after");
          assertThat(rejection(probe).cause())
              .hasMessage(
                  "final event of id: sequence number 1 (expected: the last of its write, 2)");
          return kit;
        });
  }

  @ParameterizedTest
  @EnumSource(names = {"NATIVE", "JAVA"})
  void shouldStopAnActorWhoseWriteFails(Engine engine) {
    Steps failing =
        name -> {
          if (name.equals("journal.before-sync")) {
            throw new InternalError("Input/output error");
          }
        };
    ActorTestKit kit =
        ActorTestKit.create(
            ActorSystem.create(
                Behaviors.empty(),
                "journal",
                ActorSystemSetup.create(
                    BootstrapSetup.create(config(engine)), new JournalSetup(failing))));
    try {
      ActorRef<Command> actor = kit.spawn(Text.create("text"));
      TestProbe<String> probe = kit.createTestProbe();
      actor.tell(new Append("x", probe.getRef()));
      probe.expectTerminated(actor, Duration.ofSeconds(20));
      probe.expectNoMessage(Duration.ZERO);
      assertThat(journal(kit.system()).status().failure())
          .hasValueSatisfying(
              text ->
                  assertThat(text)
                      .startsWith("journal " + temp + ": failed, takes no writes until"));
    } finally {
      kit.shutdownTestKit();
    }
  }

  @Test
  void shouldRejectWhatCannotBeSerialized() {
    withSystem(
        Engine.NATIVE,
        kit -> {
          TestKit probe = new TestKit(kit.system().classicSystem());
          write(probe, new Object());
          assertThat(rejection(probe).cause()).isInstanceOf(NotSerializableException.class);
          assertThat(journal(kit.system()).openSessions()).isEmpty();
          return kit;
        });
  }

  @Test
  void shouldRefuseToStartOnADirectoryInUse() {
    try (Database database = TestJournals.open(temp, Engine.NATIVE)) {
      withSystem(
          Engine.NATIVE,
          kit -> {
            assertThatThrownBy(() -> JournalDatabase.get(kit.system()))
                .isInstanceOf(JournalException.class)
                .hasMessageContaining("journal " + temp + ": in use by this process");
            return kit;
          });
      TestJournals.await(TestJournals.persist(database, "a", 1));
    }
  }

  @Test
  void shouldKeepNothingOfAHundredThousandEndedSessions() throws IOException {
    int sessions = 100_000;
    int atOnce = 1_000;
    withSystem(
        Engine.NATIVE,
        kit -> {
          Database database = journal(kit.system()).database();
          TestKit probe = new TestKit(kit.system().classicSystem());
          runSessions(probe, "warm-up-", 2 * atOnce, atOnce);
          long heapBefore = usedHeap();
          runSessions(probe, "session-", sessions, atOnce);

          assertThat(TestJournals.countKeys(database)).isZero();
          assertThat(journal(kit.system()).openSessions()).isEmpty();
          // a table of ids would be 20 MB; what goes by itself is Akka's timers for the writes of
          // the last seconds
          Awaitility.await()
              .atMost(Duration.ofSeconds(40))
              .until(() -> usedHeap() - heapBefore < 4L << 20);
          assertThat(database.waiting()).isZero();
          assertThat(database.batches()).isLessThan(sessions / 4);
          return kit;
        });
    assertThat(TestJournals.size(temp)).as("bytes on disk").isLessThan(40L << 20);
  }

  private static void runSessions(TestKit probe, String name, int sessions, int atOnce) {
    for (int first = 0; first < sessions; first += atOnce) {
      for (Supplier<Object> event : List.<Supplier<Object>>of(() -> "mark", Finished::new)) {
        long number = event.get() instanceof Finished ? 2 : 1;
        for (int session = first; session < first + atOnce; session++) {
          writeTo(probe, name + session, number, event.get());
        }
        int written = 0;
        while (written < atOnce) {
          Object reply = probe.receiveOne(Duration.ofSeconds(20));
          assertThat(reply).isNotInstanceOf(JournalProtocol.WriteMessageFailure.class);
          written += reply instanceof JournalProtocol.WriteMessageSuccess ? 1 : 0;
        }
      }
    }
  }

  private static long usedHeap() {
    System.gc();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }

  private static JournalProtocol.WriteMessageRejected rejection(TestKit probe) {
    while (true) {
      Object reply = probe.receiveOne(Duration.ofSeconds(20));
      assertThat(reply).as("reply").isNotNull();
      if (reply instanceof JournalProtocol.WriteMessageRejected rejection) {
        return rejection;
      }
    }
  }

  private static void write(TestKit probe, Object... events) {
    writeTo(probe, "id", 1, events);
  }

  private static void writeTo(TestKit probe, String id, long firstNumber, Object... events) {
    ArrayList<PersistentRepr> reprs = new ArrayList<>();
    for (int index = 0; index < events.length; index++) {
      reprs.add(
          PersistentRepr.apply(
              events[index], firstNumber + index, id, "", false, probe.getRef(), "writer"));
    }
    PersistentEnvelope write = AtomicWrite.apply(CollectionConverters.asScala(reprs).toSeq());
    Persistence.get(probe.getSystem())
        .journalFor("theseus.journal.plugin", ConfigFactory.empty())
        .tell(
            new JournalProtocol.WriteMessages(
                CollectionConverters.asScala(List.of(write)).toSeq(), probe.getRef(), 1),
            probe.getRef());
  }
}
