package io.theseus.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.backup.Replication;
import io.theseus.channel.Admission;
import io.theseus.channel.NetworkFunction;
import io.theseus.channel.Passage;
import io.theseus.channel.PayloadUse;
import io.theseus.channel.Range;
import io.theseus.channel.SessionInfo;
import io.theseus.module.Revision;
import io.theseus.module.Switchboard;
import io.theseus.module.TestRevisions;
import io.theseus.names.Place;
import io.theseus.names.TestNames;
import io.theseus.steps.Steps;
import io.theseus.store.Completed;
import io.theseus.store.FileStore;
import io.theseus.store.StoreSettings;
import io.theseus.store.StoredFile;
import io.theseus.wire.ClientMessage;
import io.theseus.wire.ErrorCode;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What comes between the two looks at a session that follows a switch; the test is the lane. */
final class FollowerTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int LANE = 3;
  private static final long SIZE = 1000;

  /** A connection that stands where the test says. */
  private static final class Connection implements SessionLink {
    private Report stands = at(/* position= */ 0, /* changed= */ false);
    private int lane = LANE;
    private final List<String> told = new ArrayList<>();
    private List<Range> granted = List.of();

    private static Report at(long position, boolean changed) {
      return new Report(
          /* workerGeneration= */ 1,
          /* seekEpoch= */ 5,
          position,
          position,
          SIZE,
          SIZE,
          /* checkpoint= */ 0,
          /* finished= */ false,
          Optional.empty(),
          /* held= */ false,
          changed,
          /* closure= */ null);
    }

    @Override
    public void succeed(long workerGeneration, String module, long seekEpoch, List<Range> ranges) {
      told.add(module + " " + workerGeneration + " " + seekEpoch);
      granted = ranges;
    }

    @Override
    public Report stands() {
      return stands;
    }

    @Override
    public int lane() {
      return lane;
    }

    @Override
    public String remote() {
      return "test:1";
    }

    private static IllegalStateException unexpected() {
      return new IllegalStateException("a follower has no business with it");
    }

    @Override
    public void onReport(Runnable wake) {
      throw unexpected();
    }

    @Override
    public void onSwitch(LongSupplier generation, Runnable due) {
      // nobody is in a hurry
    }

    @Override
    public @Nullable Report drain() {
      throw unexpected();
    }

    @Override
    public void ready(Ready ready) {
      throw unexpected();
    }

    @Override
    public void grant(Grant grant) {
      throw unexpected();
    }

    @Override
    public void hold() {
      throw unexpected();
    }

    @Override
    public void swap(long workerGeneration, String module, boolean keep, boolean tell) {
      throw unexpected();
    }

    @Override
    public void revoke(long workerGeneration) {
      throw unexpected();
    }

    @Override
    public void durable(long offset) {
      throw unexpected();
    }

    @Override
    public void copies(Replication.Whole whole) {
      throw unexpected();
    }

    @Override
    public void complete(Completed completed) {
      throw unexpected();
    }

    @Override
    public void restart(StoredFile file, long workerGeneration) {
      throw unexpected();
    }

    @Override
    public void migrate(UUID session, Place place) {
      throw unexpected();
    }

    @Override
    public void fail(ErrorCode code, String message) {
      throw unexpected();
    }
  }

  /** Tasks wait until the test runs them. */
  private static final class TestLane implements Follower.Lane {
    private final LinkedBlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
    private final List<SessionActor.Command> told = new ArrayList<>();
    private final List<Transfer> again = new ArrayList<>();

    @Override
    public void run(Runnable task) {
      tasks.add(task);
    }

    @Override
    public void tell(Transfer transfer, SessionActor.Command what) {
      told.add(what);
    }

    @Override
    public void again(Transfer transfer) {
      again.add(transfer);
    }

    /** The task, once it is there. */
    Runnable next() throws InterruptedException {
      Runnable task = tasks.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
      assertThat(task).as("a task for the lane").isNotNull();
      return task;
    }
  }

  private final Switchboard switchboard = new Switchboard();
  private final TestLane lane = new TestLane();
  private FileStore store;
  private Follower follower;

  @BeforeEach
  void open(@TempDir Path directory) throws IOException {
    store =
        FileStore.open(
            StoreSettings.of(directory.resolve("files"), directory.resolve("records"), 0, PATIENCE),
            Runnable::run,
            Clock.systemUTC(),
            Steps.NONE);
    SessionEnvironment environment =
        new SessionEnvironment(
            "test",
            "nowhere else",
            store,
            Runnable::run,
            switchboard,
            misbehaviour -> {},
            /* bandwidth= */ null,
            TestNames.alone(store, Runnable::run),
            /* copies= */ null,
            () -> 1,
            new SessionSettings(PATIENCE, PATIENCE, Long.MAX_VALUE, PATIENCE),
            new Counters(),
            Steps.NONE);
    follower = new Follower(environment, LANE, lane);
  }

  @AfterEach
  void close() throws IOException {
    store.close();
  }

  private Transfer transfer(Connection connection) throws Exception {
    ClientMessage.Get get = (ClientMessage.Get) ClientMessage.parse("GET in\n");
    Transfer transfer = Transfer.begin(UUID.randomUUID());
    transfer.link = connection;
    transfer.command = get;
    transfer.facts = Facts.of(get, OptionalLong.of(SIZE), "identity", /* target= */ null);
    transfer.accepted = true;
    transfer.workerGeneration = 1;
    transfer.revise(Revision.builtIn(), null);
    transfer.follow(switchboard.generation());
    return transfer;
  }

  private void publish(Revision revision) {
    switchboard.publish(revision, Optional.empty(), Revision.builtIn());
  }

  private static Revision standard(String name) {
    return TestRevisions.of(
        name, () -> Revision.builtIn().openBuiltIn(), List.of(), Duration.ofMinutes(5));
  }

  private static Revision function(String name, NetworkFunction function) {
    return TestRevisions.functions(name, List.of(() -> function));
  }

  private static void awaitNobody(Revision revision) {
    await().atMost(PATIENCE).until(() -> revision.sessions() == 0);
  }

  @Test
  void shouldTakeASessionToCodeAndBack() throws Exception {
    Connection connection = new Connection();
    Transfer transfer = transfer(connection);
    Revision one = standard("one");
    publish(one);
    assertThat(follower.look(transfer)).isTrue();
    assertThat(follower.waiting()).isEqualTo(1);
    follower.go();
    assertThat(connection.told).as("the lane's thread hears of it").isEmpty();
    assertThat(transfer.hasFollowed(switchboard.generation())).isFalse();
    lane.next().run();
    assertThat(connection.told).containsExactly("one@2.0.0 2 5");
    assertThat(connection.granted).containsExactly(new Range(0, (int) SIZE));
    assertThat(transfer.hasFollowed(switchboard.generation())).isTrue();
    assertThat(follower.isIdle()).isTrue();
    assertThat(one.sessions()).isEqualTo(1);
    publish(Revision.builtIn());
    assertThat(follower.look(transfer)).isTrue();
    assertThat(connection.told).containsExactly("one@2.0.0 2 5", "standard@1.0.0 3 5");
    assertThat(connection.granted).containsExactly(new Range(0, (int) SIZE));
    awaitNobody(one);
    assertThat(lane.told).isEmpty();
  }

  @Test
  void shouldBeginOnceForWhoIsLookedAtTwice() throws Exception {
    Connection connection = new Connection();
    Transfer transfer = transfer(connection);
    Revision one = standard("one");
    publish(one);
    follower.look(transfer);
    assertThat(follower.look(transfer)).isTrue();
    assertThat(follower.waiting()).isEqualTo(1);
    follower.go();
    assertThat(follower.look(transfer)).isTrue();
    assertThat(follower.waiting()).isZero();
    lane.next().run();
    assertThat(connection.told).hasSize(1);
    transfer.dropCode();
    awaitNobody(one);
  }

  @Test
  void shouldBeginNothingForWhomACanaryDoesNotCover() throws Exception {
    Connection connection = new Connection();
    Transfer transfer = transfer(connection);
    switchboard.publish(
        Revision.builtIn(),
        Optional.of(new Switchboard.Canary(standard("one"), Optional.empty(), /* percent= */ 0)),
        Revision.builtIn());
    assertThat(follower.look(transfer)).isTrue();
    assertThat(follower.waiting()).isZero();
    assertThat(transfer.hasFollowed(switchboard.generation())).isTrue();
    assertThat(connection.told).isEmpty();
  }

  @Test
  void shouldLeaveToTheActorWhatIsNotSimple() throws Exception {
    Connection elsewhere = new Connection();
    elsewhere.lane = LANE + 1;
    Connection changed = new Connection();
    changed.stands = Connection.at(0, /* changed= */ true);
    List<Transfer> all = List.of(transfer(elsewhere), transfer(changed));
    publish(standard("one"));
    for (Transfer each : all) {
      assertThat(follower.look(each)).isFalse();
      assertThat(each.switching).isNull();
    }
    assertThat(follower.waiting()).isZero();
  }

  @Test
  void shouldTellTheActorOfCodeThatIsNotSimple() throws Exception {
    for (NetworkFunction function :
        List.of(
            new NetworkFunction() {
              @Override
              public Admission begin(SessionInfo session) {
                return Admission.deny("no");
              }
            },
            new NetworkFunction() {
              @Override
              public Passage decide(Range range, long nowNanos) {
                return Passage.delay(Duration.ofMinutes(1));
              }
            },
            new NetworkFunction() {
              @Override
              public PayloadUse payloadUse() {
                return PayloadUse.INSPECT;
              }
            },
            new NetworkFunction() {
              @Override
              public Passage decide(Range range, long nowNanos) {
                throw new IllegalStateException("broken");
              }
            })) {
      Connection connection = new Connection();
      Transfer transfer = transfer(connection);
      Revision one = function("one", function);
      publish(one);
      follower.look(transfer);
      follower.go();
      lane.next().run();
      assertThat(connection.told).isEmpty();
      assertThat(lane.told).hasSize(1);
      assertThat(transfer.switching).as("for an actor that comes later, too").isNotNull();
      assertThat(transfer.switching.toCompletableFuture().join()).isEqualTo(lane.told.remove(0));
      transfer.dropCode();
      awaitNobody(one);
    }
  }

  @Test
  void shouldNotGoOnWithWhoIsHeldMeanwhile() throws Exception {
    Connection connection = new Connection();
    Transfer transfer = transfer(connection);
    Revision one = standard("one");
    publish(one);
    follower.look(transfer);
    follower.go();
    Runnable arrival = lane.next();
    transfer.held = true;
    arrival.run();
    assertThat(connection.told).isEmpty();
    assertThat(lane.told).hasOnlyElementsOfType(SessionActor.CodeBegun.class).hasSize(1);
    assertThat(follower.look(transfer)).as("under way, and held").isTrue();
    transfer.dropCode();
    awaitNobody(one);
  }

  @Test
  void shouldGiveUpWhatWasBegunForAConnectionThatIsGone() throws Exception {
    Connection connection = new Connection();
    Transfer transfer = transfer(connection);
    Revision one = standard("one");
    publish(one);
    follower.look(transfer);
    follower.go();
    Runnable arrival = lane.next();
    transfer.dropCode(); // as before each new connection
    transfer.link = new Connection();
    arrival.run();
    assertThat(connection.told).isEmpty();
    assertThat(lane.told).isEmpty();
    assertThat(follower.isIdle()).isTrue();
    awaitNobody(one);
  }

  @Test
  void shouldFollowAgainWhereCodeIsSwitchedMeanwhile() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    Connection connection = new Connection();
    Transfer transfer = transfer(connection);
    Revision one =
        function(
            "one",
            new NetworkFunction() {
              @Override
              public Admission begin(SessionInfo session) {
                try {
                  gate.await();
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                }
                return Admission.admit();
              }
            });
    Revision two = standard("two");
    publish(one);
    follower.look(transfer);
    follower.go();
    publish(two);
    assertThat(follower.look(transfer)).as("under way").isTrue();
    follower.go();
    gate.countDown();
    lane.next().run();
    assertThat(lane.again).containsExactly(transfer);
    assertThat(transfer.hasFollowed(switchboard.generation())).isFalse();
    follower.look(transfer);
    follower.go();
    lane.next().run();
    assertThat(connection.told).containsExactly("standard@1.0.0 2 5", "two@2.0.0 3 5");
    assertThat(transfer.hasFollowed(switchboard.generation())).isTrue();
    awaitNobody(one);
    assertThat(two.sessions()).isEqualTo(1);
  }

  @Test
  void shouldTakeThoseAlongThatWereLookedAtBeforeCodeWasSwitchedAgain() throws Exception {
    Connection early = new Connection();
    Connection late = new Connection();
    Transfer first = transfer(early);
    Transfer second = transfer(late);
    publish(standard("one"));
    follower.look(first);
    publish(standard("two"));
    follower.look(second);
    assertThat(follower.waiting()).isEqualTo(1);
    follower.go();
    lane.next().run();
    lane.next().run();
    assertThat(early.told).containsExactly("one@2.0.0 2 5");
    assertThat(late.told).containsExactly("two@2.0.0 2 5");
    assertThat(lane.again).containsExactly(first);
  }

  @Test
  void shouldKeepNoRevisionThatIsNotInForce() throws Exception {
    Transfer transfer = transfer(new Connection());
    WeakReference<Revision> one = followed(transfer);
    publish(Revision.builtIn());
    transfer.dropCode();
    transfer.revise(Revision.builtIn(), null); // a lane that has no session now
    await()
        .atMost(PATIENCE)
        .until(
            () -> {
              System.gc();
              return one.get() == null;
            });
  }

  private WeakReference<Revision> followed(Transfer transfer) throws Exception {
    Revision one = standard("one");
    publish(one);
    follower.look(transfer);
    follower.go();
    lane.next().run();
    return new WeakReference<>(one);
  }
}
