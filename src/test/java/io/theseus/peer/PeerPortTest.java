package io.theseus.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.access.Identity;
import io.theseus.steps.Steps;
import io.theseus.store.FileStore;
import io.theseus.store.Source;
import io.theseus.store.StoreSettings;
import io.theseus.store.Upload;
import io.theseus.store.UploadRequest;
import io.theseus.testing.TestKeys;
import io.theseus.wire.Epoch;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.Packets;
import io.theseus.wire.ProtocolException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.zip.CRC32C;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two nodes' data planes over real sockets, with uploads in real files between them. */
final class PeerPortTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int MIB = 1 << 20;
  private static final Epoch EPOCH = Epoch.first("a");

  private final ExecutorService disk = Executors.newFixedThreadPool(4);
  private final Map<UUID, Upload> uploads = new ConcurrentHashMap<>();
  private Path directory;
  private FileStore store;
  private PeerPort giving;
  private PeerPort asking;

  @BeforeEach
  void open(@TempDir Path temporary) throws IOException {
    directory = temporary;
    store =
        FileStore.open(
            StoreSettings.of(
                temporary.resolve("files"), temporary.resolve("records"), 0, Duration.ofHours(1)),
            disk,
            Clock.systemUTC(),
            Steps.NONE);
    giving = port("a", this::source, null, Long.MAX_VALUE);
    asking = port("b", PeerPortTest::nothing, null, Long.MAX_VALUE);
  }

  @AfterEach
  void close() throws Exception {
    asking.close();
    giving.close();
    store.close();
    disk.shutdown();
    assertThat(disk.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
  }

  private PeerPort port(String node, Sources sources, @Nullable PeerTls tls, long mostHeld)
      throws IOException {
    return PeerPort.open(settings(node, mostHeld), sources, disk, tls);
  }

  private static PeerSettings settings(String node, long mostHeld) {
    return new PeerSettings(node, Set.of("a", "b"), "127.0.0.1", 0, "", mostHeld);
  }

  /** Both ports anew. */
  private void restart(@Nullable PeerTls tls, long mostHeld) throws IOException {
    asking.close();
    giving.close();
    giving = port("a", this::source, tls, mostHeld);
    asking = port("b", PeerPortTest::nothing, tls, mostHeld);
  }

  private Source source(UUID session, Epoch epoch) throws ProtocolException {
    Upload upload = uploads.get(session);
    if (upload == null) {
      return nothing(session, epoch);
    }
    if (!epoch.equals(EPOCH)) {
      throw new ProtocolException(
          ErrorCode.SUPERSEDED, "Epoch: " + epoch + " (expected: " + EPOCH + ")");
    }
    return upload.source();
  }

  private static Source nothing(UUID session, Epoch epoch) throws ProtocolException {
    throw new ProtocolException(
        ErrorCode.UNKNOWN_SESSION, "session " + session + " (expected: one of this node)");
  }

  private Upload begin() throws ProtocolException {
    UUID session = UUID.randomUUID();
    Upload upload =
        store.begin(
            new UploadRequest(
                session,
                new FileName("f-" + session),
                OptionalLong.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty()));
    uploads.put(session, upload);
    return upload;
  }

  private static byte[] content(int size) {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return bytes;
  }

  private static void write(Upload.Writer writer, byte[] bytes, int from, int to) {
    ByteBuffer piece = ByteBuffer.allocateDirect(to - from).put(bytes, from, to - from).flip();
    assertThat(writer.write(piece, () -> {})).isTrue();
  }

  private static int[] sums(byte[] bytes) {
    int[] sums = new int[bytes.length / MIB];
    for (int i = 0; i < sums.length; i++) {
      CRC32C crc = new CRC32C();
      crc.update(bytes, i * MIB, MIB);
      sums[i] = (int) crc.getValue();
    }
    return sums;
  }

  /** What came, in order. */
  private static final class Kept implements Intake {
    private final byte[] bytes;
    private final boolean releases;
    private final int[] sums;
    private final List<String> told = new ArrayList<>();
    private final ConcurrentLinkedQueue<Runnable> unreleased = new ConcurrentLinkedQueue<>();
    private long at;
    private long came;

    Kept(int size, long from, boolean releases) {
      this.bytes = new byte[size];
      this.sums = new int[size / MIB];
      this.at = from;
      this.releases = releases;
    }

    @Override
    public synchronized void data(long offset, ByteBuffer data, Runnable release) {
      assertThat(offset).isEqualTo(at);
      assertThat(data.isDirect()).isTrue();
      int length = data.remaining();
      data.get(bytes, (int) at, length);
      at += length;
      came += length;
      if (releases) {
        release.run();
      } else {
        unreleased.add(release);
      }
    }

    @Override
    public synchronized void sums(int firstBlock, int[] some) {
      System.arraycopy(some, 0, sums, firstBlock, some.length);
    }

    @Override
    public synchronized void failed(ErrorCode code, String reason) {
      told.add(code.label() + ": " + reason);
    }

    @Override
    public synchronized void lost(String reason) {
      told.add("lost: " + reason);
    }

    synchronized long at() {
      return at;
    }

    synchronized long came() {
      return came;
    }

    synchronized List<String> told() {
      return List.copyOf(told);
    }

    synchronized int[] sums() {
      return sums.clone();
    }

    synchronized byte[] bytes() {
      return bytes.clone();
    }

    void seek(long to) {
      synchronized (this) {
        at = to;
      }
    }

    void awaitAt(long offset) {
      await().atMost(PATIENCE).until(() -> at() == offset);
    }
  }

  /** TLS with certificates of one authority, or none. */
  private @Nullable PeerTls tls(boolean encrypted) throws Exception {
    if (!encrypted) {
      return null;
    }
    TestKeys keys = TestKeys.in(directory.resolve("keys")).make("node");
    SSLContext context =
        Identity.watch(
                "the test's certificate",
                keys.certificate("node"),
                keys.key("node"),
                Optional.of(keys.authority()),
                Clock.systemUTC(),
                PeerPortTest::context)
            .get();
    return new PeerTls() {
      @Override
      public SSLEngine server() {
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(false);
        engine.setNeedClientAuth(true);
        return engine;
      }

      @Override
      public SSLEngine client(String host, int port) {
        SSLEngine engine = context.createSSLEngine(host, port);
        engine.setUseClientMode(true);
        return engine;
      }

      @Override
      public Optional<String> refusal(SSLSession session) {
        return Optional.empty();
      }
    };
  }

  private static SSLContext context(Identity identity) throws IOException {
    try {
      KeyStore own = KeyStore.getInstance("PKCS12");
      own.load(null, null);
      own.setKeyEntry(
          "node", identity.key(), new char[0], identity.chain().toArray(new Certificate[0]));
      KeyManagerFactory keys =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      keys.init(own, new char[0]);
      KeyStore trusted = KeyStore.getInstance("PKCS12");
      trusted.load(null, null);
      trusted.setCertificateEntry("ca", identity.authorities().get(0));
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(trusted);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
      return context;
    } catch (java.security.GeneralSecurityException e) {
      throw new IOException(e);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldSendWhatIsAskedForAsSoonAsItIsThere(boolean encrypted) throws Exception {
    restart(tls(encrypted), Long.MAX_VALUE);
    byte[] content = content(5 * MIB + 12_345);
    Upload upload = begin();
    Upload.Writer writer = upload.takeOver();
    Kept kept = new Kept(content.length, 0, true);
    // more than there is, and before anything is there
    asking.pull(giving.address(), upload.session(), EPOCH, 0, 3 * MIB, kept);
    asking.pull(giving.address(), upload.session(), EPOCH, 3 * MIB, content.length, kept);
    write(writer, content, 0, 100);
    kept.awaitAt(100);
    write(writer, content, 100, 3 * MIB + 1);
    kept.awaitAt(3 * MIB + 1);
    write(writer, content, 3 * MIB + 1, content.length);
    kept.awaitAt(content.length);
    assertThat(kept.bytes()).isEqualTo(content);
    await().atMost(PATIENCE).until(() -> Arrays.equals(kept.sums(), sums(content)));
    assertThat(kept.told()).isEmpty();
  }

  @Test
  void shouldSendARangeOfWhatIsThere() throws Exception {
    byte[] content = content(4 * MIB);
    Upload upload = begin();
    write(upload.takeOver(), content, 0, content.length);
    Kept kept = new Kept(content.length, 2 * MIB + 5, true);
    asking.pull(giving.address(), upload.session(), EPOCH, 2 * MIB + 5, 3 * MIB, kept);
    kept.awaitAt(3 * MIB);
    assertThat(kept.came()).isEqualTo(MIB - 5);
    // and the sums of all
    await().atMost(PATIENCE).until(() -> Arrays.equals(kept.sums(), sums(content)));
    // back to what was asked for already
    kept.seek(10);
    asking.pull(giving.address(), upload.session(), EPOCH, 10, 20, kept);
    kept.awaitAt(20);
    assertThat(Arrays.copyOfRange(kept.bytes(), 10, 20))
        .isEqualTo(Arrays.copyOfRange(content, 10, 20));
  }

  @Test
  void shouldGoOnWithAFileThatIsCommitted() throws Exception {
    byte[] content = content(3 * MIB);
    Upload upload = begin();
    write(upload.takeOver(), content, 0, content.length);
    Kept kept = new Kept(content.length, 0, true);
    asking.pull(giving.address(), upload.session(), EPOCH, 0, MIB, kept);
    kept.awaitAt(MIB);
    upload.commit(content.length, Optional.empty()).toCompletableFuture().get(20, TimeUnit.SECONDS);
    asking.pull(giving.address(), upload.session(), EPOCH, MIB, content.length, kept);
    kept.awaitAt(content.length);
    assertThat(kept.bytes()).isEqualTo(content);
  }

  @Test
  void shouldTakeTurnsWithManySessions() throws Exception {
    byte[] large = content(64 * MIB);
    byte[] small = content(1000);
    Upload one = begin();
    write(one.takeOver(), large, 0, large.length);
    List<Kept> others = new ArrayList<>();
    Kept first = new Kept(large.length, 0, true);
    asking.pull(giving.address(), one.session(), EPOCH, 0, large.length, first);
    for (int i = 0; i < 200; i++) {
      Upload upload = begin();
      write(upload.takeOver(), small, 0, small.length);
      Kept kept = new Kept(small.length, 0, true);
      others.add(kept);
      asking.pull(giving.address(), upload.session(), EPOCH, 0, small.length, kept);
    }
    for (Kept kept : others) {
      kept.awaitAt(small.length);
      assertThat(kept.bytes()).isEqualTo(small);
    }
    first.awaitAt(large.length);
    assertThat(first.bytes()).isEqualTo(large);
  }

  @Test
  void shouldReadNoMoreWhileTooMuchIsHeld() throws Exception {
    int most = 4 * MIB;
    restart(null, most);
    byte[] content = content(64 * MIB);
    Upload upload = begin();
    write(upload.takeOver(), content, 0, content.length);
    Kept kept = new Kept(content.length, 0, false);
    asking.pull(giving.address(), upload.session(), EPOCH, 0, content.length, kept);
    await().atMost(PATIENCE).until(() -> kept.came() > most);
    Runnable release;
    long bound = most + 2L * MIB; // what one turn of a loop reads beyond
    while (kept.at() < content.length || !kept.unreleased.isEmpty()) {
      assertThat(asking.heldBytes()).isLessThan(bound);
      release = kept.unreleased.poll();
      if (release != null) {
        release.run();
      } else {
        Thread.onSpinWait();
      }
    }
    assertThat(kept.bytes()).isEqualTo(content);
    assertThat(asking.heldBytes()).isZero();
  }

  @Test
  void shouldSayWhyNothingComes() throws Exception {
    UUID unknown = UUID.randomUUID();
    Kept kept = new Kept(10, 0, true);
    asking.pull(giving.address(), unknown, EPOCH, 0, 10, kept);
    await().atMost(PATIENCE).until(() -> !kept.told().isEmpty());
    assertThat(kept.told())
        .containsExactly("unknown-session: session " + unknown + " (expected: one of this node)");

    Upload upload = begin();
    Kept stale = new Kept(10, 0, true);
    asking.pull(giving.address(), upload.session(), EPOCH.next("c"), 0, 10, stale);
    await().atMost(PATIENCE).until(() -> !stale.told().isEmpty());
    assertThat(stale.told()).containsExactly("superseded: Epoch: 2@c (expected: 1@a)");
  }

  @Test
  void shouldSayThatAnUploadFailed() throws Exception {
    Upload upload = begin();
    write(upload.takeOver(), content(10), 0, 10);
    Kept kept = new Kept(100, 0, true);
    asking.pull(giving.address(), upload.session(), EPOCH, 0, 100, kept);
    kept.awaitAt(10);
    // waits for those who read it: they let go
    upload.discard().toCompletableFuture().get(20, TimeUnit.SECONDS);
    await().atMost(PATIENCE).until(() -> !kept.told().isEmpty());
    assertThat(kept.told().get(0)).startsWith("internal: ").contains("was given up");
  }

  @Test
  void shouldLetGoOfWhatNobodyWantsAnyMore() throws Exception {
    byte[] content = content(32 * MIB);
    Upload upload = begin();
    write(upload.takeOver(), content, 0, content.length);
    Kept kept = new Kept(content.length, 0, true);
    asking.pull(giving.address(), upload.session(), EPOCH, 0, content.length, kept);
    await().atMost(PATIENCE).until(() -> kept.came() > 0);
    asking.stop(giving.address(), upload.session(), kept);
    awaitAnswer(); // asked behind the STOP: that has been heard

    upload.discard().toCompletableFuture().get(20, TimeUnit.SECONDS);
    awaitAnswer();
    assertThat(kept.told()).isEmpty();
  }

  /** Where the disk's threads end first, nothing waits for what they would have read. */
  @Test
  void shouldLetGoOfAFileThatCanNoMoreBeRead() throws Exception {
    AtomicBoolean ended = new AtomicBoolean();
    Executor ending =
        task -> {
          if (ended.get()) {
            throw new RejectedExecutionException("ended");
          }
          disk.execute(task);
        };
    PeerTls encrypting = tls(true);
    byte[] content = content(MIB);
    Upload upload = begin();
    Upload.Writer writer = upload.takeOver();
    Kept kept = new Kept(content.length, 0, true);
    try (PeerPort reading =
            PeerPort.open(settings("a", Long.MAX_VALUE), this::source, ending, encrypting);
        PeerPort other = port("b", PeerPortTest::nothing, encrypting, Long.MAX_VALUE)) {
      other.pull(reading.address(), upload.session(), EPOCH, 0, content.length, kept);
      write(writer, content, 0, 100);
      kept.awaitAt(100);
      ended.set(true);
      write(writer, content, 100, 200);
      await().atMost(PATIENCE).until(() -> !kept.told().isEmpty());
      CompletableFuture.runAsync(upload::letGo).get(20, TimeUnit.SECONDS);
    }
  }

  @Test
  void shouldHearNothingThatWasAskedForBeforeAStop() throws Exception {
    byte[] content = content(32 * MIB);
    Upload upload = begin();
    write(upload.takeOver(), content, 0, content.length);
    long from = 0;
    for (int i = 0; i < 20; i++) {
      Kept before = new Kept(content.length, from, true);
      asking.pull(giving.address(), upload.session(), EPOCH, from, content.length, before);
      await().atMost(PATIENCE).until(() -> before.came() > 0);
      // more of it is on its way, which whoever asks next must not take for its own
      asking.stop(giving.address(), upload.session(), before);
      from = i % 2 == 0 ? before.at() / 2 : 0;
    }
    Kept kept = new Kept(content.length, from, true);
    asking.pull(giving.address(), upload.session(), EPOCH, from, content.length, kept);
    kept.awaitAt(content.length);
    assertThat(kept.told()).isEmpty();
    assertThat(kept.bytes()).isEqualTo(content);
  }

  @Test
  void shouldHearNothingThatAnotherIntakeAskedFor() throws Exception {
    byte[] content = content(16 * MIB);
    Upload upload = begin();
    write(upload.takeOver(), content, 0, content.length);
    Kept before = new Kept(content.length, 0, true);
    asking.pull(giving.address(), upload.session(), EPOCH, 0, content.length, before);
    await().atMost(PATIENCE).until(() -> before.came() > 0);
    Kept kept = new Kept(content.length, 0, true);
    asking.pull(giving.address(), upload.session(), EPOCH, 0, content.length, kept);
    kept.awaitAt(content.length);
    assertThat(before.told()).containsExactly("lost: somebody else asks for it now");
    assertThat(kept.bytes()).isEqualTo(content);
  }

  /** Asks for a byte of another session over the same connection, and waits for it. */
  private void awaitAnswer() throws Exception {
    Upload other = begin();
    write(other.takeOver(), content(1), 0, 1);
    Kept kept = new Kept(1, 0, true);
    asking.pull(giving.address(), other.session(), EPOCH, 0, 1, kept);
    kept.awaitAt(1);
  }

  @Test
  void shouldTellThatTheOtherEndIsGone() throws Exception {
    PeerPort.Address address = giving.address();
    Upload upload = begin();
    Kept kept = new Kept(100, 0, true);
    asking.pull(address, upload.session(), EPOCH, 0, 100, kept);
    write(upload.takeOver(), content(10), 0, 10);
    kept.awaitAt(10);
    giving.close();
    await().atMost(PATIENCE).until(() -> !kept.told().isEmpty());
    assertThat(kept.told()).containsExactly("lost: the connection is lost");
    // and again, where nobody listens
    Kept again = new Kept(100, 0, true);
    asking.pull(address, upload.session(), EPOCH, 0, 100, again);
    await().atMost(PATIENCE).until(() -> !again.told().isEmpty());
    assertThat(again.told().get(0)).contains("refused");
  }

  @Test
  void shouldServeMembersOnly() throws Exception {
    Upload upload = begin();
    PeerSettings stranger = new PeerSettings("c", Set.of("a", "c"), "127.0.0.1", 0, "", MIB);
    try (PeerPort other = PeerPort.open(stranger, PeerPortTest::nothing, disk, null)) {
      Kept kept = new Kept(100, 0, true);
      other.pull(giving.address(), upload.session(), EPOCH, 0, 100, kept);
      await().atMost(PATIENCE).until(() -> !kept.told().isEmpty());
      assertThat(kept.told())
          .containsExactly(
              "lost: it says: denied: Node: \"c\" (expected: another one of"
                  + " theseus.cluster.nodes)");
    }
  }

  @Test
  void shouldNotTakeAnotherNodeForTheOneThatItWants() throws Exception {
    Kept kept = new Kept(100, 0, true);
    PeerPort.Address wrong = new PeerPort.Address("d", "127.0.0.1", giving.port());
    asking.pull(wrong, UUID.randomUUID(), EPOCH, 0, 100, kept);
    await().atMost(PATIENCE).until(() -> !kept.told().isEmpty());
    assertThat(kept.told()).containsExactly("lost: denied: Node: \"a\" (expected: \"d\")");
  }

  /** What comes on the port by itself, up to its end. */
  private String answerTo(byte[] bytes) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), giving.port())) {
      socket.setSoTimeout((int) PATIENCE.toMillis());
      socket.getOutputStream().write(bytes);
      InputStream in = socket.getInputStream();
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static byte[] info(String text) {
    return Packets.backupInfo(new UUID(0, 0), text).array();
  }

  @Test
  void shouldRefuseWhoSpeaksOtherwise() throws Exception {
    assertThat(answerTo(Packets.info("GET x\n").array())).contains("bad-packet: ");
    assertThat(answerTo(info("PULL\nEpoch: 1@a\nFrom: 0\nTo: 1\n")))
        .contains("bad-packet: a message of a session (expected: HELLO first)");
    assertThat(answerTo(info("HELLO\nVersion: 2\nNode: b\n")))
        .contains("version: Version: 2 (expected: 1)");
    assertThat(answerTo(info("HELLO\nVersion: 1\n")))
        .contains("bad-field: HELLO without Node (expected: one)");
    assertThat(answerTo(info("GOOD DAY\n"))).contains("bad-packet: verb \"GOOD\" between members");
    byte[] hello = info("HELLO\nVersion: 1\nNode: b\n");
    byte[] pull = info("PULL\nEpoch: 1@a\nFrom: 5\nTo: 5\n");
    byte[] both = Arrays.copyOf(hello, hello.length + pull.length);
    System.arraycopy(pull, 0, both, hello.length, pull.length);
    assertThat(answerTo(both))
        .contains("bad-field: To: \"5\" (expected: more than From, which is 5)");
  }
}
