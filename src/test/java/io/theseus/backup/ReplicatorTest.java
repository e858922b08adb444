package io.theseus.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.testkit.typed.javadsl.TestProbe;
import akka.actor.typed.ActorRef;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.receptionist.Receptionist;
import com.typesafe.config.ConfigFactory;
import io.theseus.channel.BackupPolicy;
import io.theseus.channel.BackupPolicy.Candidate;
import io.theseus.peer.PeerPort;
import io.theseus.peer.PeerSettings;
import io.theseus.steps.Steps;
import io.theseus.store.Committed;
import io.theseus.store.FileStore;
import io.theseus.store.StoreSettings;
import io.theseus.store.Upload;
import io.theseus.store.UploadRequest;
import io.theseus.wire.Epoch;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where copies are made, with backups that say what the test wants. */
final class ReplicatorTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Epoch EPOCH = Epoch.first("owner");
  private static final long MIB = 1 << 20;

  private final ActorTestKit kit =
      ActorTestKit.create(
          "replicator",
          ConfigFactory.parseString("akka.actor.provider = local")
              .withFallback(ConfigFactory.load()));
  private final ExecutorService disk = Executors.newFixedThreadPool(2);
  private final Map<String, FakeBackup> backups = new HashMap<>();
  private final Policy policy = new Policy();
  private final List<Replication.Whole> changes = new CopyOnWriteArrayList<>();
  private final AtomicLong ahead = new AtomicLong();
  private FileStore store;
  private PeerPort port;
  private Replicas replicas;
  private Upload upload;

  /** Answers when it is asked who it is; the rest is the test's. */
  private final class FakeBackup {
    private final String node;
    private final TestProbe<Remote.OfSession> told = kit.createTestProbe(Remote.OfSession.class);
    private final ActorRef<BackupNode.Command> actor;
    private volatile boolean draining;
    private final AtomicInteger enquiries = new AtomicInteger();

    /** What it has of the upload; -1 before it has begun. */
    private volatile long durable = -1;

    /** Whether it says that its blocks are right. */
    private volatile boolean verifies = true;

    private volatile @Nullable ActorRef<Replicator.Command> owner;

    FakeBackup(String node) {
      this.node = node;
      this.actor =
          kit.spawn(
              Behaviors.receive(
                  (context, command) -> {
                    if (command instanceof Remote.Enquire enquire) {
                      enquire.replyTo().tell(offer(context.getSelf()));
                      enquiries.incrementAndGet();
                    } else if (command instanceof Remote.BackupInfo again && durable >= 0) {
                      ready(again); // on a slow machine it is told twice
                    } else if (command instanceof Remote.Verify verify && verifies) {
                      Optional.ofNullable(owner).orElseThrow().tell(verified(verify));
                    } else if (command instanceof Remote.OfSession of) {
                      told.getRef().tell(of);
                    }
                    return Behaviors.same();
                  }));
      kit.system().receptionist().tell(Receptionist.register(BackupNode.KEY, actor));
    }

    private Remote.Offer offer(ActorRef<BackupNode.Command> self) {
      return new Remote.Offer(
          node, "rack-" + node, "127.0.0.1", 1, 1L << 40, 0, 0, draining, -1, self);
    }

    <T extends Remote.OfSession> T expect(Class<T> type) {
      return told.expectMessageClass(type, PATIENCE);
    }

    void expectMark(long end) {
      while (expect(Remote.BackupData.class).end() != end) {
        // an earlier one, told again
      }
    }

    /** It is told what the session is, and has so much of it. */
    ActorRef<Replicator.Command> begin(long has) {
      Remote.BackupInfo info = expect(Remote.BackupInfo.class);
      durable = has;
      ready(info);
      return info.replyTo();
    }

    private Remote.Verified verified(Remote.Verify asked) {
      return new Remote.Verified(asked.session(), asked.epoch(), node, asked.offset());
    }

    private void ready(Remote.BackupInfo info) {
      owner = info.replyTo();
      info.replyTo().tell(new Remote.Ready(info.session(), info.epoch(), node, durable, durable));
    }

    void ack(ActorRef<Replicator.Command> owner, long has) {
      durable = has;
      owner.tell(new Remote.Ack(upload.session(), EPOCH, node, has));
    }

    void drain(boolean on) {
      draining = on;
      int before = enquiries.get();
      await().atMost(PATIENCE).until(() -> enquiries.get() > before + 1); // it has heard the first
    }
  }

  /** Wants copies on the nodes that the test says, in their order. */
  private final class Policy implements Targets {
    private volatile List<String> order = List.of("a", "b", "c");
    private volatile CompletableFuture<Void> answers = CompletableFuture.completedFuture(null);
    private final List<BackupPolicy.Upload> asked = new CopyOnWriteArrayList<>();

    @Override
    public String policy(UUID session) {
      return order.toString();
    }

    @Override
    public CompletionStage<String> choose(BackupPolicy.Upload wanted, List<Candidate> candidates) {
      asked.add(wanted);
      Set<String> there = ConcurrentHashMap.newKeySet();
      candidates.forEach(each -> there.add(each.node()));
      String first =
          order.stream().filter(there::contains).findFirst().orElse(candidates.get(0).node());
      return answers.thenApply(now -> first);
    }

    /** A switch. */
    void becomes(String... nodes) {
      order = List.of(nodes);
      replicas.follow();
    }
  }

  @BeforeEach
  void open(@TempDir Path directory) throws Exception {
    replicas = replicas(1);
    store =
        FileStore.open(
            StoreSettings.of(
                directory.resolve("files"), directory.resolve("records"), 0, Duration.ofHours(1)),
            disk,
            Clock.systemUTC(),
            Steps.NONE);
    port =
        PeerPort.open(
            new PeerSettings("owner", Set.of("owner", "a", "b", "c"), "127.0.0.1", 0, "", MIB),
            (session, epoch) -> replicas.source(session, epoch),
            disk,
            null);
    upload =
        store.begin(
            new UploadRequest(
                UUID.randomUUID(),
                FileName.parse("f"),
                OptionalLong.of(40 * MIB),
                Optional.empty(),
                Optional.empty(),
                Optional.empty()));
  }

  @AfterEach
  void close() throws IOException {
    kit.shutdownTestKit();
    port.close();
    store.close();
    disk.shutdown();
  }

  private Replicas replicas(int factor) {
    return new Replicas(
        new BackupSettings("owner", "rack-o", factor, /* hold= */ false, Optional.empty()),
        policy,
        (session, name) -> CompletableFuture.completedStage(Remote.Fate.UNKNOWN));
  }

  /** Begins to copy to some of the backups a, b, c. */
  private Replication start(int factor, String... nodes) {
    return start(factor, List.of(), nodes);
  }

  private Replication start(int factor, List<String> before, String... nodes) {
    replicas = replicas(factor);
    replicas.listenAt(port);
    for (String node : nodes) {
      backups.put(node, new FakeBackup(node));
    }
    kit.spawn(Replicator.create(replicas, () -> System.nanoTime() + ahead.get()));
    await().atMost(PATIENCE).until(() -> replicas.known().size() == nodes.length);
    Replication begun = replicas.begin(EPOCH, upload, before);
    begun.onChange(() -> changes.add(begun.whole()));
    return begun;
  }

  private FakeBackup backup(String node) {
    return Optional.ofNullable(backups.get(node)).orElseThrow();
  }

  private static void awaitDone(CompletionStage<Long> sync) {
    await().atMost(PATIENCE).until(() -> sync.toCompletableFuture().isDone());
  }

  private static void awaitNodes(Replication replication, String... nodes) {
    await().atMost(PATIENCE).until(() -> replication.nodes().equals(List.of(nodes)));
  }

  /** One whose copy is on a, where 8 MiB are durable and acknowledged. */
  private ActorRef<Replicator.Command> acknowledged(Replication replication) {
    ActorRef<Replicator.Command> owner = backup("a").begin(0);
    CompletionStage<Long> first = replication.sync(8 * MIB);
    backup("a").expectMark(8 * MIB);
    backup("a").ack(owner, 8 * MIB);
    awaitDone(first);
    return owner;
  }

  @Test
  void shouldTellThePolicyWhatIsKnown() {
    var unused = start(2, "a", "b", "c");
    backup("a").begin(0);
    backup("b").begin(0);
    assertThat(policy.asked).hasSize(2);
    BackupPolicy.Upload second = policy.asked.get(1);
    assertThat(second.session()).isEqualTo(upload.session());
    assertThat(second.name()).isEqualTo("f");
    assertThat(second.size()).hasValue(40 * MIB);
    assertThat(second.node()).isEqualTo("owner");
    assertThat(second.rack()).isEqualTo("rack-o");
    assertThat(second.copies())
        .containsExactly(new Candidate("a", "rack-a", 1L << 40, 0, 0, false));
  }

  @Test
  void shouldKeepTheOldCopyUntilTheNewOneHasAllThatWasAcknowledged() {
    Replication replication = start(1, "a", "b", "c");
    ActorRef<Replicator.Command> owner = acknowledged(replication);
    policy.becomes("c", "b", "a");
    backup("c").begin(0);
    backup("c").expectMark(8 * MIB);

    CompletionStage<Long> second = replication.sync(16 * MIB);
    backup("a").expect(Remote.BackupData.class);
    backup("a").ack(owner, 16 * MIB);
    awaitDone(second); // the old one is enough
    backup("c").ack(owner, 8 * MIB);
    backup("c").expectMark(16 * MIB);
    assertThat(replication.nodes()).containsExactly("a");
    backup("a").told.expectNoMessage();

    backup("c").ack(owner, 16 * MIB);
    backup("a").expect(Remote.Release.class);
    awaitNodes(replication, "c");
    CompletionStage<Long> third = replication.sync(24 * MIB);
    backup("c").expect(Remote.BackupData.class);
    backup("a").ack(owner, 24 * MIB); // it has nothing to say any more
    backup("c").ack(owner, 24 * MIB);
    awaitDone(third);
    backup("a").told.expectNoMessage();
    assertThat(replication.whole()).isEqualTo(new Replication.Whole(1, 1));
    assertThat(changes).isEmpty();
  }

  @Test
  void shouldKeepTheOldCopyUntilTheBlocksOfTheNewOneAreCompared() {
    Replication replication = start(1, "a", "b", "c");
    acknowledged(replication);
    backup("c").verifies = false;
    policy.becomes("c", "b", "a");
    ActorRef<Replicator.Command> owner = backup("c").begin(0);
    backup("c").expectMark(8 * MIB);
    backup("c").ack(owner, 8 * MIB);
    Remote.Verify asked = backup("c").expect(Remote.Verify.class);
    assertThat(asked.offset()).isEqualTo(8 * MIB);
    assertThat(replication.nodes()).containsExactly("a");
    backup("a").told.expectNoMessage();

    // the owner's own bytes have rotten: the old copy is the only one that is right
    String reason = "block 1 of 1 MiB has another CRC32C than where it came from";
    owner.tell(new Remote.Refused(upload.session(), EPOCH, "c", ErrorCode.INTERNAL, reason));
    backup("b").begin(0);
    backup("a").told.expectNoMessage();
    assertThat(replication.nodes()).containsExactly("a");
    backup("b").expectMark(8 * MIB);
    backup("b").ack(owner, 8 * MIB);
    backup("a").expect(Remote.Release.class);
    awaitNodes(replication, "b");
  }

  /** One whose copy is on b, not compared yet, and that had one on a, which comes back then. */
  private ActorRef<Replicator.Command> comesBack() {
    Replication replication = start(1, List.of("a"), "b");
    ahead.addAndGet(Duration.ofSeconds(20).toNanos()); // nobody is waited for any more
    backup("b").verifies = false;
    ActorRef<Replicator.Command> owner = backup("b").begin(0);
    CompletionStage<Long> first = replication.sync(8 * MIB);
    backup("b").expectMark(8 * MIB);
    backup("b").ack(owner, 8 * MIB);
    awaitDone(first);
    backups.put("a", new FakeBackup("a"));
    return owner;
  }

  @Test
  void shouldKeepWhatComesBackUntilTheBlocksOfTheNewOneAreCompared() {
    ActorRef<Replicator.Command> owner = comesBack();
    Remote.Verify asked = backup("b").expect(Remote.Verify.class);
    assertThat(asked.offset()).isEqualTo(8 * MIB);
    backup("a").told.expectNoMessage();
    owner.tell(backup("b").verified(asked));
    backup("a").expect(Remote.Release.class);
  }

  @Test
  void shouldTakeWhatComesBackWhereTheNewOneIsFoundToBeWrong() {
    ActorRef<Replicator.Command> owner = comesBack();
    backup("b").expect(Remote.Verify.class);
    String reason = "block 1 of 1 MiB has another CRC32C than where it came from";
    owner.tell(new Remote.Refused(upload.session(), EPOCH, "b", ErrorCode.INTERNAL, reason));
    backup("a").begin(8 * MIB);
  }

  @Test
  void shouldReleaseWhatComesBackOnceTheNewOneIsSealed() {
    ActorRef<Replicator.Command> owner = comesBack();
    backup("b").expect(Remote.Verify.class);
    var unused =
        replicas
            .find(upload.session())
            .orElseThrow()
            .seal(8 * MIB, "0a", Optional.empty(), "1@owner");
    backup("b").expect(Remote.Seal.class);
    backup("a").told.expectNoMessage();
    owner.tell(new Remote.Sealed(upload.session(), EPOCH, "b"));
    backup("a").expect(Remote.Release.class);
  }

  @Test
  void shouldCompareAnewWhereMoreWasAcknowledgedThanWasCompared() {
    Replication replication = start(1, "a", "b");
    ActorRef<Replicator.Command> owner = acknowledged(replication);
    policy.becomes("b", "a");
    backup("b").begin(8 * MIB);
    backup("a").expect(Remote.Release.class); // compared before 8 MiB
    awaitNodes(replication, "b");
    CompletionStage<Long> second = replication.sync(16 * MIB);
    backup("b").expectMark(16 * MIB);
    backup("b").ack(owner, 16 * MIB);
    awaitDone(second);
    backup("b").verifies = false;
    ask("a");
    assertThat(backup("b").expect(Remote.Verify.class).offset()).isEqualTo(16 * MIB);
  }

  /** A node that has something of the upload of which nobody here knows. */
  private void ask(String node) {
    TestProbe<BackupNode.Command> answers = kit.createTestProbe(BackupNode.Command.class);
    replicas.tell(new Remote.Ask(upload.session(), "f", node, answers.getRef()));
    answers.expectMessage(PATIENCE, new Remote.Told(upload.session(), "owner", Remote.Fate.WANTED));
  }

  @Test
  void shouldReleaseWhatNobodyKnewOfOnceTheOneThatCountsIsCompared() {
    Replication replication = start(1, "a", "b");
    ActorRef<Replicator.Command> owner = acknowledged(replication);
    backup("a").verifies = false;
    ask("b");
    Remote.Verify asked = backup("a").expect(Remote.Verify.class);
    backup("b").told.expectNoMessage();
    owner.tell(backup("a").verified(asked));
    backup("b").expect(Remote.Release.class);
  }

  /** Where the journal has not heard of the new copy yet: it is the only one that is left. */
  @Test
  void shouldKeepACopyUnderANewEpochUntilAnotherOneIsCompared() {
    Replication replication = start(1, "a", "b");
    acknowledged(replication);
    Replication next = replicas.begin(EPOCH.next("owner"), upload, List.of());
    awaitNodes(next, "a");
    backup("a").told.expectNoMessage();
  }

  @Test
  void shouldMoveTheOneOfTwoThatIsElsewhere() {
    Replication replication = start(2, "a", "b", "c");
    ActorRef<Replicator.Command> owner = backup("a").begin(0);
    backup("b").begin(0);
    CompletionStage<Long> first = replication.sync(8 * MIB);
    for (String node : List.of("a", "b")) {
      backup(node).expect(Remote.BackupData.class);
      backup(node).ack(owner, 8 * MIB);
    }
    awaitDone(first);
    policy.becomes("b", "c", "a");
    backup("c").begin(8 * MIB);
    backup("a").expect(Remote.Release.class);
    backup("b").told.expectNoMessage();
    awaitNodes(replication, "b", "c");
  }

  @Test
  void shouldWaitForTheNewOneWhereTheOldOneIsLost() {
    Replication replication = start(1, "a", "b");
    ActorRef<Replicator.Command> owner = acknowledged(replication);
    policy.becomes("b", "a");
    backup("b").begin(0);
    backup("b").expect(Remote.BackupData.class);
    owner.tell(new Remote.Refused(upload.session(), EPOCH, "a", ErrorCode.NO_SPACE, "full"));
    awaitNodes(replication, "b");
    CompletionStage<Long> second = replication.sync(16 * MIB);
    backup("b").expectMark(16 * MIB);
    assertThat(second.toCompletableFuture()).isNotDone();
    assertThat(changes).containsExactly(new Replication.Whole(0, 1));
    backup("b").ack(owner, 16 * MIB);
    awaitDone(second);
    assertThat(changes).containsExactly(new Replication.Whole(0, 1), new Replication.Whole(1, 1));
  }

  @Test
  void shouldSayThatCopiesAreShortWhereNoneCanBeMade() {
    Replication replication = start(1, "a");
    ActorRef<Replicator.Command> owner = acknowledged(replication);
    assertThat(changes).isEmpty();
    owner.tell(new Remote.Refused(upload.session(), EPOCH, "a", ErrorCode.NO_SPACE, "full"));
    await().atMost(PATIENCE).until(() -> changes.equals(List.of(new Replication.Whole(0, 1))));
    assertThat(replicas.under()).isOne();
    backups.put("b", new FakeBackup("b"));
    backup("b").begin(0);
    backup("b").expectMark(8 * MIB);
    assertThat(changes).hasSize(1);
    backup("b").ack(owner, 8 * MIB);
    await().atMost(PATIENCE).until(() -> changes.size() == 2);
    assertThat(changes.get(1)).isEqualTo(new Replication.Whole(1, 1));
    assertThat(replicas.under()).isZero();
  }

  @Test
  void shouldTryAnotherOneWhereTheNewOneIsLost() {
    Replication replication = start(1, "a", "b", "c");
    ActorRef<Replicator.Command> owner = acknowledged(replication);
    policy.becomes("c", "b", "a");
    backup("c").begin(0);
    owner.tell(new Remote.Refused(upload.session(), EPOCH, "c", ErrorCode.NO_SPACE, "full"));
    backup("b").begin(8 * MIB);
    backup("a").expect(Remote.Release.class);
    awaitNodes(replication, "b");
  }

  @Test
  void shouldStayWhereItIsOnceItsEndHasBegun() {
    Replication replication = start(1, "a", "b");
    ActorRef<Replicator.Command> owner = acknowledged(replication);
    policy.becomes("b", "a");
    backup("b").begin(0);
    backup("b").expect(Remote.BackupData.class);
    CompletionStage<Void> everywhere =
        replication.seal(40 * MIB, "0a", Optional.empty(), "1@owner");
    backup("b").expect(Remote.Release.class);
    backup("a").expect(Remote.Seal.class);
    policy.becomes("b");
    owner.tell(new Remote.Sealed(upload.session(), EPOCH, "a"));
    await().atMost(PATIENCE).until(() -> everywhere.toCompletableFuture().isDone());
    backup("b").told.expectNoMessage();
    assertThat(replication.nodes()).containsExactly("a");
  }

  @Test
  void shouldGoBackWhereItIsWantedThereAgain() {
    Replication replication = start(1, "a", "b");
    ActorRef<Replicator.Command> owner = acknowledged(replication);
    policy.becomes("b", "a");
    backup("b").begin(0);
    backup("b").expect(Remote.BackupData.class);
    policy.becomes("a", "b");
    backup("b").expect(Remote.Release.class);
    CompletionStage<Long> second = replication.sync(16 * MIB);
    backup("a").expect(Remote.BackupData.class);
    backup("a").ack(owner, 16 * MIB);
    awaitDone(second);
    backup("b").told.expectNoMessage();
  }

  @Test
  void shouldAcknowledgeNothingWithoutACopyWhileThePolicyThinks() {
    policy.answers = new CompletableFuture<>();
    Replication replication = start(1, "a", "b");
    ahead.addAndGet(Duration.ofMinutes(1).toNanos()); // nobody is waited for any more
    CompletionStage<Long> first = replication.sync(8 * MIB);
    await().atMost(PATIENCE).until(() -> policy.asked.size() == 1);
    backup("a").told.expectNoMessage();
    assertThat(first.toCompletableFuture()).isNotDone();
    policy.answers.complete(null);
    ActorRef<Replicator.Command> owner = backup("a").begin(0);
    backup("a").expect(Remote.BackupData.class);
    backup("a").ack(owner, 8 * MIB);
    awaitDone(first);
    assertThat(policy.asked).hasSize(1);
  }

  @Test
  void shouldGoOnWithoutThoseThatHadCopiesOnlyAfterAWhile() {
    Replication replication = start(1, List.of("a"), "b");
    ahead.addAndGet(Duration.ofSeconds(10).toNanos());
    CompletionStage<Long> first = replication.sync(8 * MIB);
    backup("b").told.expectNoMessage(Duration.ofSeconds(1)); // some ticks
    assertThat(first.toCompletableFuture()).isNotDone();
    ahead.addAndGet(Duration.ofSeconds(10).toNanos());
    ActorRef<Replicator.Command> owner = backup("b").begin(0);
    backup("b").expectMark(8 * MIB);
    backup("b").ack(owner, 8 * MIB);
    awaitDone(first);
  }

  @Test
  void shouldLeaveANodeThatIsDrainedAndComeToItNoMore() {
    Replication replication = start(1, "a", "b");
    acknowledged(replication);
    backup("a").drain(true);
    backup("b").begin(8 * MIB);
    backup("a").expect(Remote.Release.class);
    awaitNodes(replication, "b");
    policy.becomes("a"); // it is none to be chosen
    backup("a").told.expectNoMessage();
    assertThat(replication.nodes()).containsExactly("b");
  }

  @Test
  void shouldStayOnANodeThatIsDrainedWhereThereIsNoOther() {
    Replication replication = start(1, "a");
    ActorRef<Replicator.Command> owner = acknowledged(replication);
    backup("a").drain(true);
    CompletionStage<Long> second = replication.sync(16 * MIB);
    backup("a").expect(Remote.BackupData.class);
    backup("a").ack(owner, 16 * MIB);
    awaitDone(second);
    backups.put("b", new FakeBackup("b"));
    policy.order = List.of("a", "b");
    backup("b").begin(16 * MIB);
    backup("a").expect(Remote.Release.class);
  }

  @Test
  void shouldChooseNobodyWhoComesWhenRegistrationIsClosed() {
    Replication replication = start(1, "a");
    ActorRef<Replicator.Command> owner = acknowledged(replication);
    TestProbe<Remote.RegistrationSet> answers = kit.createTestProbe(Remote.RegistrationSet.class);
    replicas.tell(new Remote.SetRegistration(/* open= */ false, "ann", answers.getRef()));
    answers.expectMessage(new Remote.RegistrationSet(false));
    assertThat(replicas.isOpen()).isFalse();
    backups.put("b", new FakeBackup("b"));
    await().atMost(PATIENCE).until(() -> replicas.seen().size() == 2);
    assertThat(replicas.known()).extracting(Backup::node).containsExactly("a");
    backup("a").drain(true);
    backup("b").told.expectNoMessage();
    replicas.tell(new Remote.SetRegistration(/* open= */ true, "ann", answers.getRef()));
    backup("b").begin(8 * MIB);
    backup("a").expect(Remote.Release.class);
    assertThat(replicas.known()).extracting(Backup::node).containsExactly("a", "b");
    backup("b").ack(owner, 8 * MIB);
  }

  // ---- files that have their names

  private Committed named() throws Exception {
    UploadRequest request =
        new UploadRequest(
            UUID.randomUUID(),
            FileName.parse("named"),
            OptionalLong.of(0),
            Optional.empty(),
            Optional.empty(),
            Optional.empty());
    Upload made = store.begin(request);
    var unused = made.commit(0, Optional.empty()).toCompletableFuture().get(30, TimeUnit.SECONDS);
    return store.contents().committed(request.name()).orElseThrow();
  }

  private CompletionStage<Integer> copy(Committed file) {
    return replicas.copy(store.contents().original(file, Optional.empty()), file, 1, "a"::equals);
  }

  @Test
  void shouldCopyAFileThatHasItsName() throws Exception {
    var unused = start(0, "a", "b");
    Committed file = named();
    CompletionStage<Integer> copies = copy(file);
    Remote.BackupInfo info = backup("a").expect(Remote.BackupInfo.class);
    assertThat(info.session()).isEqualTo(file.session());
    info.replyTo().tell(new Remote.Ready(info.session(), info.epoch(), "a", 0, 0));
    Remote.Seal seal = backup("a").expect(Remote.Seal.class);
    assertThat(seal.version()).isEqualTo(file.version());
    info.replyTo().tell(new Remote.Sealed(info.session(), info.epoch(), "a"));
    assertThat(backup("a").expect(Remote.Commit.class).name()).isEqualTo("named");
    info.replyTo().tell(new Remote.Committed(info.session(), info.epoch(), "a"));
    await().atMost(PATIENCE).until(() -> copies.toCompletableFuture().isDone());
    assertThat(copies.toCompletableFuture()).isCompletedWithValue(1);
    assertThat(replicas.find(file.session())).isEmpty();
  }

  @Test
  void shouldSayThatNobodyTakesIt() throws Exception {
    var unused = start(0, "b");
    CompletionStage<Integer> copies = copy(named());
    await().atMost(PATIENCE).until(() -> copies.toCompletableFuture().isDone());
    assertThat(copies.toCompletableFuture()).isCompletedWithValue(0);
  }

  /** Its client puts it again, where it is rotten: who waits for the copy of before hears that. */
  @Test
  void shouldEndTheCopyOfAFileThatIsReceivedAnew() throws Exception {
    var unused = start(0, "a");
    Committed file = named();
    CompletionStage<Integer> copies = copy(file);
    backup("a").expect(Remote.BackupInfo.class);
    Upload anew =
        store.begin(
            new UploadRequest(
                file.session(),
                file.name(),
                OptionalLong.of(40 * MIB),
                Optional.empty(),
                Optional.empty(),
                Optional.empty()));
    Replication begun = replicas.begin(EPOCH, anew, List.of());
    await().atMost(PATIENCE).until(() -> copies.toCompletableFuture().isDone());
    assertThat(copies.toCompletableFuture()).isCompletedWithValue(0);
    assertThat(copy(file).toCompletableFuture()).as("it is the upload's").isCompletedWithValue(0);
    assertThat(replicas.find(file.session())).contains(begun);
  }
}
