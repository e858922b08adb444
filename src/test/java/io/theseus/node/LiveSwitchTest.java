package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import akka.actor.typed.ActorSystem;
import akka.actor.typed.javadsl.Adapter;
import io.theseus.channel.Admission;
import io.theseus.channel.DataChannel;
import io.theseus.channel.HandOver;
import io.theseus.channel.NetworkFunction;
import io.theseus.channel.Passage;
import io.theseus.channel.PayloadUse;
import io.theseus.channel.Range;
import io.theseus.channel.SessionInfo;
import io.theseus.control.ControlActor;
import io.theseus.module.Revision;
import io.theseus.module.Switchboard;
import io.theseus.module.TestRevisions;
import io.theseus.session.SessionActor;
import io.theseus.steps.Steps;
import io.theseus.testing.PacketSocket;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Transfers in both directions over TCP while code is switched under them as fast as they follow:
 * code that fails, hangs, denies, delays; canaries, holds, actor systems that end.
 */
final class LiveSwitchTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int PATIENCE_MILLIS = 40_000;
  private static final int CLIENTS = 8;
  private static final int TRANSFERS = Integer.getInteger("transfers", 3);
  private static final int[] SIZES = {1000, 100_000, 3_000_000, 9_000_000};
  private static final int LARGEST = 9_000_000;

  private final long seed = Long.getLong("seed", System.nanoTime());
  private final byte[] content = new byte[LARGEST];
  private final Semaphore packets = new Semaphore(0);
  private final Map<UUID, Boolean> sessions = new ConcurrentHashMap<>();
  private final List<Revision> revisions = new CopyOnWriteArrayList<>();
  private final AtomicInteger released = new AtomicInteger();
  private final AtomicInteger denials = new AtomicInteger();
  private final List<String> gaps = new CopyOnWriteArrayList<>();
  private Path directory;
  private Node node;
  private InetSocketAddress address;

  @BeforeEach
  void start(@TempDir Path temporary) throws Exception {
    directory = temporary;
    node =
        Node.start(
            SettingsSource.defaults()
                .set("data-dir=" + directory)
                .set("packets.port=0")
                .set("cluster.port=0")
                .read(),
            Steps.NONE);
    String packetsAddress = node.packetsAddress().orElseThrow();
    address =
        new InetSocketAddress(
            InetAddress.getLoopbackAddress(),
            Integer.parseInt(packetsAddress.substring(packetsAddress.lastIndexOf(':') + 1)));
    new Random(7).nextBytes(content);
    for (int size : SIZES) {
      Files.write(file("in-" + size), Arrays.copyOf(content, size));
    }
  }

  @AfterEach
  void stop() {
    node.close();
  }

  private Path file(String name) {
    return directory.resolve("files").resolve(name);
  }

  @Test
  void shouldLoseNothingWhateverCodeIsSwitched() throws Exception {
    try {
      run();
    } catch (Throwable e) {
      throw new AssertionError("seed " + seed + ", of " + revisions.size() + " revisions", e);
    }
  }

  private void run() throws Exception {
    ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
    List<Future<?>> running = new ArrayList<>();
    try {
      for (int i = 0; i < CLIENTS; i++) {
        int client = i;
        running.add(clients.submit(() -> transfer(client)));
      }
      switchUntil(running);
      for (Future<?> each : running) {
        each.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
      }
    } finally {
      clients.shutdownNow();
    }
    assertThat(gaps).as("bytes that functions did not see").isEmpty();
    put(Revision.builtIn(), Optional.empty(), Revision.builtIn());
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              revisions.forEach(Revision::check); // code may hang that nobody waits for any more
              assertThat(node.status().sessions()).containsEntry("live", 0L);
              assertThat(revisions).filteredOn(each -> each.sessions() > 0).isEmpty();
              assertThat(released.get()).isEqualTo(revisions.size());
              assertThat(Thread.getAllStackTraces().keySet())
                  .extracting(Thread::getName)
                  .noneMatch(name -> name.startsWith("module-live-"));
            });
  }

  // ---- switches

  private void switchUntil(List<Future<?>> running) throws Exception {
    Random random = new Random(seed);
    Revision stable = Revision.builtIn();
    int ends = 2;
    while (running.stream().anyMatch(each -> !each.isDone())) {
      packets.drainPermits();
      boolean unused = packets.tryAcquire(1 + random.nextInt(60), 50, TimeUnit.MILLISECONDS);
      int what = random.nextInt(20);
      if (what == 0) {
        put(Revision.builtIn(), Optional.empty(), stable);
      } else if (what < 4) {
        stable = good(random);
        put(stable, Optional.empty(), stable);
      } else if (what < 7) {
        put(stable, Optional.of(canary(random, any(random))), stable);
      } else if (what == 7) {
        tell(new SessionActor.Hold(node.system().ignoreRef()));
        unused = packets.tryAcquire(1000, random.nextInt(30), TimeUnit.MILLISECONDS);
        if (random.nextBoolean()) {
          put(any(random), Optional.empty(), stable);
        }
        tell(new SessionActor.Resume());
      } else if (what == 8 && ends > 0 && random.nextInt(3) == 0) {
        ends--;
        ActorSystem<?> before = node.system();
        before.terminate();
        await().atMost(PATIENCE).until(() -> node.system() != before);
      } else {
        put(any(random), Optional.empty(), stable);
      }
      revisions.forEach(Revision::check);
    }
  }

  /** Puts it in force, and lets go of all others. */
  private void put(Revision revision, Optional<Switchboard.Canary> canary, Revision stable) {
    node.switchboard().publish(revision, canary, stable);
    tellControl(new ControlActor.FollowSwitch());
    for (Revision each : revisions) {
      if (!each.equals(revision)
          && !each.equals(stable)
          && canary.filter(one -> one.revision().equals(each)).isEmpty()) {
        each.retire();
      }
    }
  }

  private Switchboard.Canary canary(Random random, Revision revision) {
    List<UUID> all = List.copyOf(sessions.keySet());
    return all.isEmpty() || random.nextBoolean()
        ? new Switchboard.Canary(revision, Optional.empty(), random.nextInt(101))
        : new Switchboard.Canary(
            revision, Optional.of(all.get(random.nextInt(all.size()))), /* percent= */ 0);
  }

  private void tell(SessionActor.Command command) {
    tellControl(new ControlActor.Tell(Optional.empty(), command));
  }

  private void tellControl(ControlActor.Command command) {
    Adapter.toClassic(node.system())
        .actorSelection("/user/control")
        .tell(command, akka.actor.ActorRef.noSender());
  }

  private Revision revision(
      Supplier<DataChannel> channel, List<Supplier<NetworkFunction>> functions) {
    Revision made =
        TestRevisions.of(
            "live-" + revisions.size(),
            channel,
            functions,
            Duration.ofMillis(250),
            released::incrementAndGet);
    revisions.add(made);
    return made;
  }

  private static DataChannel granting(int most) {
    return progress ->
        new Range(progress.position(), (int) Math.min(most, progress.end() - progress.position()));
  }

  private Revision good(Random random) {
    int most = 50_000 + random.nextInt(3_000_000);
    return switch (random.nextInt(5)) {
      case 0 -> revision(() -> granting(most), List.of());
      case 2 -> revision(() -> granting(most), List.of(Counter::new, InOrder::new));
      case 3 ->
          revision(
              () -> granting(most),
              List.of(Turning::new, Counter::new, Turning::new, InOrder::new));
      case 1 -> revision(() -> granting(most), List.of(Counter::new));
      default ->
          revision(
              () -> granting(most),
              List.of(
                  Counter::new,
                  () -> deciding((range, at) -> Passage.limit(Math.min(range.length(), 70_000)))));
    };
  }

  private Revision any(Random random) {
    int least = random.nextInt(4);
    int place = random.nextInt(LARGEST);
    long nanos = 1_000_000L * (1 + random.nextInt(8));
    return switch (random.nextInt(17)) {
      case 0 -> revision(() -> failing(least, "throws"), List.of(Counter::new));
      case 1 -> revision(() -> failing(least, "is wrong"), List.of());
      case 2 -> revision(() -> failing(least, "hangs"), List.of());
      case 3 ->
          revision(
              () -> {
                throw new IllegalStateException("can't be made");
              },
              List.of());
      case 4 ->
          revision(
              () -> granting(1_000_000),
              List.of(
                  () ->
                      admitting(
                          session ->
                              session.id().hashCode() % 3 == 0
                                  ? Admission.deny("not you")
                                  : Admission.admit())));
      case 5 ->
          revision(
              () -> granting(200_000),
              List.of(
                  () ->
                      deciding(
                          (range, at) ->
                              range.offset() > place ? Passage.deny("enough") : Passage.pass())));
      case 6, 7 ->
          revision(
              () -> granting(500_000),
              List.of(
                  () ->
                      deciding(
                          (range, at) ->
                              at % 3 == 0
                                  ? Passage.delay(Duration.ofNanos(nanos))
                                  : Passage.pass())));
      case 8 ->
          revision(
              () -> granting(500_000),
              List.of(
                  () ->
                      admitting(
                          session -> {
                            throw new IllegalStateException("begins nothing");
                          })));
      case 9 ->
          revision(() -> granting(500_000), List.of(Turning::new, () -> broken(place, "throws")));
      case 10 ->
          revision(() -> granting(500_000), List.of(Turning::new, () -> broken(place, "cuts")));
      case 11 ->
          revision(() -> granting(500_000), List.of(Turning::new, () -> broken(place, "hangs")));
      case 12 ->
          revision(() -> granting(500_000), List.of(Turning::new, () -> broken(place, "denies")));
      default -> good(random);
    };
  }

  /** Turns bits that a second one turns back: bytes that pass one of two are others. */
  private static class Turning implements NetworkFunction {
    @Override
    public PayloadUse payloadUse() {
      return PayloadUse.TRANSFORM;
    }

    @Override
    public Optional<String> payload(long offset, ByteBuffer bytes) {
      for (int i = bytes.position(); i < bytes.limit(); i++) {
        bytes.put(i, (byte) (bytes.get(i) ^ (offset + i) * 31 ^ 0x5a));
      }
      return Optional.empty();
    }
  }

  /** Turned bits, and something else from a place on. */
  private static NetworkFunction broken(long place, String how) {
    return new Turning() {
      @Override
      public Optional<String> payload(long offset, ByteBuffer bytes) {
        Optional<String> turned = super.payload(offset, bytes);
        if (offset + bytes.remaining() <= place) {
          return turned;
        }
        return switch (how) {
          case "throws" -> throw new IllegalStateException("broken");
          case "cuts" -> {
            bytes.limit(bytes.limit() - 1);
            yield turned;
          }
          case "hangs" -> {
            try {
              new CountDownLatch(1).await(); // until it is interrupted
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
            super.payload(offset, bytes);
            yield turned;
          }
          default -> Optional.of("bytes");
        };
      }
    };
  }

  /** Sees the bytes one behind the other, but where a client goes back or a session is resumed. */
  private final class InOrder implements NetworkFunction {
    private long next = -1;

    @Override
    public PayloadUse payloadUse() {
      return PayloadUse.INSPECT;
    }

    @Override
    public Optional<String> payload(long offset, ByteBuffer bytes) {
      if (next >= 0 && offset > next) {
        gaps.add(next + " to " + offset);
      }
      next = offset + bytes.remaining();
      return Optional.empty();
    }
  }

  private static DataChannel failing(int after, String how) {
    AtomicInteger calls = new AtomicInteger();
    DataChannel good = granting(400_000);
    return progress -> {
      if (calls.incrementAndGet() <= after) {
        return good.next(progress);
      }
      return switch (how) {
        case "throws" -> throw new IllegalStateException("broken");
        case "hangs" -> {
          try {
            new CountDownLatch(1).await(); // until it is interrupted
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          yield good.next(progress);
        }
        default -> new Range(progress.position() + 1, 1);
      };
    };
  }

  private interface Deciding {
    Passage decide(Range range, int call);
  }

  private static NetworkFunction deciding(Deciding deciding) {
    return new NetworkFunction() {
      private int calls;

      @Override
      public Passage decide(Range range, long nowNanos) {
        return deciding.decide(range, ++calls);
      }
    };
  }

  private interface Admitting {
    Admission admit(SessionInfo session);
  }

  private static NetworkFunction admitting(Admitting admitting) {
    return new NetworkFunction() {
      @Override
      public Admission begin(SessionInfo session) {
        return admitting.admit(session);
      }
    };
  }

  /** Hands over what it counted. */
  private static final class Counter implements NetworkFunction {
    private long count;

    @Override
    public void passed(Range range) {
      count += range.length();
    }

    @Override
    public Optional<HandOver> handOver() {
      return Optional.of(new HandOver(1, ByteBuffer.allocate(8).putLong(count).array()));
    }

    @Override
    public boolean takeOver(HandOver state) {
      count = ByteBuffer.wrap(state.state()).getLong();
      return true;
    }
  }

  // ---- transfers

  private Void transfer(int client) throws Exception {
    Random random = new Random(seed + client + 1);
    for (int i = 0; i < TRANSFERS; i++) {
      int size = SIZES[random.nextInt(SIZES.length)];
      UUID session = new UUID(random.nextLong(), random.nextLong());
      sessions.put(session, true);
      String what = "client " + client + " transfer " + i + " session " + session;
      try {
        if (random.nextBoolean()) {
          what += " GET of " + size;
          get(random, session, size);
        } else {
          what += " PUT of " + size;
          put(random, session, size, "out-" + client + "-" + i);
        }
      } catch (Throwable e) {
        throw new AssertionError(what, e);
      }
      sessions.remove(session);
    }
    return null;
  }

  private PacketSocket connect() throws IOException {
    PacketSocket socket = new PacketSocket(address);
    socket.socket().setSoTimeout(PATIENCE_MILLIS);
    return socket;
  }

  private void requireExpected(PacketSocket.RefusedException refused) {
    String text = String.valueOf(refused.getMessage());
    if (text.startsWith("denied: ")) {
      denials.incrementAndGet();
    } else if (!text.startsWith("busy: the node is starting")) {
      throw new AssertionError(text, refused);
    }
  }

  private static long cut(Random random, long at, int size) {
    return random.nextInt(3) == 0 ? at + 1 + random.nextInt(size) : Long.MAX_VALUE;
  }

  private void get(Random random, UUID session, int size) throws IOException {
    boolean windowed = random.nextBoolean();
    String rest =
        windowed
            ? "Window: " + (100_000 + random.nextInt(4_000_000)) + "\n"
            : "Max-Data: " + (50_000 + random.nextInt(1_000_000)) + "\n";
    byte[] read = new byte[size];
    int at = 0;
    boolean complete = false;
    while (!complete) {
      long cut = cut(random, at, size);
      try (PacketSocket socket = connect()) {
        socket.info("GET in-" + size + "\nSession: " + session + "\nOffset: " + at + "\n" + rest);
        socket.take("READY");
        boolean sought = false;
        while (at < size && at < cut) {
          PacketSocket.Packet packet = socket.take();
          assertThat(packet).isInstanceOf(PacketSocket.Data.class);
          PacketSocket.Data data = (PacketSocket.Data) packet;
          packets.release();
          if (data.offset() != at) {
            assertThat(sought).as("DATA at %s, expected %s", data.offset(), at).isTrue();
            continue;
          }
          sought = false;
          System.arraycopy(data.bytes(), 0, read, at, data.bytes().length);
          at += data.bytes().length;
          if (at < size && random.nextInt(60) == 0) {
            if (windowed) {
              socket.offset(at);
            }
            at = random.nextInt(at);
            sought = true;
          }
          socket.offset(at);
        }
        if (at >= size) {
          socket.take("COMPLETE");
          complete = true;
        }
      } catch (PacketSocket.RefusedException e) {
        requireExpected(e);
        if (at >= size) {
          at = size - 1; // what it has, it has; but it wants to hear COMPLETE
        }
      }
    }
    assertThat(differences(read, size)).as("bytes read").isEmpty();
  }

  private static final class Sending {
    private final PacketSocket socket;
    private long acked;
    private boolean complete;

    Sending(PacketSocket socket) {
      this.socket = socket;
    }

    void take(long sent) throws IOException {
      PacketSocket.Packet packet = socket.next();
      if (packet instanceof PacketSocket.Refused refused) {
        throw new PacketSocket.RefusedException(refused.text());
      } else if (packet instanceof PacketSocket.Offset offset) {
        assertThat(offset.offset()).isGreaterThan(acked).isLessThanOrEqualTo(sent);
        acked = offset.offset();
      } else if (packet instanceof PacketSocket.Said said && said.verb().equals("COMPLETE")) {
        complete = true;
      } else {
        assertThat(PacketSocket.isRemark(packet)).as("a remark: %s", packet).isTrue();
      }
    }
  }

  private void put(Random random, UUID session, int size, String name) throws IOException {
    boolean sized = random.nextBoolean();
    boolean waits = size < 1_000_000 && random.nextBoolean();
    long acked = 0;
    boolean complete = false;
    while (!complete) {
      long cut = cut(random, acked, size);
      try (PacketSocket socket = connect()) {
        Sending sending = new Sending(socket);
        try {
          socket.info(
              "PUT "
                  + name
                  + "\nSession: "
                  + session
                  + "\nOffset: "
                  + acked
                  + "\n"
                  + (sized ? "Size: " + size + "\n" : ""));
          long window = socket.take("READY").number("Window");
          sending.acked = acked - 1;
          PacketSocket.Packet first = socket.take();
          assertThat(first).isInstanceOf(PacketSocket.Offset.class);
          long sent = ((PacketSocket.Offset) first).offset();
          assertThat(sent).isGreaterThanOrEqualTo(acked);
          sending.acked = sent;
          while (sent < size && sent < cut) {
            int length = (int) Math.min(1 + random.nextInt(200_000), size - sent);
            while (sent + length > sending.acked + window || socket.available() >= 9) {
              sending.take(sent);
            }
            send(sending, sent, length);
            sent += length;
            packets.release();
            while (waits && sent < size && sending.acked < sent) {
              sending.take(sent);
            }
          }
          if (sent == size) {
            if (!sized) {
              socket.info("END\nSize: " + size + "\n");
            }
            while (!sending.complete) {
              sending.take(sent);
            }
            complete = true;
          }
        } finally {
          acked = Math.max(acked, sending.acked);
        }
      } catch (PacketSocket.RefusedException e) {
        requireExpected(e);
      }
    }
    assertThat(differences(Files.readAllBytes(file(name)), size)).as("bytes of " + name).isEmpty();
  }

  /** Where bytes begin and end to be others than the content's. */
  private List<Integer> differences(byte[] bytes, int size) {
    assertThat(bytes).hasSize(size);
    List<Integer> differences = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      if ((bytes[i] == content[i]) == (differences.size() % 2 == 0)) {
        continue;
      }
      differences.add(i);
    }
    return differences;
  }

  /** Who fails to write reads what is there before it reports. */
  private void send(Sending sending, long at, int length) throws IOException {
    try {
      sending.socket.data(at, content, (int) at, length);
    } catch (SocketException e) {
      while (true) {
        sending.take(at);
      }
    }
  }
}
