package io.theseus.bench;

import static org.awaitility.Awaitility.await;

import com.sun.management.UnixOperatingSystemMXBean;
import io.theseus.bench.Measurement.Better;
import io.theseus.testing.NodeGauges;
import io.theseus.testing.NodeGauges.Reading;
import io.theseus.testing.NodeProcess;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * {@code ./theseus bench sessions}: what many connections cost a node, beside nginx in the same
 * run.
 *
 * <p>Each round starts servers afresh, ours and nginx in turn, because memory that a server has
 * once had it may keep. The node's heap has a fixed size and is touched at its start, so that what
 * the process grows by is outside of it; what is inside is what a full collection leaves.
 */
public final class SessionsBench {
  private static final String FULL = "./theseus bench sessions";
  private static final List<String> FLAGS =
      List.of("-Xms768m", "-Xmx768m", "-XX:+AlwaysPreTouch", "-Xshare:auto");
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final int KIB = 1 << 10;
  private static final int SMALL = 4 * KIB;
  private static final int LARGE = 16 << 20;

  /** Descriptors of this process besides connections: jars, logs, pipes. */
  private static final int SPARE = 1_000;

  private final boolean quick;
  private final int rounds;
  private final int idle;
  private final int open;
  private final int active;
  private final int slow;
  private final int samples;
  private final Path directory;
  private final BenchResults results =
      new BenchResults("sessions", "Many connections: idle, in a session, active, slow");

  /** Values of each round by what they are. */
  private final Map<String, List<Double>> values = new LinkedHashMap<>();

  private SessionsBench(boolean quick, Path directory) {
    this.quick = quick;
    this.directory = directory;
    rounds = quick ? 1 : 5;
    idle = quick ? 500 : 10_000;
    open = quick ? 100 : 2_000;
    active = quick ? 100 : 2_000;
    slow = quick ? 200 : 5_000;
    samples = quick ? 200 : 2_000;
  }

  /**
   * Runs it; {@code --quick} for a look. Results go to bench/results, those of a look to local/.
   */
  public static void main(String[] arguments) throws Exception {
    boolean quick = Arrays.asList(arguments).contains("--quick");
    Path directory = Files.createTempDirectory("theseus-bench");
    int code = 0;
    try {
      new SessionsBench(quick, directory).run();
    } catch (IllegalStateException e) {
      System.err.println("theseus bench sessions: " + e.getMessage());
      code = 1;
    } finally {
      deleteAll(directory);
    }
    System.exit(code);
  }

  private void run() throws Exception {
    requireDescriptors();
    Path nginx =
        Nginx.program()
            .orElseThrow(
                () ->
                    new IllegalStateException(
                        "nginx is not installed (expected: it, to compare with; as root: apt-get"
                            + " install nginx-light)"));
    for (int round = 1; round <= rounds; round++) {
      System.err.printf("round %d of %d%n", round, rounds);
      ours(directory.resolve("node" + round));
      peer(nginx, directory.resolve("nginx" + round));
    }
    report();
    Path target = Path.of(quick ? "bench/results/local" : "bench/results");
    results.write(target);
    System.out.println(Files.readString(target.resolve("sessions.md")));
  }

  private void requireDescriptors() {
    long most =
        ((UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
            .getMaxFileDescriptorCount();
    if (most < idle + SPARE) {
      throw new IllegalStateException(
          "descriptors: "
              + most
              + " (expected: >= "
              + (idle + SPARE)
              + ", as each connection is one; raise `ulimit -Hn`)");
    }
  }

  private void value(String what, double value) {
    values.computeIfAbsent(what, any -> new ArrayList<>()).add(value);
    System.err.printf("  %-28s %s%n", what, BenchResults.number(value));
  }

  // ---- one round of ours

  private NodeProcess start(Path at) throws IOException {
    NodeProcess node =
        NodeProcess.start(
            at,
            NodeProcess.Surroundings.jvm(FLAGS),
            "packets.idle=1h",
            "log.level=error",
            "session.keep=1s");
    Files.write(node.files().resolve("small"), new byte[SMALL]);
    Files.write(node.files().resolve("large"), new byte[LARGE]);
    return node;
  }

  private void ours(Path at) throws Exception {
    Talk talk = new Talk.Packets();
    try (NodeProcess node = start(at.resolve("idle"));
        NodeGauges gauges = NodeGauges.of(node.dataDir())) {
      warmUp(talk, node.address(), gauges);
      Reading before = gauges.read();
      long began = System.nanoTime();
      try (Crowd crowd = new Crowd(node.address(), idle)) {
        askAll(talk, crowd);
        value("ours idle seconds", (System.nanoTime() - began) / 1e9);
        memory("idle", before, gauges.read(), idle);
      }
    }
    try (NodeProcess node = start(at.resolve("open"));
        NodeGauges gauges = NodeGauges.of(node.dataDir())) {
      warmUp(talk, node.address(), gauges);
      Reading before = gauges.read();
      try (Crowd gets = new Crowd(node.address(), open / 2);
          Crowd puts = new Crowd(node.address(), open / 2)) {
        openSessions(gets, puts);
        await()
            .atMost(PATIENCE)
            .until(() -> gauges.status().sessions().getOrDefault("live", 0L) == open);
        memory("open", before, gauges.read(), open);
      }
      settle(gauges);
      value("ours active", throughput(talk, node.address()));
      latencies("ours", talk, node.address());
    }
  }

  /** Code is compiled and pools exist before anything is counted. */
  private void warmUp(Talk talk, InetSocketAddress server, NodeGauges gauges) throws IOException {
    for (int i = 0; i < 3; i++) {
      try (Crowd crowd = new Crowd(server, quick ? 20 : 200)) {
        for (int each = 0; each < crowd.size(); each++) {
          talk.ask(crowd, each);
          talk.begin(crowd, each, "small");
          talk.finish(crowd, each);
        }
      }
      try (Crowd gets = new Crowd(server, 50);
          Crowd puts = new Crowd(server, 50)) {
        openSessions(gets, puts);
      }
    }
    settle(gauges);
  }

  private static void settle(NodeGauges gauges) {
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                gauges.status().counters().getOrDefault("connections-open", 1L) == 0
                    && gauges.status().sessions().getOrDefault("live", 1L) == 0);
  }

  private static void askAll(Talk talk, Crowd crowd) throws IOException {
    for (int i = 0; i < crowd.size(); i++) {
      talk.ask(crowd, i);
    }
  }

  /** GETs that have sent and wait for an OFFSET, PUTs that have got a byte and wait for more. */
  private static void openSessions(Crowd gets, Crowd puts) throws IOException {
    Talk talk = new Talk.Packets();
    for (int i = 0; i < gets.size(); i++) {
      talk.beginSlowly(gets, i, "large");
      talk.sip(gets, i);
    }
    for (int i = 0; i < puts.size(); i++) {
      puts.send(i, Talk.Packets.info("PUT put" + i + "\n"));
      Talk.Packets.expect(puts, i, "READY");
      puts.read(i, 9);
      puts.send(i, Talk.Packets.data(0));
    }
    for (int i = 0; i < puts.size(); i++) {
      puts.read(i, 9); // durable, with a mark
    }
  }

  private void memory(String what, Reading before, Reading after, int count) {
    double heap = Math.max(0, after.heapBytes() - before.heapBytes()) / (double) count;
    double buffers = Math.max(0, after.bufferBytes() - before.bufferBytes()) / (double) count;
    double resident = Math.max(0, after.residentBytes() - before.residentBytes()) / (double) count;
    value("ours " + what + " heap", heap);
    value("ours " + what + " buffers", buffers);
    value("ours " + what + " resident", resident);
    value("ours " + what + " memory", heap + resident);
    value("ours " + what + " threads", (double) Math.max(0, after.threads() - before.threads()));
  }

  // ---- both

  private void peer(Path program, Path at) throws Exception {
    Path files = Files.createDirectories(at.resolve("files"));
    Files.write(files.resolve("small"), new byte[SMALL]);
    Files.write(files.resolve("large"), new byte[LARGE]);
    Talk talk = new Talk.Http();
    try (Nginx nginx = new Nginx(program, at, files)) {
      try (Crowd crowd = new Crowd(nginx.address(), quick ? 20 : 200)) {
        askAll(talk, crowd);
      }
      long before = nginx.residentBytes();
      long began = System.nanoTime();
      try (Crowd crowd = new Crowd(nginx.address(), idle)) {
        askAll(talk, crowd);
        value("nginx idle seconds", (System.nanoTime() - began) / 1e9);
        value("nginx idle memory", (nginx.residentBytes() - before) / (double) idle);
      }
      value("nginx active", throughput(talk, nginx.address()));
      latencies("nginx", talk, nginx.address());
    }
  }

  /** Small files a second, with a command under way on every connection of four groups. */
  private double throughput(Talk talk, InetSocketAddress server) throws Exception {
    int groups = 4;
    int turns = quick ? 3 : 10;
    ExecutorService threads = Executors.newFixedThreadPool(groups);
    List<Crowd> crowds = new ArrayList<>();
    try {
      for (int i = 0; i < groups; i++) {
        crowds.add(new Crowd(server, active / groups));
      }
      turn(threads, talk, crowds, 2);
      long began = System.nanoTime();
      turn(threads, talk, crowds, turns);
      return turns * (double) active / ((System.nanoTime() - began) / 1e9);
    } finally {
      threads.shutdown();
      for (Crowd crowd : crowds) {
        crowd.close();
      }
    }
  }

  private static void turn(ExecutorService threads, Talk talk, List<Crowd> crowds, int turns)
      throws InterruptedException, ExecutionException {
    List<Future<?>> running = new ArrayList<>();
    for (Crowd crowd : crowds) {
      running.add(
          threads.submit(
              () -> {
                for (int turn = 0; turn < turns; turn++) {
                  for (int i = 0; i < crowd.size(); i++) {
                    talk.begin(crowd, i, "small");
                  }
                  for (int i = 0; i < crowd.size(); i++) {
                    talk.finish(crowd, i);
                  }
                }
                return null;
              }));
    }
    for (Future<?> each : running) {
      each.get();
    }
  }

  /** A good client's latency alone, and among slow ones that take a KiB now and then. */
  private void latencies(String who, Talk talk, InetSocketAddress server) throws Exception {
    try (Crowd good = new Crowd(server, 1)) {
      latency(talk, good); // warm
      List<Double> alone = latency(talk, good);
      List<Double> among;
      AtomicBoolean over = new AtomicBoolean();
      ExecutorService sipping = Executors.newSingleThreadExecutor();
      try (Crowd crowd = new Crowd(server, slow)) {
        for (int i = 0; i < slow; i++) {
          talk.beginSlowly(crowd, i, "large");
        }
        Future<?> sips = sipping.submit(() -> sip(talk, crowd, over));
        among = latency(talk, good);
        over.set(true);
        sips.get();
      } finally {
        sipping.shutdown();
      }
      for (int percent : List.of(50, 99)) {
        value(who + " alone p" + percent, percentile(alone, percent));
        value(who + " slow p" + percent, percentile(among, percent));
      }
    }
  }

  /** About 500 sips a second, over all clients in turn. */
  private static Object sip(Talk talk, Crowd crowd, AtomicBoolean over) throws Exception {
    long next = System.nanoTime();
    for (int i = 0; !over.get(); i = (i + 1) % crowd.size()) {
      talk.sip(crowd, i);
      next += 2_000_000;
      java.util.concurrent.locks.LockSupport.parkNanos(next - System.nanoTime());
    }
    return crowd;
  }

  private List<Double> latency(Talk talk, Crowd good) throws IOException {
    List<Double> millis = new ArrayList<>();
    for (int i = 0; i < samples; i++) {
      long began = System.nanoTime();
      talk.begin(good, 0, "small");
      talk.finish(good, 0);
      millis.add((System.nanoTime() - began) / 1e6);
    }
    return millis;
  }

  private static double percentile(List<Double> values, int percent) {
    List<Double> sorted = new ArrayList<>(values);
    Collections.sort(sorted);
    return sorted.get(Math.min(sorted.size() - 1, sorted.size() * percent / 100));
  }

  // ---- report

  private List<Double> of(String what) {
    return List.copyOf(values.getOrDefault(what, List.of()));
  }

  private List<Double> limit(double value) {
    return Collections.nCopies(rounds, value);
  }

  private void add(
      String name,
      String metric,
      String unit,
      Better better,
      String ours,
      String peerName,
      List<Double> peer,
      OptionalDouble goal) {
    results.add(new Measurement(name, metric, unit, better, of(ours), peerName, peer, goal, FULL));
  }

  private void report() {
    OptionalDouble within = OptionalDouble.of(1);
    OptionalDouble few = OptionalDouble.of(0.01); // pools of a fixed size fill up, whoever comes
    OptionalDouble none = OptionalDouble.empty();
    String idleCase = "idle-" + idle;
    String openCase = "open-" + open;
    String activeCase = "active-" + active;
    String slowCase = "slow-" + slow;
    Better less = Better.LOWER;
    add(idleCase, "memory", "bytes", less, "ours idle memory", "16 KiB", limit(16 * KIB), within);
    add(
        idleCase,
        "memory",
        "bytes",
        less,
        "ours idle memory",
        "nginx",
        of("nginx idle memory"),
        none);
    add(idleCase, "threads", "threads", less, "ours idle threads", "connections", limit(idle), few);
    add(idleCase, "time", "s", less, "ours idle seconds", "nginx", of("nginx idle seconds"), none);
    add(openCase, "memory", "bytes", less, "ours open memory", "64 KiB", limit(64 * KIB), within);
    add(openCase, "threads", "threads", less, "ours open threads", "connections", limit(open), few);
    add(
        activeCase,
        "throughput",
        "files/s",
        Better.HIGHER,
        "ours active",
        "nginx",
        of("nginx active"),
        none);
    for (String percent : List.of("p50", "p99")) {
      add(
          slowCase,
          "latency-" + percent,
          "ms",
          less,
          "ours slow " + percent,
          "itself alone",
          of("ours alone " + percent),
          OptionalDouble.of(2));
      add(
          slowCase,
          "latency-" + percent,
          "ms",
          less,
          "ours slow " + percent,
          "nginx",
          of("nginx slow " + percent),
          none);
    }
    notes(idleCase, openCase, slowCase);
  }

  private void notes(String idleCase, String openCase, String slowCase) {
    results.remark(
        "Memory is what the process grew by: the heap that a full collection leaves, and resident"
            + " memory outside of the heap, which has a fixed size and was touched at the start."
            + " Buffers of the kernel are apart, for nginx too. Each round has servers of its own,"
            + " ours and nginx in turn. nginx: bench/peers/nginx-sessions.conf.");
    results.note(
        idleCase, "connections that asked once (STAT, HEAD) and are kept: " + parts("idle"));
    results.note(
        idleCase, "threads, time: of opening all and asking once on each, one after another");
    results.note(
        openCase,
        "half GETs that have sent and wait for an OFFSET, half PUTs of which a byte is durable,"
            + " with its mark in the journal: "
            + parts("open"));
    results.note(
        slowCase,
        "one good client that fetches 4 KiB again and again, alone and among slow ones that take"
            + " about 500 KiB a second together; the same for nginx: p50 "
            + ratio("p50")
            + ", p99 "
            + ratio("p99")
            + " of its own alone");
  }

  private String parts(String what) {
    StringBuilder text = new StringBuilder();
    for (String part : List.of("heap", "buffers", "resident")) {
      text.append(text.isEmpty() ? "" : ", ")
          .append(part)
          .append(' ')
          .append(BenchResults.number(Measurement.median(of("ours " + what + " " + part))));
    }
    return text + " bytes each (medians; buffers are resident, too)";
  }

  private String ratio(String percent) {
    return BenchResults.number(
        Measurement.median(of("nginx slow " + percent))
            / Measurement.median(of("nginx alone " + percent)));
  }

  private static void deleteAll(Path directory) throws IOException {
    try (var all = Files.walk(directory)) {
      for (Path each : all.sorted(Collections.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
  }
}
