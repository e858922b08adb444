package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import akka.actor.typed.ActorSystem;
import akka.actor.typed.javadsl.Adapter;
import io.theseus.channel.Admission;
import io.theseus.channel.NetworkFunction;
import io.theseus.channel.Passage;
import io.theseus.channel.Range;
import io.theseus.channel.SessionInfo;
import io.theseus.control.ControlActor;
import io.theseus.module.Revision;
import io.theseus.module.TestRevisions;
import io.theseus.session.SessionActor;
import io.theseus.session.SessionSummary;
import io.theseus.steps.Steps;
import io.theseus.testing.PacketSocket;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What connections say, and do, whose sessions follow a switch without a word of theirs. */
final class FollowNodeTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int PATIENCE_MILLIS = 30_000;
  private static final int MOST_ALIVE = 5;
  private static final int MIB = 1 << 20;
  private static final int SIZE = 21 * MIB;
  private static final int WINDOW = 100_000;
  private static final int PACKET = 60_000;
  private static final String RESUMED = "RESUMED standard@1.0.0";

  private Node node;
  private InetSocketAddress address;
  private byte[] content;

  @BeforeEach
  void start(@TempDir Path directory) throws Exception {
    node =
        Node.start(
            SettingsSource.defaults()
                .set("data-dir=" + directory)
                .set("packets.port=0")
                .set("cluster.port=0")
                .set("packets.max-data=16 MiB")
                .set("packets.put-window=64 MiB")
                .read(),
            Steps.NONE);
    String packetsAddress = node.packetsAddress().orElseThrow();
    address =
        new InetSocketAddress(
            InetAddress.getLoopbackAddress(),
            Integer.parseInt(packetsAddress.substring(packetsAddress.lastIndexOf(':') + 1)));
    content = new byte[SIZE];
    new Random(7).nextBytes(content);
    Files.write(directory.resolve("files").resolve("in"), content);
  }

  @AfterEach
  void stop() {
    node.close();
  }

  private PacketSocket connect() throws IOException {
    PacketSocket socket = new PacketSocket(address);
    socket.socket().setSoTimeout(PATIENCE_MILLIS);
    return socket;
  }

  /** A download whose client has its whole window, and has acknowledged nothing. */
  private PacketSocket idleGet() throws IOException {
    PacketSocket socket = connect();
    socket.info("GET in\nWindow: " + WINDOW + "\n");
    socket.take("READY");
    for (int at = 0; at < WINDOW; ) {
      at += ((PacketSocket.Data) socket.take()).bytes().length;
    }
    return socket;
  }

  private PacketSocket put(String name, int size) throws IOException {
    PacketSocket socket = connect();
    socket.info("PUT " + name + "\nSize: " + size + "\n");
    socket.take("READY");
    assertThat(socket.take()).isEqualTo(new PacketSocket.Offset(0));
    return socket;
  }

  private void tell(ControlActor.Command command) {
    Adapter.toClassic(node.system())
        .actorSelection("/user/control")
        .tell(command, akka.actor.ActorRef.noSender());
  }

  private void tell(SessionActor.Command command) {
    tell(new ControlActor.Tell(Optional.empty(), command));
  }

  private void publish(Revision revision) {
    node.switchboard().publish(revision, Optional.empty(), Revision.builtIn());
    tell(new ControlActor.FollowSwitch());
  }

  private void awaitFollowed() {
    await().atMost(PATIENCE).until(() -> node.status().code().following() == 0);
  }

  private void follow(Revision revision) {
    publish(revision);
    awaitFollowed();
  }

  private void awaitLive() {
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                node.control().sessions().join().stream()
                    .allMatch(each -> each.state() == SessionSummary.State.LIVE));
  }

  private static Revision function(String name, NetworkFunction function) {
    return TestRevisions.functions(name, List.of(() -> function));
  }

  private static NetworkFunction gated(CountDownLatch gate) {
    return new NetworkFunction() {
      @Override
      public Admission begin(SessionInfo session) {
        try {
          gate.await();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
        return Admission.admit();
      }
    };
  }

  private static Revision function(String name) {
    return function(name, new NetworkFunction() {});
  }

  /** The next one but signs of life, as it may take long. */
  private static PacketSocket.Packet next(PacketSocket socket) throws IOException {
    for (int alive = 0; alive < MOST_ALIVE; alive++) {
      PacketSocket.Packet packet = socket.next();
      if (!(packet instanceof PacketSocket.Said said && said.verb().equals("ALIVE"))) {
        return packet;
      }
    }
    throw new AssertionError("nothing but signs of life");
  }

  private static String words(PacketSocket.Packet packet) {
    assertThat(packet).isInstanceOf(PacketSocket.Said.class);
    PacketSocket.Said said = (PacketSocket.Said) packet;
    return said.verb().equals("RESUMED") ? "RESUMED " + said.field("Module") : said.verb();
  }

  @Test
  void shouldTellOfASwitchInFrontOfWhatLeavesNext() throws Exception {
    try (PacketSocket get = idleGet();
        PacketSocket put = put("out", SIZE)) {
      put.data(0, content, 0, MIB);
      assertThat(put.take()).isEqualTo(new PacketSocket.Offset(MIB));
      follow(function("one"));
      get.offset(WINDOW);
      assertThat(words(next(get))).isEqualTo(RESUMED);
      assertThat(next(get)).as("told once").isInstanceOf(PacketSocket.Data.class);
      put.data(MIB, content, MIB, MIB);
      assertThat(words(next(put))).isEqualTo(RESUMED);
      assertThat(next(put)).isEqualTo(new PacketSocket.Offset(2L * MIB));
      follow(Revision.builtIn());
      put.data(2 * MIB, content, 2 * MIB, SIZE - 2 * MIB - 16 * MIB);
      put.data(SIZE - 16 * MIB, content, SIZE - 16 * MIB, 16 * MIB);
      assertThat(words(next(put))).isEqualTo(RESUMED);
      while (next(put) instanceof PacketSocket.Offset offset) {
        assertThat(offset.offset()).isLessThanOrEqualTo(SIZE);
      }
    }
  }

  @Test
  void shouldTellOfASwitchAsASignOfLife() throws Exception {
    try (PacketSocket get = idleGet();
        PacketSocket put = put("out", SIZE)) {
      follow(function("one"));
      assertThat(words(get.next())).isEqualTo(RESUMED);
      assertThat(words(put.next())).isEqualTo(RESUMED);
      get.offset(WINDOW);
      assertThat(get.next()).as("told once").isInstanceOf(PacketSocket.Data.class);
    }
  }

  @Test
  void shouldTellOfASwitchWhoseActorsAreGone() throws Exception {
    try (PacketSocket get = idleGet()) {
      follow(function("one"));
      ActorSystem<?> before = node.system();
      before.terminate();
      await().atMost(PATIENCE).until(() -> node.system() != before);
      await()
          .atMost(PATIENCE)
          .ignoreExceptions() // there are no actors for a moment
          .until(() -> node.control().sessions().join().size() == 1);
      awaitLive();
      get.offset(WINDOW);
      assertThat(words(next(get))).isEqualTo(RESUMED);
      assertThat(next(get)).isInstanceOf(PacketSocket.Data.class);
    }
  }

  @Test
  void shouldTellOfASwitchInFrontOfTheEnd() throws Exception {
    try (PacketSocket get = connect()) {
      get.info("GET in\nWindow: 1000\nOffset: " + (SIZE - 1000) + "\n");
      get.take("READY");
      assertThat(get.take()).isInstanceOf(PacketSocket.Data.class);
      follow(function("one"));
      get.offset(SIZE);
      assertThat(words(next(get))).isEqualTo(RESUMED);
      assertThat(words(next(get))).isEqualTo("COMPLETE");
    }
  }

  /** The input that is to go on is there already: nothing but the switch wakes it. */
  @Test
  void shouldTakeAPacketThatOlderCodeGrantedAPartOf() throws Exception {
    CountDownLatch delayed = new CountDownLatch(1);
    publish(
        function(
            "one",
            new NetworkFunction() {
              @Override
              public Passage decide(Range range, long nowNanos) {
                if (range.offset() == 0) {
                  return Passage.limit(PACKET / 3);
                }
                delayed.countDown();
                return Passage.delay(Duration.ofMinutes(1));
              }
            }));
    try (PacketSocket put = put("out", PACKET)) {
      delayed.await();
      put.data(0, content, 0, PACKET);
      awaitLive(); // behind which the event loop has seen what came before
      follow(Revision.builtIn());
      assertThat(words(next(put))).isEqualTo(RESUMED);
      assertThat(next(put)).isEqualTo(new PacketSocket.Offset(PACKET));
      assertThat(words(next(put))).isEqualTo("COMPLETE");
    }
  }

  /** The older code granted all of it, the next one knows an older position and grants less. */
  @Test
  void shouldTakeAPacketThatEndsBehindTheFirstWord() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    Revision one =
        TestRevisions.of(
            "one",
            () ->
                progress ->
                    new Range(
                        progress.position(),
                        (int) Math.min(MIB, progress.end() - progress.position())),
            List.of(() -> gated(gate)),
            Duration.ofMinutes(5));
    try (PacketSocket put = put("out", SIZE)) {
      for (int i = 0; i < 4; i++) {
        sendAndAwait(put, i * MIB);
      }
      publish(one);
      await().atMost(PATIENCE).until(() -> one.sessions() == 1);
      sendAndAwait(put, 4 * MIB);
      byte[] packet =
          ByteBuffer.allocate(13 + 16 * MIB)
              .put((byte) 3)
              .putInt(16 * MIB)
              .putLong(5 * MIB)
              .put(content, 5 * MIB, 16 * MIB)
              .array();
      put.send(Arrays.copyOf(packet, PACKET));
      awaitLive(); // behind which the event loop has seen what came before
      gate.countDown();
      awaitFollowed();
      CompletableFuture<Void> sent = // in vain, perhaps
          CompletableFuture.runAsync(
              () -> {
                try {
                  put.send(Arrays.copyOfRange(packet, PACKET, packet.length));
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
      assertThat(words(next(put))).isEqualTo("RESUMED one@2.0.0");
      assertThat(next(put)).isEqualTo(new PacketSocket.Offset(SIZE));
      assertThat(words(next(put))).isEqualTo("COMPLETE");
      sent.join();
    }
  }

  private void sendAndAwait(PacketSocket put, int offset) throws IOException {
    put.data(offset, content, offset, MIB);
    assertThat(next(put)).isEqualTo(new PacketSocket.Offset(offset + MIB));
  }

  @Test
  void shouldHoldAgainBehindAHoldThatCameAndWentWhileCodeWasBegun() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    Revision one = function("one", gated(gate));
    try (PacketSocket get = idleGet();
        PacketSocket put = put("out", SIZE)) {
      publish(one);
      tell(new SessionActor.Hold(node.system().ignoreRef()));
      assertThat(words(next(get))).isEqualTo("MODIFYING");
      assertThat(words(next(put))).isEqualTo("MODIFYING");
      tell(new SessionActor.Resume());
      awaitLive();
      gate.countDown();
      awaitFollowed();
      assertThat(words(next(get))).isEqualTo(RESUMED);
      assertThat(words(next(put))).isEqualTo(RESUMED);
      tell(new SessionActor.Hold(node.system().ignoreRef()));
      assertThat(words(next(get))).isEqualTo("MODIFYING");
      assertThat(words(next(put))).isEqualTo("MODIFYING");
      tell(new SessionActor.Resume());
      assertThat(words(next(get))).isEqualTo(RESUMED);
      assertThat(words(next(put))).isEqualTo(RESUMED);
      get.offset(WINDOW);
      assertThat(next(get)).isInstanceOf(PacketSocket.Data.class);
      put.data(0, content, 0, MIB);
      assertThat(next(put)).isEqualTo(new PacketSocket.Offset(MIB));
    }
  }
}
