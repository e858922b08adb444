package io.theseus.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import akka.actor.BootstrapSetup;
import akka.actor.setup.ActorSystemSetup;
import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.DispatcherSelector;
import akka.actor.typed.Props;
import akka.actor.typed.SpawnProtocol;
import akka.actor.typed.javadsl.AskPattern;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigValueFactory;
import io.theseus.journal.JournalDatabase;
import io.theseus.journal.JournalSetup;
import io.theseus.journal.OpenSession;
import io.theseus.module.Revision;
import io.theseus.module.Switchboard;
import io.theseus.names.Names;
import io.theseus.names.TestNames;
import io.theseus.session.Counters;
import io.theseus.session.Misbehaviour;
import io.theseus.session.SessionActor;
import io.theseus.session.SessionEnvironment;
import io.theseus.session.SessionSettings;
import io.theseus.steps.Steps;
import io.theseus.store.FileStore;
import io.theseus.store.StoreSettings;
import io.theseus.wire.ClientMessage;
import io.theseus.wire.ProtocolException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Control, sessions and workers with the real store and the real journal, without sockets and
 * cluster. The actor system can be ended and begun anew beside all that outlives it.
 */
final class TestNode implements AutoCloseable {
  static final Duration PATIENCE = Duration.ofSeconds(60);
  static final int LANES = 2;

  private final Path directory;
  private final Steps steps;
  private final ExecutorService disk = Executors.newFixedThreadPool(2);
  private final Transfers transfers =
      new Transfers(
          IntStream.range(0, LANES)
              .mapToObj(lane -> new Lane(dispatcher(lane), disk, TestNode::later))
              .toList());
  private final Switchboard switchboard = new Switchboard();
  private final List<Misbehaviour> misbehaviours = new CopyOnWriteArrayList<>();
  private final FileStore store;
  private final Control control;
  private final SessionEnvironment environment;
  private ActorSystem<SpawnProtocol.Command> system;
  private ActorRef<ControlActor.Command> actor;

  /** Each lane has a thread of its own, as in a node. */
  private static String dispatcher(int lane) {
    return "lane-" + lane;
  }

  private static Config dispatchers() {
    Config all = ConfigFactory.empty();
    for (int lane = 0; lane < LANES; lane++) {
      all =
          all.withValue(
              dispatcher(lane),
              ConfigFactory.parseString(
                      "type = Dispatcher, executor = thread-pool-executor,"
                          + " thread-pool-executor.fixed-pool-size = 1")
                  .root());
    }
    return all;
  }

  private static void later(Runnable task, Duration delay) {
    CompletableFuture.delayedExecutor(delay.toNanos(), TimeUnit.NANOSECONDS).execute(task);
  }

  TestNode(Path directory, Steps steps, SessionSettings settings) {
    this(directory, steps, settings, Clock.systemUTC());
  }

  TestNode(Path directory, Steps steps, SessionSettings settings, Clock clock) {
    this.directory = directory;
    this.steps = steps;
    try {
      store =
          FileStore.open(
              StoreSettings.of(
                  directory.resolve("files"), directory.resolve("records"), 0, settings.keep()),
              disk,
              clock,
              steps);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    Names names = TestNames.alone(store, disk);
    control = new Control(names, "nowhere else", transfers);
    environment =
        new SessionEnvironment(
            "test",
            "nowhere else",
            store,
            disk,
            switchboard,
            misbehaviours::add,
            /* bandwidth= */ null,
            names,
            /* copies= */ null,
            transfers::live,
            settings,
            new Counters(),
            steps);
    system = newSystem();
    actor = spawn();
  }

  /** Marks seldom: only what asks for a mark gets one. */
  static SessionSettings unhurried() {
    return new SessionSettings(
        Duration.ofHours(1), Duration.ofHours(1), Long.MAX_VALUE, Duration.ofHours(1));
  }

  private ActorSystem<SpawnProtocol.Command> newSystem() {
    Config config =
        ConfigFactory.parseString(
                "akka.actor.provider = local, theseus.journal.min-free = 0, akka.loglevel = WARNING")
            .withValue(
                "theseus.journal.dir",
                ConfigValueFactory.fromAnyRef(directory.resolve("journal").toString()))
            .withFallback(dispatchers())
            .withFallback(ConfigFactory.load());
    return ActorSystem.create(
        SpawnProtocol.create(),
        "test",
        ActorSystemSetup.create(BootstrapSetup.create(config), new JournalSetup(steps)));
  }

  private ActorRef<ControlActor.Command> spawn() {
    control.expect();
    Set<UUID> open =
        openSessions().stream()
            .flatMap(id -> SessionActor.sessionOf(id).stream())
            .collect(Collectors.toSet());
    ActorRef<ControlActor.Command> spawned =
        AskPattern.<SpawnProtocol.Command, ActorRef<ControlActor.Command>>ask(
                system,
                replyTo ->
                    new SpawnProtocol.Spawn<>(
                        ControlActor.create(environment, transfers, open, Set.of()),
                        "control",
                        props(),
                        replyTo),
                PATIENCE,
                system.scheduler())
            .toCompletableFuture()
            .join();
    return spawned;
  }

  private static Props props() {
    return DispatcherSelector.fromConfig("theseus.dispatchers.control");
  }

  /** Ends the actor system, as the cluster does to a downed member, and starts another one. */
  void restartActors() {
    system.terminate();
    assertThat(system.getWhenTerminated()).succeedsWithin(PATIENCE);
    JournalDatabase.get(system).whenClosed().toCompletableFuture().join();
    control.orphaned();
    system = newSystem();
    actor = spawn();
  }

  SessionEnvironment environment() {
    return environment;
  }

  Control control() {
    return control;
  }

  ActorSystem<?> system() {
    return system;
  }

  /** Sends a command as a connection does. */
  void open(FakeLink link, String command) {
    control.open(link, command(command));
  }

  static ClientMessage.Command command(String text) {
    try {
      return (ClientMessage.Command) ClientMessage.parse(text);
    } catch (ProtocolException e) {
      throw new AssertionError(e);
    }
  }

  /** Puts a revision in force; sessions see it at their next packet. */
  void publish(Revision revision) {
    publish(revision, Revision.builtIn());
  }

  /** The same, with another one to go back to. */
  void publish(Revision revision, Revision stable) {
    switchboard.publish(revision, Optional.empty(), stable);
  }

  /** Sessions that run code of before the last switch. */
  int behind() {
    return transfers.behind(switchboard.generation());
  }

  /** Sessions without traffic are to follow the last switch, too. */
  void followSwitch() {
    actor.tell(new ControlActor.FollowSwitch());
  }

  /** What code of modules did wrong. */
  List<Misbehaviour> misbehaviours() {
    return misbehaviours;
  }

  void tell(UUID session, SessionActor.Command what) {
    actor.tell(new ControlActor.Tell(Optional.of(session), what));
  }

  ControlActor.Counts counts() {
    return AskPattern.<ControlActor.Command, ControlActor.Counts>ask(
            actor, ControlActor.Count::new, PATIENCE, system.scheduler())
        .toCompletableFuture()
        .join();
  }

  /** Waits until no session has an actor. */
  void awaitNoSession() {
    await().atMost(PATIENCE).until(() -> counts().live() == 0);
  }

  List<String> openSessions() {
    return JournalDatabase.get(system).openSessions().stream()
        .map(OpenSession::persistenceId)
        .toList();
  }

  /** Batches that the journal has synced in this life of the actor system. */
  long journalBatches() {
    return JournalDatabase.get(system).status().batches();
  }

  Path file(String name) {
    return directory.resolve("files").resolve(name);
  }

  /** Names in the staging directory that belong to sessions. */
  List<String> parts() {
    try (var files = Files.list(directory.resolve("files").resolve(StoreSettings.STAGING))) {
      return files
          .map(path -> path.getFileName().toString())
          .filter(n -> n.endsWith(".part"))
          .toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  byte[] write(String name, int size) {
    byte[] content = content(size);
    try {
      Files.write(file(name), content);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return content;
  }

  static byte[] content(int size) {
    byte[] content = new byte[size];
    new Random(size).nextBytes(content);
    return content;
  }

  @Override
  public void close() throws IOException {
    system.terminate();
    assertThat(system.getWhenTerminated()).succeedsWithin(PATIENCE);
    disk.shutdown();
    store.close();
  }
}
