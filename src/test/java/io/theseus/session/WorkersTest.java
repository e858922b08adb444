package io.theseus.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.ChildFailed;
import akka.actor.typed.javadsl.Behaviors;
import com.typesafe.config.ConfigFactory;
import io.theseus.channel.Direction;
import io.theseus.module.Revision;
import io.theseus.steps.Steps;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** When there is a worker, and what its death means; in an actor that does what the test says. */
final class WorkersTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final long MIB = 1 << 20;
  private static final long END = 100 * MIB;

  private final ActorTestKit kit =
      ActorTestKit.create(
          ConfigFactory.parseString("akka.actor.provider = local, akka.loglevel = ERROR")
              .withFallback(ConfigFactory.load()));

  private final Transfer transfer = Transfer.begin(UUID.randomUUID());
  private final Queue<Consumer<Workers>> toDo = new ConcurrentLinkedQueue<>();

  /** What the connection was told, by the method; grants with their generation and range. */
  private final List<String> told = new CopyOnWriteArrayList<>();

  private final List<Optional<SessionActor.Command>> deaths = new CopyOnWriteArrayList<>();
  private Runnable onGrant = () -> {};
  private final ActorRef<SessionActor.Command> actor = kit.spawn(session());

  @AfterEach
  void end() {
    kit.shutdownTestKit();
  }

  private Behavior<SessionActor.Command> session() {
    transfer.link =
        (SessionLink)
            Proxy.newProxyInstance(
                SessionLink.class.getClassLoader(),
                new Class<?>[] {SessionLink.class},
                (proxy, method, arguments) -> {
                  if (arguments != null && arguments[0] instanceof Grant grant) {
                    told.add(
                        "grant " + grant.workerGeneration() + " " + grant.range().offset() / MIB);
                    onGrant.run();
                  } else {
                    told.add(method.getName());
                  }
                  return null;
                });
    transfer.workerGeneration = 1;
    transfer.revise(Revision.builtIn(), null);
    return Behaviors.setup(
        context -> {
          Workers workers =
              new Workers(
                  context,
                  transfer,
                  /* bandwidth= */ null,
                  Steps.NONE,
                  new SessionLog(transfer.id()));
          return Behaviors.receive(SessionActor.Command.class)
              .onMessage(
                  SessionActor.Arrived.class,
                  arrived -> {
                    toDo.remove().accept(workers);
                    return Behaviors.same();
                  })
              .onSignal(
                  ChildFailed.class,
                  failed -> {
                    deaths.add(workers.onFailed(failed));
                    return Behaviors.same();
                  })
              .build();
        });
  }

  private void act(Consumer<Workers> what) {
    toDo.add(what);
    actor.tell(new SessionActor.Arrived());
  }

  private void awaitTold(String... all) {
    await().atMost(PATIENCE).untilAsserted(() -> assertThat(told).containsExactly(all));
  }

  private static Report report(long generation, long position, long granted) {
    return new Report(
        generation,
        /* seekEpoch= */ 0,
        position,
        position,
        END,
        granted,
        /* checkpoint= */ 0,
        /* finished= */ false,
        Optional.empty(),
        /* held= */ false,
        /* changed= */ false,
        /* closure= */ null);
  }

  @Test
  void shouldBeginAWorkerOnlyWhereItHasSomethingToSay() {
    act(workers -> workers.advance(Direction.PUT, report(1, 0, 16 * MIB)));
    act(workers -> workers.advance(Direction.PUT, report(1, 4 * MIB, 16 * MIB)));
    act(workers -> workers.advance(Direction.PUT, report(1, 8 * MIB, 16 * MIB)));
    awaitTold("grant 1 16"); // behind what is granted
    act(workers -> workers.advance(Direction.PUT, report(1, 16 * MIB, 24 * MIB)));
    awaitTold("grant 1 16", "grant 1 24");
  }

  @Test
  void shouldExchangeTheWorkerWhenItsSuccessorHasSomethingToSay() {
    act(workers -> workers.begin(Direction.GET, 0, END));
    awaitTold("grant 1 0", "grant 1 8");
    act(workers -> transfer.nextGeneration());
    act(workers -> workers.advance(Direction.GET, report(2, 4 * MIB, 20 * MIB)));
    act(workers -> workers.advance(Direction.GET, report(2, 9 * MIB, 20 * MIB)));
    awaitTold("grant 1 0", "grant 1 8", "grant 2 20");
  }

  /** A packet that was begun is finished within a hold, and may need a grant for it. */
  @Test
  void shouldGrantWithinAHoldAsLongAsItDoesNotStandStill() {
    transfer.held = true;
    act(workers -> workers.advance(Direction.PUT, report(1, MIB, MIB)));
    awaitTold("grant 1 1", "grant 1 9");
    act(workers -> workers.advance(Direction.PUT, report(1, 10 * MIB, 10 * MIB)));
    awaitTold("grant 1 1", "grant 1 9", "grant 1 17", "grant 1 25");
  }

  private void fail() {
    throw new IllegalStateException("killed");
  }

  @Test
  void shouldHoldAgainWhereAWorkerDiesWithinAHold() {
    onGrant = this::fail;
    transfer.held = true;
    act(workers -> workers.begin(Direction.PUT, 0, END));
    awaitTold("grant 1 0", "swap", "hold");
    assertThat(deaths).containsExactly(Optional.empty());
  }

  @Test
  void shouldNotMindTheDeathOfAWorkerThatWasSucceeded() {
    onGrant =
        () -> {
          transfer.nextGeneration();
          fail();
        };
    act(workers -> workers.begin(Direction.GET, 0, END));
    await().atMost(PATIENCE).until(() -> !deaths.isEmpty());
    assertThat(deaths).containsExactly(Optional.empty());
    assertThat(told).as("nobody obeys another one").containsExactly("grant 1 0");
    onGrant = () -> {};
    act(workers -> workers.advance(Direction.GET, report(2, 0, MIB)));
    awaitTold("grant 1 0", "grant 2 1", "grant 2 9");
  }
}
