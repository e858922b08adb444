package io.theseus.recovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.testing.Content;
import io.theseus.testing.NodeProcess;
import io.theseus.testing.PacketSocket.RefusedException;
import io.theseus.testing.RawGet;
import io.theseus.testing.RawPut;
import io.theseus.testing.RawTransfer;
import io.theseus.testing.RawTransfer.End;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A node, perhaps with others that have copies of what it receives, whose life ends at random
 * moments, by a kill or a cut of the power, while several clients are busy with it.
 *
 * <p>Each client works through one transfer after another: GETs of one file, PUTs that replace the
 * file of the PUT before. When the node is killed all of them meet, the disk is looked at, the node
 * is started again, and all go on where they stood. A kill counts for a kind of transfer when one
 * of that kind had something acknowledged by the node that was killed, and not all.
 */
final class KillingRun implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final int KILLS_OF_CLIENTS_THAT_MOVED = 4; // all but one in so many
  private static final int MOST_DELAY_MILLIS = 400;
  private static final int SOURCE_SIZE = 24 << 20;
  private static final String SOURCE = "source";

  /** What ends a node's life; its disk is as it will be found at the next start then. */
  @FunctionalInterface
  interface Ending {
    void end(NodeProcess node) throws IOException, InterruptedException;
  }

  /** What a node has to have for this. */
  static final List<String> SETTINGS =
      List.of("session.mark-bytes=1 MiB", "session.mark-interval=100ms", "session.keep=1h");

  /** What kills count for. */
  enum Kind {
    GET,
    PUT_WITH_SIZE,
    PUT_WITH_END
  }

  /** What one kill hit. */
  record Hit(Kind kind, long acknowledged, long size) {
    boolean isPut() {
      return kind != Kind.GET;
    }
  }

  /** How the transfers of one client look. */
  private record Shape(
      Kind kind, String name, long window, int packet, int leastBytes, int mostBytes) {}

  private static final List<Shape> SHAPES =
      List.of(
          new Shape(Kind.GET, SOURCE, 0, 64 << 10, SOURCE_SIZE, SOURCE_SIZE),
          new Shape(Kind.GET, SOURCE, 1 << 20, 64 << 10, SOURCE_SIZE, SOURCE_SIZE),
          new Shape(Kind.PUT_WITH_SIZE, "sized", 256 << 10, 256 << 10, 4 << 20, 16 << 20),
          new Shape(Kind.PUT_WITH_SIZE, "folder/sized", 64 << 20, 1 << 20, 8 << 20, 24 << 20),
          new Shape(Kind.PUT_WITH_END, "ended", 128 << 10, 128 << 10, 2 << 20, 8 << 20),
          new Shape(Kind.PUT_WITH_END, "folder/ended", 4 << 20, 512 << 10, 8 << 20, 24 << 20),
          // fits one checkpoint: never marked
          new Shape(Kind.PUT_WITH_SIZE, "small", 1 << 20, 1 << 20, 1, 100_000));

  private final NodeProcess node;
  private final List<NodeProcess> backups;
  private final Ending ending;
  private final long seed;
  private final SplittableRandom random;
  private final Content source = Content.random(1, SOURCE_SIZE);
  private final List<Client> clients = new ArrayList<>();

  /** Clients arrive when the node is dead, and leave when it serves again. */
  private final Phaser meeting = new Phaser(1);

  private final CountDownLatch broken = new CountDownLatch(1);
  private volatile @Nullable Throwable fault;
  private volatile boolean killed;
  private volatile boolean lastRound;

  KillingRun(Path directory, long seed, Ending ending) {
    this(NodeProcess.start(directory, SETTINGS.toArray(String[]::new)), List.of(), seed, ending);
  }

  /**
   * Of nodes that run.
   *
   * @param backups have a copy of everything, and die and are started again with the node
   */
  KillingRun(NodeProcess node, List<NodeProcess> backups, long seed, Ending ending) {
    this.node = node;
    this.backups = backups;
    this.seed = seed;
    this.ending = ending;
    this.random = new SplittableRandom(seed);
    RawPut put = new RawPut(SOURCE, source, /* sized= */ true, 1 << 20, Long.MAX_VALUE);
    assertThat(put.run(node.address())).as(put.loss()).isEqualTo(End.COMPLETE);
  }

  /**
   * Kills, and lets all transfers come to their end.
   *
   * @param most kills
   * @param onKill is told what a kill hit, and says whether there are to be more
   */
  void run(int most, Predicate<List<Hit>> onKill) throws InterruptedException, IOException {
    for (Shape shape : SHAPES) {
      Client client = new Client(shape, random.split());
      clients.add(client);
      meeting.register();
      client.thread.start();
    }
    int kills = 0;
    boolean goOn = true;
    while (goOn && kills < most) {
      // also kills that meet clients that are just coming back
      long delay = random.nextInt(MOST_DELAY_MILLIS);
      if (random.nextInt(KILLS_OF_CLIENTS_THAT_MOVED) > 0) {
        awaitProgress();
      }
      if (broken.await(delay, TimeUnit.MILLISECONDS)) {
        lastRound = true; // the others come to their end
        break;
      }
      killed = true;
      ending.end(node);
      meet();
      kills++;
      List<Hit> hits = clients.stream().flatMap(each -> each.hit().stream()).toList();
      goOn = onKill.test(hits);
      checkNames();
      lastRound = !goOn || kills == most;
      restart();
      checkStat();
      killed = false;
      clients.forEach(Client::begin);
      meet();
    }
    for (Client client : clients) {
      client.thread.join(PATIENCE.toMillis());
    }
    if (fault != null) {
      throw new AssertionError("seed " + seed + ": " + fault, fault);
    }
    await().atMost(PATIENCE).untilAsserted(this::checkAllNames);
    for (NodeProcess each : all()) {
      await()
          .atMost(Duration.ofMinutes(1))
          .untilAsserted(() -> assertThat(Visible.parts(each)).as("left in staging").isEmpty());
    }
  }

  private List<NodeProcess> all() {
    return Stream.concat(Stream.of(node), backups.stream()).toList();
  }

  /** Each waits for nobody: they start together. */
  private void restart() {
    all().parallelStream().forEach(NodeProcess::restart);
  }

  @Override
  public void close() {
    killed = true;
    lastRound = true;
    all().forEach(NodeProcess::close);
    meeting.forceTermination();
  }

  private void awaitProgress() {
    await()
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(5))
        .until(() -> broken.getCount() == 0 || clients.stream().allMatch(Client::hasMoved));
  }

  /** Waits for all clients; a client that found something wrong doesn't come any more. */
  private void meet() throws InterruptedException {
    int phase = meeting.arrive();
    try {
      meeting.awaitAdvanceInterruptibly(phase, PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new AssertionError(
          "seed " + seed + ": a client does not notice that its node is gone", e);
    }
  }

  /**
   * The names of all nodes. What was completed is whole on each, but for a file that is being
   * replaced: a node lets go of the one before where another one has the new one already, and lacks
   * the name until it has that, too.
   */
  private void checkNames() {
    Map<String, Set<String>> allowed = allowed();
    List<Map<String, String>> found = all().stream().map(Visible::onDisk).toList();
    for (Map.Entry<String, Set<String>> each : allowed.entrySet()) {
      List<String> shown =
          found.stream().map(names -> names.getOrDefault(each.getKey(), "")).toList();
      assertThat(shown)
          .as("seed %s: what %s shows on each node", seed, each.getKey())
          .anyMatch(each.getValue()::contains)
          .allMatch(
              one ->
                  each.getValue().contains(one)
                      || (one.isEmpty() && isBeingReplaced(each.getKey(), shown)));
    }
    for (Map<String, String> each : found) {
      assertThat(allowed.keySet()).as("seed %s: names", seed).containsAll(each.keySet());
    }
  }

  /** Whether one has the new file already, of which its client was not told that it is complete. */
  private boolean isBeingReplaced(String name, List<String> shown) {
    return clients.stream()
        .filter(each -> each.shape.kind() != Kind.GET && each.shape.name().equals(name))
        .anyMatch(
            each ->
                each.mayShow().size() > 1 && shown.contains(each.transfer.content().sha256Hex()));
  }

  /** The same when all is repaired: whole on each. */
  private void checkAllNames() {
    for (NodeProcess each : all()) {
      Map<String, String> found = Visible.onDisk(each);
      allowed()
          .forEach(
              (name, contents) ->
                  assertThat(found.getOrDefault(name, ""))
                      .as("seed %s: what %s shows in %s", seed, name, each.files())
                      .isIn(contents));
    }
  }

  /** Every name shows one whole content: the one before or, from its COMPLETE on, the new one. */
  private Map<String, Set<String>> allowed() {
    Map<String, Set<String>> allowed = new TreeMap<>(Map.of(SOURCE, Set.of(source.sha256Hex())));
    for (Client client : clients) {
      if (client.shape.kind() != Kind.GET) {
        allowed.put(client.shape.name(), client.mayShow());
      }
    }
    return allowed;
  }

  private void checkStat() {
    if (backups.isEmpty()) {
      checkStatNow();
    } else {
      // names are busy until the nodes have compared what they have
      await().atMost(PATIENCE).untilAsserted(this::checkStatNow);
    }
  }

  private void checkStatNow() {
    assertThat(Visible.stat(node, SOURCE)).hasValue(source.sha256Hex());
    for (Client client : clients) {
      if (client.shape.kind() != Kind.GET) {
        assertThat(Visible.stat(node, client.shape.name()).orElse(""))
            .as("seed %s: STAT of %s after the restart", seed, client.shape.name())
            .isIn(client.mayShow());
      }
    }
  }

  /** One client after another transfer. */
  private final class Client implements Runnable {
    private final Shape shape;
    private final SplittableRandom own;
    private final Thread thread;

    // written by its thread, read by the others when all have met
    private volatile RawTransfer transfer;
    private volatile String before = "";
    private volatile boolean moved;
    private volatile long begunWith;

    Client(Shape shape, SplittableRandom own) {
      this.shape = shape;
      this.own = own;
      this.thread = new Thread(this, "client " + shape.name());
      this.transfer = next();
    }

    @Override
    public void run() {
      try {
        while (!meeting.isTerminated()) {
          RawTransfer current = transfer;
          End end = run(current);
          if (end == End.COMPLETE) {
            moved = true;
            if (lastRound) {
              before = current.content().sha256Hex();
              return;
            }
            before = current.content().sha256Hex();
            begunWith = 0;
            transfer = next();
          } else if (!killed) {
            throw new AssertionError(current + " lost its node, which lives: " + current.loss());
          } else {
            meeting.arriveAndAwaitAdvance(); // all look at what is left
            meeting.arriveAndAwaitAdvance(); // the node serves again
          }
        }
      } catch (RuntimeException | Error e) {
        synchronized (KillingRun.this) {
          fault = fault == null ? e : fault;
        }
        broken.countDown();
      } finally {
        meeting.arriveAndDeregister();
      }
    }

    private End run(RawTransfer current) {
      try {
        return current.run(node.address());
      } catch (RefusedException e) {
        if (killed && String.valueOf(e.getMessage()).startsWith("internal: ")) {
          // a node that still lives says that its disk doesn't
          return End.LOST;
        }
        throw e;
      }
    }

    private RawTransfer next() {
      if (shape.kind() == Kind.GET) {
        return new RawGet(SOURCE, source, shape.window(), shape.packet());
      }
      int size = own.nextInt(shape.leastBytes(), shape.mostBytes() + 1);
      return new RawPut(
          shape.name(),
          Content.random(own.nextLong(), size),
          shape.kind() == Kind.PUT_WITH_SIZE,
          shape.packet(),
          shape.window());
    }

    void begin() {
      moved = false;
      begunWith = transfer.acknowledged();
    }

    /** Whether the node that runs now has acknowledged something. */
    boolean hasMoved() {
      return moved || transfer.acknowledged() > begunWith;
    }

    List<Hit> hit() {
      RawTransfer hit = transfer;
      return hit.isBetween() && hit.acknowledged() > begunWith
          ? List.of(new Hit(shape.kind(), hit.acknowledged(), hit.content().size()))
          : List.of();
    }

    /** SHA-256 of what its name may show, while it stands still; empty for no file. */
    Set<String> mayShow() {
      RawTransfer last = transfer;
      return last.isComplete() || before.equals(last.content().sha256Hex())
          ? Set.of(last.content().sha256Hex())
          : Set.of(before, last.content().sha256Hex());
    }
  }
}
