package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import akka.actor.typed.javadsl.Adapter;
import akka.actor.typed.javadsl.AskPattern;
import io.theseus.channel.NetworkFunction;
import io.theseus.channel.PayloadUse;
import io.theseus.channel.Range;
import io.theseus.control.ControlActor;
import io.theseus.module.Revision;
import io.theseus.module.TestRevisions;
import io.theseus.session.SessionActor;
import io.theseus.steps.Steps;
import io.theseus.testing.PacketSocket;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Functions that look at the bytes of transfers over TCP, or change them, and what they do wrong.
 */
final class PayloadTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int SIZE = 5_000_000;
  private static final int PLACE = 2_000_000;
  private static final UUID SESSION = UUID.fromString("6b7e0f3a-2222-4222-8333-123456789abd");

  private final byte[] content = new byte[SIZE];
  private final byte[] turned = new byte[SIZE];
  private final List<Revision> revisions = new CopyOnWriteArrayList<>();

  /** Looks for calls that hang. */
  private final ScheduledExecutorService checks = Executors.newSingleThreadScheduledExecutor();

  private final CountDownLatch gate = new CountDownLatch(1);
  private Path directory;
  private Node node;
  private InetSocketAddress address;

  @BeforeEach
  void start(@TempDir Path temporary) throws Exception {
    directory = temporary;
    new Random(7).nextBytes(content);
    for (int i = 0; i < SIZE; i++) {
      turned[i] = turn(content[i], i);
    }
    begin();
    var unused =
        checks.scheduleWithFixedDelay(
            () -> revisions.forEach(Revision::check), 20, 20, TimeUnit.MILLISECONDS);
  }

  private void begin() throws Exception {
    node =
        Node.start(
            SettingsSource.defaults()
                .set("data-dir=" + directory)
                .set("packets.port=0")
                .set("cluster.port=0")
                .read(),
            Steps.NONE);
    String packets = node.packetsAddress().orElseThrow();
    address =
        new InetSocketAddress(
            InetAddress.getLoopbackAddress(),
            Integer.parseInt(packets.substring(packets.lastIndexOf(':') + 1)));
  }

  @AfterEach
  void stop() {
    checks.shutdownNow();
    gate.countDown();
    node.close();
  }

  // ---- functions

  private static byte turn(byte plain, long offset) {
    return (byte) (plain ^ offset * 31 ^ 0x5a);
  }

  /** What a function of a test does with bytes. */
  private interface Seeing {
    Optional<String> see(long offset, ByteBuffer bytes);
  }

  private static Supplier<NetworkFunction> function(PayloadUse use, Seeing seeing) {
    return () ->
        new NetworkFunction() {
          @Override
          public PayloadUse payloadUse() {
            return use;
          }

          @Override
          public Optional<String> payload(long offset, ByteBuffer bytes) {
            return seeing.see(offset, bytes);
          }
        };
  }

  private static Supplier<NetworkFunction> turning() {
    return function(
        PayloadUse.TRANSFORM,
        (offset, bytes) -> {
          turnAll(offset, bytes);
          return Optional.empty();
        });
  }

  private static void turnAll(long offset, ByteBuffer bytes) {
    for (int i = bytes.position(); i < bytes.limit(); i++) {
      bytes.put(i, turn(bytes.get(i), offset + i));
    }
  }

  private static Supplier<NetworkFunction> inspecting(Seeing seeing) {
    return function(PayloadUse.INSPECT, seeing);
  }

  /** Turns the bytes before a place, and does something wrong there. */
  private Supplier<NetworkFunction> turningUntil(String how) {
    return function(
        PayloadUse.TRANSFORM,
        (offset, bytes) -> {
          turnAll(offset, bytes);
          if (offset + bytes.remaining() <= PLACE) {
            return Optional.empty();
          }
          switch (how) {
            case "throws" -> throw new IllegalStateException("broken");
            case "cuts" -> bytes.limit(bytes.limit() - 1);
            case "hangs" -> {
              while (gate.getCount() > 0) {
                try {
                  gate.await();
                } catch (InterruptedException e) {
                  // as code does that takes no notice
                }
              }
              turnAll(offset, bytes); // scribbles, long after
            }
            default -> {
              return nothing();
            }
          }
          return Optional.empty();
        });
  }

  /** What code that isn't checked as ours is may return. */
  @SuppressWarnings("NullAway")
  private static Optional<String> nothing() {
    return null;
  }

  private Revision revision(Supplier<NetworkFunction> function) {
    return revision(Duration.ofMinutes(5), function);
  }

  private Revision revision(Duration deadline, Supplier<NetworkFunction> function) {
    Revision made =
        TestRevisions.of(
            "payload-" + revisions.size(),
            () ->
                progress ->
                    new Range(
                        progress.position(),
                        (int) Math.min(1 << 20, progress.end() - progress.position())),
            List.of(function),
            deadline);
    revisions.add(made);
    return made;
  }

  private void publish(Revision revision) {
    node.switchboard().publish(revision, Optional.empty(), Revision.builtIn());
    tell(new ControlActor.FollowSwitch());
  }

  private void tell(ControlActor.Command command) {
    Adapter.toClassic(node.system())
        .actorSelection("/user/control")
        .tell(command, akka.actor.ActorRef.noSender());
  }

  private void awaitNoSession() {
    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(node.status().sessions()).containsEntry("live", 0L));
  }

  /** All sessions follow what is in force. */
  private void awaitFollowed(Revision last) {
    await().atMost(PATIENCE).until(() -> last.sessions() == 0);
  }

  // ---- clients

  private PacketSocket connect() throws IOException {
    return new PacketSocket(address);
  }

  /** Puts a file through the node, so that its SHA-256 is known. */
  private void store(String name, byte[] bytes) throws IOException {
    assertThat(put(name, bytes, "").field("SHA-256")).isEqualTo(sha(bytes));
  }

  private PacketSocket.Said put(String name, byte[] bytes, String fields) throws IOException {
    try (PacketSocket socket = connect()) {
      socket.info("PUT " + name + "\nSize: " + bytes.length + "\n" + fields);
      socket.take("READY");
      PacketSocket.Packet packet = socket.take();
      long at = ((PacketSocket.Offset) packet).offset();
      while (at < bytes.length) {
        int length = (int) Math.min(300_001, bytes.length - at);
        socket.data(at, bytes, (int) at, length);
        at += length;
      }
      while (packet instanceof PacketSocket.Offset) {
        packet = socket.take();
      }
      return (PacketSocket.Said) packet;
    }
  }

  private static String sha(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (java.security.NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  /** A download that goes step by step. */
  private final class Download implements AutoCloseable {
    private final PacketSocket socket;
    private final byte[] read;
    private int at;

    Download(String name, int size, String fields) throws IOException {
      socket = connect();
      read = new byte[size];
      socket.info("GET " + name + "\nSession: " + SESSION + "\n" + fields);
      socket.take("READY");
    }

    void readUpTo(int offset) throws IOException {
      while (at < offset) {
        PacketSocket.Packet packet = socket.take();
        assertThat(packet).isInstanceOf(PacketSocket.Data.class);
        PacketSocket.Data data = (PacketSocket.Data) packet;
        assertThat(data.offset()).as("no gap, nothing twice").isEqualTo(at);
        System.arraycopy(data.bytes(), 0, read, at, data.bytes().length);
        at += data.bytes().length;
        socket.offset(at);
      }
    }

    PacketSocket.Said finish() throws IOException {
      readUpTo(read.length);
      return socket.take("COMPLETE");
    }

    /** Offsets at which what was read changes between plain and turned. */
    List<Integer> changes() {
      List<Integer> changes = new ArrayList<>();
      boolean plain = true;
      for (int i = 0; i < at; i++) {
        byte expected = plain ? content[i] : turned[i];
        if (read[i] != expected) {
          plain = !plain;
          changes.add(i);
          assertThat(read[i]).as("byte %s", i).isEqualTo(plain ? content[i] : turned[i]);
        }
      }
      return changes;
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  private static final String WINDOW = "Window: 1000000\n";

  // ---- GET

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 10_000, 300_000, SIZE})
  void shouldShowAGetToWhoInspects(int size) throws Exception {
    byte[] small = Arrays.copyOf(content, size);
    store("in", small);
    ByteBuffer seen = ByteBuffer.allocate(size);
    AtomicBoolean writable = new AtomicBoolean();
    publish(
        revision(
            inspecting(
                (offset, bytes) -> {
                  assertThat(offset).isEqualTo(seen.position());
                  writable.compareAndSet(false, !bytes.isReadOnly() || bytes.hasArray());
                  seen.put(bytes);
                  return Optional.empty();
                })));
    try (Download download = new Download("in", size, WINDOW)) {
      assertThat(download.finish().field("SHA-256")).isEqualTo(sha(small));
      assertThat(download.read).isEqualTo(small);
      assertThat(seen.array()).isEqualTo(small);
      assertThat(writable).isFalse();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {WINDOW, ""})
  void shouldChangeAGetAndSayNoHash(String window) throws Exception {
    store("in", content);
    publish(revision(turning()));
    try (Download download = new Download("in", SIZE, window)) {
      assertThat(download.finish().fields()).doesNotContainKey("sha-256");
      assertThat(download.read).isEqualTo(turned);
    }
  }

  @Test
  void shouldSayNoHashToWhoHasAllAlready() throws Exception {
    store("in", content);
    publish(revision(turning()));
    try (PacketSocket socket = connect()) {
      socket.info("GET in\nSession: " + SESSION + "\nOffset: " + SIZE + "\n");
      socket.take("READY");
      assertThat(socket.take("COMPLETE").fields()).doesNotContainKey("sha-256");
    }
  }

  @Test
  void shouldSwitchAGetBothWaysInTheMiddle() throws Exception {
    store("in", content);
    try (Download download = new Download("in", SIZE, WINDOW)) {
      download.readUpTo(500_000);
      Revision one = revision(turning());
      publish(one);
      await().atMost(PATIENCE).until(() -> one.sessions() == 1);
      download.readUpTo(3_000_000);
      publish(Revision.builtIn());
      awaitFollowed(one);
      PacketSocket.Said complete = download.finish();
      assertThat(download.changes()).hasSize(2);
      assertThat(complete.fields()).as("touched once is touched").doesNotContainKey("sha-256");
    }
  }

  @ParameterizedTest
  @CsvSource({"throws", "cuts", "returns nothing", "hangs"})
  void shouldSendWhatFailingCodeDidNotPass(String how) throws Exception {
    store("in", content);
    Revision bad =
        revision(
            how.equals("hangs") ? Duration.ofMillis(300) : Duration.ofMinutes(5),
            turningUntil(how));
    publish(bad);
    try (Download download = new Download("in", SIZE, WINDOW)) {
      PacketSocket.Said complete = download.finish();
      assertThat(download.changes()).first().isEqualTo(0);
      assertThat(download.changes()).hasSize(2);
      assertThat(download.changes().get(1)).isBetween(PLACE - (1 << 20), PLACE);
      assertThat(complete.fields()).doesNotContainKey("sha-256");
      gate.countDown();
      assertThat(bad.isAbandoned()).isEqualTo(how.equals("hangs"));
    }
    awaitNoSession();
  }

  private static Supplier<NetworkFunction> denying() {
    return inspecting(
        (offset, bytes) ->
            offset + bytes.remaining() > PLACE ? Optional.of("pattern") : Optional.empty());
  }

  @Test
  void shouldSendNothingThatIsDenied() throws Exception {
    store("in", content);
    publish(revision(denying()));
    try (Download download = new Download("in", SIZE, WINDOW)) {
      assertThatThrownBy(download::finish)
          .isInstanceOf(PacketSocket.RefusedException.class)
          .hasMessage("denied: payload-0@2.0.0: pattern");
      assertThat(download.at).isBetween(PLACE - (1 << 20), PLACE);
      assertThat(download.changes()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {WINDOW, ""})
  void shouldFollowSeeksPastFunctions(String window) throws Exception {
    store("in", content);
    publish(revision(turning()));
    Random random = new Random(3);
    try (Download download = new Download("in", SIZE, window)) {
      for (int i = 0; i < 30; i++) {
        int from = random.nextInt(SIZE - 1);
        if (!window.isEmpty()) {
          download.socket.offset(from + 1); // a seek, or an acknowledgement; never the next one
        }
        download.socket.offset(from);
        PacketSocket.Data data;
        do {
          data = (PacketSocket.Data) download.socket.take();
        } while (data.offset() != from);
        assertThat(data.bytes())
            .isEqualTo(Arrays.copyOfRange(turned, from, from + data.bytes().length));
      }
    }
    awaitNoSession();
  }

  @Test
  void shouldReadNoFurtherForAClientThatTakesNothing() throws Exception {
    byte[] large = new byte[64 << 20];
    Files.write(directory.resolve("files").resolve("large"), large);
    AtomicLong seen = new AtomicLong();
    publish(
        revision(
            inspecting(
                (offset, bytes) -> {
                  seen.set(offset + bytes.remaining());
                  return Optional.empty();
                })));
    try (PacketSocket socket = connect()) {
      socket.info("GET large\nWindow: 64000000\n");
      socket.take("READY");
      long[] last = {-1};
      await()
          .atMost(PATIENCE)
          .during(Duration.ofSeconds(1))
          .until(
              () -> {
                boolean same = last[0] == seen.get() && last[0] > 0;
                last[0] = seen.get();
                return same;
              });
      assertThat(seen.get()).as("what sockets hold, and three packets").isLessThan(32 << 20);
    }
    awaitNoSession();
  }

  /** Waits in the first call from an offset on. */
  private Supplier<NetworkFunction> waiting(CountDownLatch there, PayloadUse use) {
    return function(
        use,
        (offset, bytes) -> {
          if (offset > 500_000) {
            there.countDown();
            try {
              gate.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          }
          return Optional.empty();
        });
  }

  @Test
  void shouldLetGoOfAClientThatLeavesWhileCodeLooks() throws Exception {
    store("in", content);
    CountDownLatch there = new CountDownLatch(1);
    Revision slow = revision(waiting(there, PayloadUse.INSPECT));
    publish(slow);
    try (Download download = new Download("in", SIZE, WINDOW)) {
      download.readUpTo(500_000);
      there.await();
    }
    awaitNoSession();
    gate.countDown();
    publish(Revision.builtIn());
    awaitFollowed(slow);
  }

  @Test
  void shouldStandStillBehindThePacketThatCodeLooksAt() throws Exception {
    store("in", content);
    CountDownLatch there = new CountDownLatch(1);
    publish(revision(waiting(there, PayloadUse.INSPECT)));
    try (Download download = new Download("in", SIZE, WINDOW)) {
      download.readUpTo(500_000);
      there.await();
      var held =
          AskPattern.<ControlActor.Command, SessionActor.Held>ask(
                  Adapter.toTyped(
                      Adapter.toClassic(node.system())
                          .actorSelection("/user/control")
                          .resolveOne(PATIENCE)
                          .toCompletableFuture()
                          .join()),
                  replyTo ->
                      new ControlActor.Tell(Optional.of(SESSION), new SessionActor.Hold(replyTo)),
                  PATIENCE,
                  node.system().scheduler())
              .toCompletableFuture();
      assertThat(held).isNotDone();
      gate.countDown();
      long at = held.join().offset();
      PacketSocket.Packet packet = download.socket.next();
      while (packet instanceof PacketSocket.Data data) {
        System.arraycopy(data.bytes(), 0, download.read, download.at, data.bytes().length);
        download.at += data.bytes().length;
        download.socket.offset(download.at);
        packet = download.socket.next();
      }
      PacketSocket.Said modifying = (PacketSocket.Said) packet;
      assertThat(modifying.verb()).isEqualTo("MODIFYING");
      assertThat(modifying.number("Offset")).isEqualTo(download.at).isGreaterThanOrEqualTo(at);
      publish(revision(turning()));
      tell(new ControlActor.Tell(Optional.of(SESSION), new SessionActor.Resume()));
      download.finish();
      assertThat(download.changes()).hasSize(1);
      assertThat(download.changes().get(0)).isEqualTo((int) modifying.number("Offset"));
    }
  }

  // ---- PUT

  /** An upload that goes step by step. */
  private final class Sending implements AutoCloseable {
    private final PacketSocket socket;
    private final long window;
    private long sent;
    private long acked;

    Sending(String fields) throws IOException {
      socket = connect();
      socket.info("PUT out\nSession: " + SESSION + "\n" + fields);
      window = socket.take("READY").number("Window");
      acked = ((PacketSocket.Offset) socket.take()).offset();
      sent = acked;
    }

    void sendUpTo(long offset) throws IOException {
      while (sent < offset) {
        int length = (int) Math.min(100_000, offset - sent);
        while (sent + length > acked + window) {
          acked = ((PacketSocket.Offset) socket.take()).offset();
        }
        socket.data(sent, content, (int) sent, length);
        sent += length;
      }
    }

    void awaitAcked(long offset) throws IOException {
      while (acked < offset) {
        acked = ((PacketSocket.Offset) socket.take()).offset();
      }
    }

    PacketSocket.Said complete() throws IOException {
      sendUpTo(SIZE);
      awaitAcked(SIZE);
      return socket.take("COMPLETE");
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  private static final String SIZED = "Size: " + SIZE + "\n";

  private byte[] out() throws IOException {
    return Files.readAllBytes(directory.resolve("files").resolve("out"));
  }

  private String stored() throws IOException {
    return ((PacketSocket.Said) PacketSocket.ask(address, "STAT out\n")).field("SHA-256");
  }

  /** Offsets at which what was stored changes between plain and turned. */
  private List<Integer> changes(byte[] bytes) {
    List<Integer> changes = new ArrayList<>();
    boolean plain = true;
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] != (plain ? content[i] : turned[i])) {
        plain = !plain;
        changes.add(i);
        assertThat(bytes[i]).as("byte %s", i).isEqualTo(plain ? content[i] : turned[i]);
      }
    }
    return changes;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 10_000, 300_000, SIZE})
  void shouldShowAPutToWhoInspects(int size) throws Exception {
    ByteBuffer seen = ByteBuffer.allocate(size);
    publish(
        revision(
            inspecting(
                (offset, bytes) -> {
                  assertThat(offset).isEqualTo(seen.position());
                  seen.put(bytes);
                  return Optional.empty();
                })));
    byte[] small = Arrays.copyOf(content, size);
    assertThat(put("out", small, "").field("SHA-256")).isEqualTo(sha(small));
    assertThat(seen.array()).isEqualTo(small);
    assertThat(out()).isEqualTo(small);
  }

  @Test
  void shouldChangeAPutAndSayTheHashOfWhatCame() throws Exception {
    publish(revision(turning()));
    String fields = "Session: " + SESSION + "\nSHA-256: " + sha(content) + "\n";
    assertThat(put("out", content, fields).field("SHA-256")).isEqualTo(sha(content));
    assertThat(out()).isEqualTo(turned);
    assertThat(stored()).isEqualTo(sha(turned));
    // it asks again, now and when the file is another one
    assertThat(put("out", content, fields).field("SHA-256")).isEqualTo(sha(content));
    put("out", Arrays.copyOf(content, 10), "");
    assertThat(put("out", content, fields).field("SHA-256")).isEqualTo(sha(content));
  }

  @Test
  void shouldRefuseAWrongHashOfWhatCame() throws Exception {
    publish(revision(turning()));
    assertThatThrownBy(() -> put("out", content, "SHA-256: " + sha(turned) + "\n"))
        .isInstanceOf(PacketSocket.RefusedException.class)
        .hasMessageContaining("(expected: " + sha(content) + ", which is that of the bytes");
  }

  @Test
  void shouldSwitchAPutBothWaysInTheMiddle() throws Exception {
    try (Sending sending = new Sending("")) {
      sending.sendUpTo(500_000);
      sending.awaitAcked(500_000);
      Revision one = revision(turning());
      publish(one);
      await().atMost(PATIENCE).until(() -> one.sessions() == 1);
      sending.sendUpTo(3_000_000);
      publish(Revision.builtIn());
      awaitFollowed(one);
      sending.sendUpTo(SIZE);
      sending.socket.info("END\nSize: " + SIZE + "\nSHA-256: " + sha(content) + "\n");
      assertThat(sending.complete().field("SHA-256")).isEqualTo(sha(content));
    }
    assertThat(changes(out())).hasSize(2);
    assertThat(stored()).isEqualTo(sha(out()));
  }

  @ParameterizedTest
  @CsvSource({"throws", "cuts", "returns nothing", "hangs"})
  void shouldStoreWhatFailingCodeDidNotPass(String how) throws Exception {
    Revision bad =
        revision(
            how.equals("hangs") ? Duration.ofMillis(300) : Duration.ofMinutes(5),
            turningUntil(how));
    publish(bad);
    try (Sending sending = new Sending(SIZED)) {
      assertThat(sending.complete().field("SHA-256")).isEqualTo(sha(content));
      gate.countDown();
      assertThat(changes(out())).first().isEqualTo(0);
      assertThat(changes(out())).hasSize(2);
      assertThat(changes(out()).get(1)).isBetween(PLACE - (1 << 20), PLACE);
    }
    awaitNoSession();
  }

  @Test
  void shouldKeepWhatCameBeforeADenial() throws Exception {
    publish(revision(denying()));
    try (Sending sending = new Sending(SIZED)) {
      assertThatThrownBy(sending::complete)
          .isInstanceOf(PacketSocket.RefusedException.class)
          .hasMessage("denied: payload-0@2.0.0: pattern");
    } catch (java.net.SocketException e) {
      // the node had closed when the rest was sent
    }
    publish(Revision.builtIn());
    try (Sending sending = new Sending(SIZED)) {
      assertThat(sending.acked).isLessThanOrEqualTo(PLACE);
      assertThat(sending.complete().field("SHA-256")).isEqualTo(sha(content));
    }
    assertThat(out()).isEqualTo(content);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldGoOnAfterARestart(boolean again) throws Exception {
    publish(revision(turning()));
    long acked;
    try (Sending sending = new Sending(SIZED)) {
      sending.sendUpTo(2_000_000);
      sending.awaitAcked(2_000_000);
      acked = sending.acked;
    }
    node.close();
    begin();
    if (again) {
      publish(revision(turning()));
    }
    try (Sending sending =
        new Sending(SIZED + "Offset: " + acked + "\nSHA-256: " + sha(content) + "\n")) {
      assertThat(sending.acked).isEqualTo(acked);
      assertThat(sending.complete().fields())
          .as("nobody knows it any more")
          .doesNotContainKey("sha-256");
    }
    byte[] expected = turned.clone();
    if (!again) {
      System.arraycopy(content, (int) acked, expected, (int) acked, SIZE - (int) acked);
    }
    assertThat(out()).isEqualTo(expected);
    assertThat(stored()).isEqualTo(sha(expected));
    try (PacketSocket socket = connect()) {
      socket.info("PUT out\nSession: " + SESSION + "\n" + SIZED);
      socket.take("READY");
      socket.take();
      assertThat(socket.take("COMPLETE").fields()).doesNotContainKey("sha-256");
    }
  }

  @Test
  void shouldKnowTheHashAfterARestartWhereNothingWasChangedBefore() throws Exception {
    long acked;
    try (Sending sending = new Sending(SIZED)) {
      sending.sendUpTo(2_000_000);
      sending.awaitAcked(2_000_000);
      acked = sending.acked;
    }
    node.close();
    begin();
    publish(revision(inspecting((offset, bytes) -> Optional.empty())));
    try (Sending sending = new Sending(SIZED + "Offset: " + acked + "\n")) {
      assertThat(sending.complete().field("SHA-256")).isEqualTo(sha(content));
    }
    assertThat(out()).isEqualTo(content);
  }

  @Test
  void shouldCompleteForAClientThatIsDoneBeforeCodeIs() throws Exception {
    CountDownLatch there = new CountDownLatch(1);
    publish(revision(waiting(there, PayloadUse.INSPECT)));
    try (Sending sending = new Sending(SIZED)) {
      sending.sendUpTo(SIZE);
      sending.socket.info("STAT out\n"); // one command ahead
      sending.socket.socket().shutdownOutput();
      there.await();
      gate.countDown();
      sending.awaitAcked(SIZE);
      sending.socket.take("COMPLETE");
      assertThat(sending.socket.take("STAT").field("SHA-256")).isEqualTo(sha(content));
    }
  }

  @Test
  void shouldTakeNoMoreThanABacklogWhileCodeIsSlow() throws Exception {
    CountDownLatch there = new CountDownLatch(1);
    AtomicLong received = new AtomicLong();
    publish(revision(waiting(there, PayloadUse.TRANSFORM)));
    byte[] large = new byte[12 << 20];
    try (PacketSocket socket = connect()) {
      socket.info("PUT out\nSession: " + SESSION + "\nSize: " + large.length + "\n");
      socket.take("READY");
      socket.take();
      Thread sender =
          new Thread(
              () -> {
                try {
                  for (int at = 0; at < large.length; at += 1 << 20) {
                    socket.data(at, large, at, 1 << 20);
                  }
                } catch (IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
              });
      sender.start();
      there.await();
      long[] last = {-1};
      await()
          .atMost(PATIENCE)
          .during(Duration.ofSeconds(1))
          .until(
              () -> {
                received.set(
                    java.util.Objects.requireNonNull(
                        node.status().counters().get("bytes-received")));
                boolean same = last[0] == received.get();
                last[0] = received.get();
                return same;
              });
      assertThat(received.get()).isLessThan(6 << 20);
      gate.countDown();
      sender.join();
      PacketSocket.Packet packet;
      do {
        packet = socket.take();
      } while (packet instanceof PacketSocket.Offset);
      assertThat(((PacketSocket.Said) packet).verb()).isEqualTo("COMPLETE");
    }
    assertThat(out()).isEqualTo(large);
  }

  @Test
  void shouldDropWhatCodeLooksAtWhenTheClientLeaves() throws Exception {
    CountDownLatch there = new CountDownLatch(1);
    Revision slow = revision(waiting(there, PayloadUse.TRANSFORM));
    publish(slow);
    try (Sending sending = new Sending(SIZED)) {
      sending.sendUpTo(2_000_000);
      there.await();
    }
    publish(revision(turning()));
    try (Sending sending = new Sending(SIZED)) {
      assertThat(sending.acked).isLessThan(2_000_000);
      gate.countDown();
      assertThat(sending.complete().field("SHA-256")).isEqualTo(sha(content));
    }
    int first = changes(out()).get(0);
    assertThat(changes(out())).containsExactly(first);
    awaitFollowed(slow);
  }

  @Test
  void shouldHoldAndResumeAPutWhoseCodeFailsMeanwhile() throws Exception {
    CountDownLatch there = new CountDownLatch(1);
    Revision bad =
        revision(
            function(
                PayloadUse.TRANSFORM,
                (offset, bytes) -> {
                  if (offset > 500_000) {
                    there.countDown();
                    try {
                      gate.await();
                    } catch (InterruptedException e) {
                      Thread.currentThread().interrupt();
                    }
                    throw new IllegalStateException("broken");
                  }
                  turnAll(offset, bytes);
                  return Optional.empty();
                }));
    publish(bad);
    try (Sending sending = new Sending(SIZED)) {
      sending.sendUpTo(2_000_000);
      there.await();
      tell(
          new ControlActor.Tell(
              Optional.of(SESSION), new SessionActor.Hold(node.system().ignoreRef())));
      // the hold comes before the failure, mostly; the other way round nothing else may come of it
      PacketSocket.ask(address, "STAT out\n");
      gate.countDown();
      PacketSocket.Packet packet;
      do {
        packet = sending.socket.next();
      } while (!(packet instanceof PacketSocket.Said said && said.verb().equals("MODIFYING")));
      tell(new ControlActor.Tell(Optional.of(SESSION), new SessionActor.Resume()));
      assertThat(sending.complete().field("SHA-256")).isEqualTo(sha(content));
    }
    assertThat(changes(out())).hasSize(2);
  }
}
