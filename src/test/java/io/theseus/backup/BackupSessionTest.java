package io.theseus.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.testkit.typed.javadsl.TestProbe;
import akka.actor.typed.ActorRef;
import akka.persistence.testkit.PersistenceTestKitPlugin;
import akka.persistence.testkit.PersistenceTestKitSnapshotPlugin;
import com.typesafe.config.ConfigFactory;
import io.theseus.peer.PeerPort;
import io.theseus.peer.PeerSettings;
import io.theseus.steps.Steps;
import io.theseus.store.FileStore;
import io.theseus.store.Source;
import io.theseus.store.StoreSettings;
import io.theseus.store.Upload;
import io.theseus.store.UploadRequest;
import io.theseus.wire.Epoch;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The copy of one session, with an owner that says what the test wants, and has real bytes. */
final class BackupSessionTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Epoch FIRST = Epoch.first("owner");
  private static final Epoch SECOND = FIRST.next("owner");
  private static final int MIB = 1 << 20;
  private static final int SIZE = 2 * MIB + 5;

  private final ActorTestKit kit =
      ActorTestKit.create(
          "backup-session",
          ConfigFactory.parseString("akka.actor.provider = local")
              .withFallback(PersistenceTestKitPlugin.config())
              .withFallback(PersistenceTestKitSnapshotPlugin.config())
              .withFallback(ConfigFactory.load()));
  private final ExecutorService disk = Executors.newFixedThreadPool(4);
  private final UUID session = UUID.randomUUID();
  private final byte[] content = new byte[SIZE];
  private final TestProbe<Replicator.Command> owner = kit.createTestProbe(Replicator.Command.class);
  private final TestProbe<BackupNode.Command> node = kit.createTestProbe(BackupNode.Command.class);
  private FileStore theirs;
  private FileStore ours;
  private PeerPort theirPort;
  private PeerPort ourPort;
  private Upload original;
  private BackupEnvironment environment;
  private ActorRef<BackupSession.Command> copy;

  /** Whether the owner says what its blocks are. */
  private volatile boolean summed = true;

  /** What its sums differ by. */
  private volatile int rotten;

  private volatile Runnable onChange = () -> {};
  private final List<Said> opened = new CopyOnWriteArrayList<>();

  @BeforeEach
  void open(@TempDir Path directory) throws Exception {
    new Random(7).nextBytes(content);
    theirs = store(directory.resolve("owner"));
    ours = store(directory.resolve("backup"));
    theirPort = port("owner");
    ourPort = port("backup");
    original =
        theirs.begin(
            new UploadRequest(
                session,
                FileName.parse("f"),
                OptionalLong.of(SIZE),
                Optional.empty(),
                Optional.empty(),
                Optional.empty()));
    assertThat(
            original
                .takeOver()
                .write(ByteBuffer.allocateDirect(SIZE).put(content).flip(), () -> {}))
        .isTrue();
    await().atMost(PATIENCE).until(() -> original.summed() == 2);
    environment =
        new BackupEnvironment(
            "backup",
            "",
            ours,
            disk,
            Draining.in(directory.resolve("drain")),
            () -> -1,
            ourPort,
            Duration.ofHours(1),
            Steps.NONE);
    copy = spawn();
  }

  @AfterEach
  void close() throws IOException {
    kit.shutdownTestKit();
    theirPort.close();
    ourPort.close();
    opened.forEach(Said::close); // a port that is closed may leave some, and a store waits for them
    theirs.close();
    ours.close();
    disk.shutdown();
  }

  private FileStore store(Path directory) throws IOException {
    return FileStore.open(
        StoreSettings.of(
            directory.resolve("files"), directory.resolve("records"), 0, Duration.ofHours(1)),
        disk,
        Clock.systemUTC(),
        Steps.NONE);
  }

  private PeerPort port(String name) throws IOException {
    return PeerPort.open(
        new PeerSettings(name, Set.of("owner", "backup"), "127.0.0.1", 0, "", MIB),
        (asked, epoch) -> said(original.source()),
        disk,
        null);
  }

  private Source said(Source real) {
    Said made = new Said(real);
    opened.add(made);
    return made;
  }

  /** What the owner has, with the sums that the test wants. */
  private final class Said implements Source {
    private final Source real;
    private final AtomicBoolean closed = new AtomicBoolean();

    Said(Source real) {
      this.real = real;
    }

    @Override
    public FileChannel channel() {
      return real.channel();
    }

    @Override
    public long available() {
      return real.available();
    }

    @Override
    public int summed() {
      return summed ? real.summed() : 0;
    }

    @Override
    public int[] sums(int firstBlock, int count) {
      int[] sums = real.sums(firstBlock, count);
      for (int i = 0; i < sums.length; i++) {
        sums[i] ^= rotten;
      }
      return sums;
    }

    @Override
    public Optional<ProtocolException> failure() {
      return real.failure();
    }

    @Override
    public void onChange(Runnable watcher) {
      onChange = watcher;
      real.onChange(watcher);
    }

    @Override
    public void close() {
      if (closed.compareAndSet(false, true)) {
        real.close();
      }
    }
  }

  private ActorRef<BackupSession.Command> spawn() {
    return kit.spawn(BackupSession.create(session, environment, node.getRef()));
  }

  /** Another life of the copy, which knows what the journal says. */
  private void restart() {
    kit.stop(copy);
    copy = spawn();
  }

  private void tell(Remote.OfSession what) {
    copy.tell(new BackupSession.Told(what));
  }

  private void begin(Epoch epoch, long durable, boolean sums) {
    PeerPort.Address from = theirPort.address();
    tell(
        new Remote.BackupInfo(
            session,
            epoch,
            "f",
            OptionalLong.of(SIZE),
            Optional.empty(),
            durable,
            sums,
            "owner",
            from.host(),
            from.port(),
            owner.getRef()));
  }

  private <T extends Replicator.Command> T expect(Class<T> type) {
    return owner.expectMessageClass(type, PATIENCE);
  }

  private void mark(Epoch epoch, long end) {
    tell(new Remote.BackupData(session, epoch, 0, end));
    assertThat(expect(Remote.Ack.class).durable()).isGreaterThanOrEqualTo(end);
  }

  /** One that has marked the first MiB. */
  private void marked(boolean sums) {
    begin(FIRST, 0, sums);
    assertThat(expect(Remote.Ready.class).durable()).isZero();
    mark(FIRST, MIB);
  }

  private void seal(Epoch epoch, String sha256) {
    tell(
        new Remote.Seal(
            session,
            epoch,
            SIZE,
            sha256,
            Optional.empty(),
            original.lastSum(),
            "0000000000000001@owner"));
  }

  private String sha256() throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
  }

  @Test
  void shouldCopyAndCommit() throws Exception {
    marked(/* sums= */ true);
    seal(FIRST, sha256());
    expect(Remote.Sealed.class);
    tell(new Remote.Commit(session, FIRST, "f"));
    expect(Remote.Committed.class);
    assertThat(ours.contents().committed(FileName.parse("f")).orElseThrow().sha256())
        .isEqualTo(sha256());
  }

  @Test
  void shouldGoOnWhereTheJournalSays() {
    marked(/* sums= */ true);
    restart();
    begin(FIRST, 0, /* sums= */ true);
    assertThat(expect(Remote.Ready.class).durable()).isGreaterThanOrEqualTo(MIB);
  }

  @Test
  void shouldRefuseTheOwnerOfBefore() {
    begin(SECOND, 0, /* sums= */ true);
    expect(Remote.Ready.class);
    begin(FIRST, 0, /* sums= */ true);
    Remote.Refused refused = expect(Remote.Refused.class);
    assertThat(refused.epoch()).isEqualTo(FIRST);
    assertThat(refused.code()).isEqualTo(ErrorCode.SUPERSEDED);
    assertThat(refused.reason()).isEqualTo("epoch 1@owner (expected: at least 2@owner)");
    tell(new Remote.BackupData(session, FIRST, 0, MIB));
    tell(new Remote.Release(session, FIRST));
    owner.expectNoMessage();
    mark(SECOND, MIB);
  }

  @Test
  void shouldBeFencedByANewOwnerAlsoAfterARestart() {
    marked(/* sums= */ true);
    begin(SECOND, 100, /* sums= */ true);
    // what is behind the bytes that the new owner has may be others by now
    assertThat(expect(Remote.Ready.class).durable()).isEqualTo(100);
    restart();
    begin(FIRST, MIB, /* sums= */ true);
    assertThat(expect(Remote.Refused.class).code()).isEqualTo(ErrorCode.SUPERSEDED);
  }

  /** Bytes that came with their sums have no SHA-256 of this node: any one would be believed. */
  @Test
  void shouldOpenAnewWhatIsKnownByASha256FromNowOn() {
    marked(/* sums= */ true);
    begin(SECOND, SIZE, /* sums= */ false);
    expect(Remote.Ready.class);
    seal(SECOND, "0".repeat(64));
    Remote.Refused refused = expect(Remote.Refused.class);
    assertThat(refused.reason()).contains("0".repeat(64));
  }

  @Test
  void shouldOpenAnewWhatIsKnownBySumsFromNowOn() throws Exception {
    marked(/* sums= */ false);
    begin(SECOND, SIZE, /* sums= */ true);
    expect(Remote.Ready.class);
    seal(SECOND, sha256());
    expect(Remote.Sealed.class);
  }

  /** Another backup has its name already, and who was promised two copies is to find two. */
  @Test
  void shouldGoByItsOwnersWordOnly() throws Exception {
    marked(/* sums= */ true);
    seal(FIRST, sha256());
    expect(Remote.Sealed.class);
    hear("another", Remote.Fate.DONE);
    hear("owner", Remote.Fate.WANTED);
    tell(new Remote.Commit(session, FIRST, "f"));
    expect(Remote.Committed.class);
  }

  @Test
  void shouldGoWhenItsOwnerWantsItNoMore() throws Exception {
    marked(/* sums= */ true);
    hear("owner", Remote.Fate.DONE);
    node.expectTerminated(copy, PATIENCE);
    assertThat(ours.stagedBytes(session)).isZero();
  }

  private void hear(String by, Remote.Fate fate) {
    copy.tell(new BackupSession.Heard(new Remote.Told(session, by, fate)));
  }

  @Test
  void shouldRemoveThePartThatIsReleased() throws Exception {
    marked(/* sums= */ true);
    assertThat(ours.stagedBytes(session)).isPositive();
    tell(new Remote.Release(session, FIRST));
    node.expectTerminated(copy, PATIENCE);
    assertThat(ours.stagedBytes(session)).isZero();
    owner.expectNoMessage();
    copy = spawn();
    begin(FIRST, 0, /* sums= */ true);
    assertThat(expect(Remote.Ready.class).durable()).isZero();
  }

  @Test
  void shouldSayThatBlocksAreRightOnlyWhereTheyAreCompared() {
    summed = false;
    marked(/* sums= */ true);
    tell(new Remote.Verify(session, FIRST, 2 * MIB));
    owner.expectNoMessage();
    summed = true;
    onChange.run();
    assertThat(expect(Remote.Verified.class).offset()).isEqualTo(2 * MIB);
    tell(new Remote.Verify(session, FIRST, MIB)); // told again
    assertThat(expect(Remote.Verified.class).offset()).isEqualTo(MIB);
  }

  @Test
  void shouldGiveUpWhereABlockDiffers() throws Exception {
    summed = false;
    marked(/* sums= */ true);
    tell(new Remote.Verify(session, FIRST, 2 * MIB));
    rotten = 1;
    summed = true;
    onChange.run();
    assertThat(expect(Remote.Refused.class).reason()).contains("has another CRC32C");
    assertThat(ours.stagedBytes(session)).isZero();
  }
}
