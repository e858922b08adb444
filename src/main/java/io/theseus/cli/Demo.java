package io.theseus.cli;

import io.theseus.admin.Operations;
import io.theseus.client.ClientSettings;
import io.theseus.client.Consumer;
import io.theseus.client.GetRequest;
import io.theseus.client.NodeAddress;
import io.theseus.client.Producer;
import io.theseus.client.PutRequest;
import io.theseus.client.SessionInfo;
import io.theseus.client.TheseusClient;
import io.theseus.client.TransferException;
import io.theseus.client.TransferListener;
import io.theseus.client.TransferResult;
import io.theseus.wire.FileName;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * The demonstration: steps, one after another, on a stage that they share. A step that is to be
 * added is a method and a line in {@link #play}.
 */
final class Demo implements AutoCloseable {
  /** Files below this would be through before a kill could hit them. */
  static final long LEAST_BYTES = 16L << 20;

  /** How many times the content of one file is on the disk at the end. */
  static final int COPIES = 6;

  /** What is left free beside that. */
  static final long SPARE_BYTES = 256L << 20;

  /** From when code is switched, and from when the node may be killed. */
  private static final double SWITCH_FROM = 0.05;

  private static final double KILL_FROM = 0.3;

  /** From when on, and by how much, transfers wait for a kill that a slow machine brings late. */
  private static final double SLOW_FROM = 0.4;

  private static final long SLOWER = 32;
  private static final long LOOK_MILLIS = 20;
  private static final Duration LIMIT = Duration.ofMinutes(3);
  private static final Duration DOWN = Duration.ofSeconds(1);
  private static final FileName GOT = new FileName("demo/down.bin");
  private static final FileName PUT = new FileName("demo/up.bin");

  private final Streams streams;
  private final Screen screen;
  private final boolean bars;
  private final Path directory;
  private final long sizeBytes;
  private final long rateBytes;
  private final long seed;
  private final boolean keep;
  private final DemoCluster cluster;
  private final NodeProcess node;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final long beganNanos = System.nanoTime();
  private final List<Transfer> transfers = new CopyOnWriteArrayList<>();

  private NodeProcess copier;
  private Optional<Move> move = Optional.empty();
  private int steps;
  private boolean cleaned;
  private volatile boolean interrupted;

  Demo(Streams streams, Path directory, long sizeBytes, long rateBytes, long seed, boolean keep) {
    this.streams = streams;
    this.directory = directory;
    this.sizeBytes = sizeBytes;
    this.rateBytes = rateBytes;
    this.seed = seed;
    this.keep = keep;
    bars = streams.outIsTerminal() && streams.errIsTerminal();
    screen = new Screen(streams.out(), streams.columns(), bars);
    cluster = new DemoCluster(directory);
    node = cluster.first();
    copier = node; // nobody yet
  }

  /** A step of the demonstration; throws where what it shows isn't so. */
  @FunctionalInterface
  private interface Step {
    void run()
        throws IOException,
            InterruptedException,
            TimeoutException,
            ExecutionException,
            TransferException,
            DemoException;
  }

  /** What was to be shown isn't so. */
  private static final class DemoException extends Exception {
    private static final long serialVersionUID = 1L;

    DemoException(String message) {
      super(message);
    }
  }

  /**
   * The copy moved.
   *
   * @param from the node that had it
   * @param bytes that had come to that one
   */
  private record Move(NodeProcess from, long bytes) {}

  /** Plays all steps, prints the summary and cleans up, whatever happens. */
  ExitCode run() {
    try (this;
        Interrupt interrupt = Interrupt.running(this::interrupt)) {
      return play(interrupt); // and what it says is said before the interrupt is told so
    }
  }

  private ExitCode play(Interrupt interrupt) {
    try {
      step("Making two files of " + Display.size(sizeBytes) + " (seed " + seed + ")", this::input);
      step("Starting three nodes of one cluster, a process each", this::start);
      step("Getting one file from node1 and putting the other there, both at once", this::begin);
      step("Editing the code that moves them, and pushing it into both", this::upgrade);
      step("Taking it back", this::undo);
      step("Moving the copy to the other node while the upload goes on", this::move);
      step("Killing node1 in the middle with kill -9, and starting it again", this::kill);
      step("Both transfers go on by themselves", this::finish);
      step("Comparing SHA-256 of the files on the disks of all nodes", this::compare);
      summary();
      return interrupt.happened() ? ExitCode.INTERRUPTED : ExitCode.OK;
    } catch (DemoException | IOException | TimeoutException e) {
      return failed(String.valueOf(e.getMessage()));
    } catch (TransferException e) {
      return failed(String.valueOf(e.getMessage()));
    } catch (ExecutionException e) {
      return failed(String.valueOf(e.getCause()));
    } catch (InterruptedException | CancellationException e) {
      Thread.currentThread().interrupt();
      return failed("interrupted");
    }
  }

  private ExitCode failed(String message) {
    if (interrupted) {
      say("Interrupted; cleaning up.");
      return ExitCode.INTERRUPTED;
    }
    say("FAILED: " + Display.name(message).replace("\\u000A", "\n"));
    for (NodeProcess each : cluster.nodes()) {
      say("The end of the log of " + each.id() + ":\n" + each.lastLog());
    }
    return ExitCode.INTERNAL;
  }

  private void step(String title, Step step)
      throws IOException,
          InterruptedException,
          TimeoutException,
          ExecutionException,
          TransferException,
          DemoException {
    say(String.format(Locale.ROOT, "%5s  %d. %s", clock(), ++steps, title));
    step.run();
  }

  // ---- the steps

  private void input() throws IOException, InterruptedException, ExecutionException {
    Files.createDirectories(node.files().resolve("demo"));
    Transfer get = new Transfer("get", GOT, served(), directory.resolve("down.bin"));
    Transfer put = new Transfer("put", PUT, directory.resolve("up.bin"), stored(node));
    Future<?> first =
        threads.submit(
            () -> {
              random(get.source, sizeBytes, seed);
              return get;
            });
    random(put.source, sizeBytes, seed + 1);
    first.get();
    transfers.add(get);
    transfers.add(put);
  }

  private void start()
      throws IOException, InterruptedException, TimeoutException, ExecutionException {
    cluster.start(threads);
    detail(
        cluster.nodes().stream()
            .map(each -> each.id() + " " + each.address())
            .collect(Collectors.joining(", ")));
  }

  private void begin() throws IOException, InterruptedException, TimeoutException, DemoException {
    String rate = Display.size(rateBytes).replaceAll("(\\.0)? ([KMGT])iB$", "$2");
    detail("theseus get " + GOT + " --limit-rate " + rate);
    detail("theseus put up.bin " + PUT + " --limit-rate " + rate);
    for (Transfer transfer : transfers) {
      transfer.begin();
    }
    awaitShare(SWITCH_FROM);
    copier = awaitCopier(each -> true);
    detail(copier.id() + " copies what is put, while it comes");
  }

  /** Waits until one node alone makes a copy of the upload, the right one. */
  private NodeProcess awaitCopier(Predicate<NodeProcess> right)
      throws IOException, InterruptedException, TimeoutException, DemoException {
    long until = System.nanoTime() + LIMIT.toNanos();
    while (true) {
      Optional<NodeProcess> found = cluster.copier().filter(right);
      if (found.isPresent()) {
        return found.get();
      }
      transfers.get(1).checkRunning();
      if (System.nanoTime() > until) {
        throw new TimeoutException("no node has the copy of the upload (expected: one)");
      }
      TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
    }
  }

  private void awaitShare(double share)
      throws InterruptedException, TimeoutException, DemoException {
    for (Transfer transfer : transfers) {
      transfer.await(() -> transfer.acknowledged >= share * sizeBytes, "stands at ");
      transfer.checkRunning();
    }
  }

  private void upgrade() throws IOException, InterruptedException, TimeoutException, DemoException {
    Path source = DemoModules.writeChannel(directory);
    detail("theseus admin upgrade " + source.getFileName());
    if (isPossible()) {
      DemoModules modules = new DemoModules(node.run());
      awaitConfirmed(modules, modules.upgrade(source));
      awaitModule(DemoModules.CHANNEL);
    }
  }

  private void undo() throws IOException, InterruptedException, TimeoutException, DemoException {
    detail("theseus admin undo");
    if (isPossible()) {
      DemoModules modules = new DemoModules(node.run());
      awaitConfirmed(modules, modules.undo());
      awaitModule("standard@");
    }
  }

  private void move() throws IOException, InterruptedException, TimeoutException, DemoException {
    NodeProcess from = copier;
    NodeProcess to = cluster.other(from);
    Path source = DemoModules.writePolicy(directory, to.id());
    detail("theseus admin upgrade " + source.getFileName());
    if (isPossible()) {
      DemoModules modules = new DemoModules(node.run());
      awaitConfirmed(modules, modules.upgrade(source));
      copier = awaitCopier(to::equals);
      move = Optional.of(new Move(from, cluster.copied(from)));
      detail(
          to.id()
              + " has fetched all of it, "
              + Display.size(cluster.copied(to))
              + "; "
              + from.id()
              + " has let go of it");
      awaitMark();
    }
    awaitShare(KILL_FROM);
  }

  /** Where the copy is stands in the journal with the next bytes that are acknowledged. */
  private void awaitMark() throws InterruptedException, TimeoutException {
    Transfer put = transfers.get(transfers.size() - 1);
    long sent = put.transferred;
    put.await(() -> put.acknowledged > sent, "acknowledged nothing more behind ");
  }

  private boolean isPossible() {
    if (DemoModules.arePossible()) {
      return true;
    }
    detail("left out: this Java has no compiler (a JDK has one)");
    return false;
  }

  private static void awaitConfirmed(DemoModules modules, Operations.ActView act)
      throws IOException, InterruptedException, TimeoutException, DemoException {
    long until = System.nanoTime() + LIMIT.toNanos();
    Operations.ActView seen = act;
    while (!seen.phase().isOver()) {
      if (System.nanoTime() > until) {
        throw new TimeoutException(act.what() + " is " + seen.phase());
      }
      TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
      seen = modules.act(act);
    }
    if (seen.phase() != Operations.Phase.CONFIRMED) {
      throw new DemoException(act.what() + ": " + seen.phase() + ": " + seen.reason());
    }
  }

  /** Waits until both transfers go on by this code. */
  private void awaitModule(String module) throws InterruptedException, TimeoutException {
    for (Transfer transfer : transfers) {
      transfer.await(() -> transfer.module.startsWith(module), "runs " + transfer.module + " at ");
      detail(
          String.format(
              Locale.ROOT,
              "%s: goes on under %s at %s",
              transfer.verb,
              transfer.module,
              Display.size(transfer.moduleAt)));
    }
  }

  private void kill() throws IOException, InterruptedException, TimeoutException, DemoException {
    long pid = node.pid();
    node.kill();
    for (Transfer transfer : transfers) {
      transfer.killedAt = transfer.acknowledged;
      if (transfer.killedAt <= 0 || transfer.killedAt >= sizeBytes || transfer.isDone()) {
        throw new DemoException(
            "the kill came at "
                + transfer.killedAt
                + " acknowledged bytes of the "
                + transfer.verb
                + " (expected: more than 0 and less than "
                + sizeBytes
                + ")");
      }
      transfer.killed = true;
    }
    detail("kill -9 " + pid);
    for (Transfer transfer : transfers) {
      detail(
          String.format(
              Locale.ROOT,
              "%s: %s acknowledged of %s",
              transfer.verb,
              Display.size(transfer.killedAt),
              Display.size(sizeBytes)));
    }
    // long enough to see what a client says meanwhile
    TimeUnit.MILLISECONDS.sleep(DOWN.toMillis());
    long began = System.nanoTime();
    node.start();
    detail(
        "process "
            + node.pid()
            + ", same port, serves after "
            + Display.took(Duration.ofNanos(System.nanoTime() - began)));
  }

  private void finish()
      throws InterruptedException,
          TimeoutException,
          ExecutionException,
          TransferException,
          DemoException {
    for (Transfer transfer : transfers) {
      transfer.finish();
    }
    for (Transfer transfer : transfers) {
      TransferResult result = transfer.result();
      if (result.reconnects() < 1) {
        throw new DemoException(
            transfer.verb + ": no reconnect (expected: at least one, the node was killed)");
      }
      if (transfer.wentOnAt < transfer.killedAt) {
        throw new DemoException(
            transfer.verb
                + " went on at "
                + transfer.wentOnAt
                + " (expected: at least the "
                + transfer.killedAt
                + " acknowledged before the kill)");
      }
    }
  }

  private void compare() throws InterruptedException, ExecutionException, DemoException {
    Transfer put = transfers.get(1);
    List<Future<String>> hashes = new ArrayList<>();
    for (Transfer transfer : transfers) {
      hashes.add(threads.submit(() -> sha256(transfer.source)));
      hashes.add(threads.submit(() -> sha256(transfer.target)));
    }
    hashes.add(threads.submit(() -> sha256(stored(copier))));
    for (int i = 0; i < transfers.size(); i++) {
      Transfer transfer = transfers.get(i);
      transfer.sourceHash = hashes.get(2 * i).get();
      checkHash(transfer, transfer.verb, hashes.get(2 * i + 1).get());
    }
    checkHash(put, "copy on " + copier.id(), hashes.get(2 * transfers.size()).get());
    Path left = stored(cluster.other(copier));
    if (Files.exists(left)) {
      throw new DemoException(left + " is there (expected: copies on " + copier.id() + " alone)");
    }
  }

  private static void checkHash(Transfer transfer, String what, String hash) throws DemoException {
    if (!transfer.sourceHash.equals(hash)) {
      throw new DemoException(
          what + ": SHA-256 " + hash + " (expected: " + transfer.sourceHash + ")");
    }
  }

  private void summary() throws TransferException, IOException {
    String row = "    %-4s %10s %10s %11s %11s %7s  %s%n";
    StringBuilder out = new StringBuilder("\n");
    out.append(
        String.format(row, "", "size", "killed at", "went on at", "reconnects", "time", "SHA-256"));
    for (Transfer transfer : transfers) {
      out.append(
          String.format(
              row,
              transfer.verb,
              Display.size(sizeBytes),
              Display.size(transfer.killedAt),
              Display.size(transfer.wentOnAt),
              transfer.result().reconnects(),
              Display.took(transfer.result().took()),
              equal(transfer)));
    }
    String place = "on " + copier.id();
    out.append(
        String.format(
            row, "copy", Display.size(sizeBytes), place, "", "", "", equal(transfers.get(1))));
    out.append('\n').append(story().indent(4).stripTrailing());
    say(out.toString());
    say(
        String.format(
            Locale.ROOT,
            "%5s  Done. Try it yourself: theseus node, theseus put FILE, theseus get NAME.",
            clock()));
  }

  private static String equal(Transfer transfer) {
    return transfer.sourceHash.substring(0, 8) + " equal";
  }

  /** What happened, in lines that fit. */
  private String story() throws IOException {
    String came = Display.size(cluster.copied(copier));
    if (move.isEmpty()) {
      return """
             Both transfers survived the end of their node, and every byte is right.
             The upload has a copy on %s: %s came to it."""
          .formatted(copier.id(), came);
    }
    Move moved = move.get();
    return """
           Both transfers changed their code twice and survived the end of their node,
           and every byte is right. The upload's copy was on %1$s, moved meanwhile,
           and is on %2$s: %3$s came to %1$s before, %4$s to %2$s.
           Nothing of it is left on %1$s."""
        .formatted(moved.from().id(), copier.id(), Display.size(moved.bytes()), came);
  }

  // ---- around them

  private Path served() {
    return node.files().resolve(GOT.value());
  }

  private static Path stored(NodeProcess on) {
    return on.files().resolve(PUT.value());
  }

  private void say(String text) {
    screen.print(text);
  }

  private void detail(String text) {
    say("          " + text);
  }

  private String clock() {
    return Display.clock(Duration.ofNanos(System.nanoTime() - beganNanos).toSeconds());
  }

  private static void random(Path file, long bytes, long seed) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    byte[] block = new byte[1 << 20];
    try (OutputStream out = Files.newOutputStream(file)) {
      for (long left = bytes; left > 0; left -= block.length) {
        random.nextBytes(block);
        out.write(block, 0, (int) Math.min(left, block.length));
      }
    }
  }

  private static String sha256(Path file) throws IOException {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
    byte[] buffer = new byte[1 << 18];
    try (InputStream in = Files.newInputStream(file)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private void interrupt() {
    interrupted = true;
    transfers.forEach(Transfer::cancel);
    close();
  }

  /** Ends everything that was started and removes everything that was made. */
  @Override
  public synchronized void close() {
    if (cleaned) {
      return;
    }
    cleaned = true;
    transfers.forEach(Transfer::cancel);
    threads.shutdownNow();
    cluster.close();
    try {
      threads.awaitTermination(5, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (keep) {
      say("Left for you to look at: " + directory);
    } else {
      delete();
    }
    screen.close();
  }

  private void delete() {
    try {
      Files.walkFileTree(
          directory,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.delete(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(
                Path visited, @org.jspecify.annotations.Nullable IOException failure)
                throws IOException {
              Files.delete(visited);
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      say("Could not remove " + directory + ": " + Failure.reason(e));
    }
  }

  /** One of the two transfers. */
  private final class Transfer {
    private final String verb;
    private final FileName name;
    private final Path source;
    private final Path target;
    private volatile long transferred;
    private volatile long acknowledged;
    private volatile String module = "";
    private volatile long moduleAt;
    private volatile boolean killed;
    private volatile long killedAt = -1;
    private volatile long wentOnAt = -1;
    private volatile @org.jspecify.annotations.Nullable Future<TransferResult> running;
    private volatile @org.jspecify.annotations.Nullable TheseusClient client;
    private String sourceHash = "";

    Transfer(String verb, FileName name, Path source, Path target) {
      this.verb = verb;
      this.name = name;
      this.source = source;
      this.target = target;
    }

    void begin() {
      ClientSettings.Builder settings = ClientSettings.builder(NodeAddress.parse(node.address()));
      // a small window, or it would hardly be slower for a while
      RateLimit.configure(settings, rateBytes / 4);
      TheseusClient opened = new TheseusClient(settings.build());
      client = opened;
      running = threads.submit(() -> transfer(opened));
    }

    private long rate() {
      return killed || transferred < SLOW_FROM * sizeBytes ? rateBytes : rateBytes / SLOWER;
    }

    private TransferResult transfer(TheseusClient opened) throws TransferException {
      boolean get = verb.equals("get");
      try (opened;
          Progress progress =
              bars
                  ? Progress.bar(screen, verb, streams.unicode(), text -> detail(text))
                  : Progress.lines(text -> detail(text), verb, Duration.ofSeconds(5))) {
        TransferListener shown =
            progress.file(get ? Progress.Direction.GET : Progress.Direction.PUT);
        Watch watch = new Watch(shown, progress);
        TransferListener listener = new RateLimit(watch, new RateLimit.Pace(this::rate));
        TransferResult result =
            get
                ? opened.get(GetRequest.of(name), Consumer.file(target), listener)
                : opened.put(PutRequest.of(name), Producer.file(source), listener);
        progress.say(
            "Complete, "
                + Display.size(result.sizeBytes())
                + " in "
                + Display.took(result.took())
                + ".");
        return result;
      }
    }

    /** Waits for something that comes as long as it runs. */
    void await(BooleanSupplier so, String otherwise) throws InterruptedException, TimeoutException {
      long until = System.nanoTime() + LIMIT.toNanos();
      while (!so.getAsBoolean() && !isDone()) {
        if (System.nanoTime() > until) {
          throw new TimeoutException(verb + " " + otherwise + Display.size(acknowledged));
        }
        TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
      }
    }

    boolean isDone() {
      Future<TransferResult> future = running;
      return future != null && future.isDone();
    }

    void checkRunning() throws DemoException {
      if (isDone()) {
        throw new DemoException(
            verb + " ended before the kill (expected: still running): " + outcome());
      }
    }

    private String outcome() {
      try {
        return String.valueOf(result());
      } catch (TransferException e) {
        return String.valueOf(e.getMessage());
      }
    }

    void finish()
        throws InterruptedException, TimeoutException, ExecutionException, TransferException {
      Future<TransferResult> future = running;
      if (future == null) {
        throw new IllegalStateException("not begun");
      }
      try {
        future.get(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
      } catch (ExecutionException e) {
        if (e.getCause() instanceof TransferException transfer) {
          throw transfer;
        }
        throw e;
      } catch (TimeoutException e) {
        throw new TimeoutException(
            verb
                + " stands at "
                + Display.size(acknowledged)
                + " after "
                + LIMIT.toMinutes()
                + " minutes");
      }
    }

    /** The result of a transfer that has ended. */
    TransferResult result() throws TransferException {
      Future<TransferResult> future = running;
      if (future == null || !future.isDone()) {
        throw new IllegalStateException("not ended");
      }
      try {
        return future.get();
      } catch (ExecutionException e) {
        if (e.getCause() instanceof TransferException transfer) {
          throw transfer;
        }
        throw new IllegalStateException(e.getCause());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(e);
      }
    }

    void cancel() {
      TheseusClient opened = client;
      if (opened != null) {
        opened.close();
      }
    }

    /** Notes where the transfer stands. */
    private final class Watch extends ForwardingListener {
      private final Progress shown;
      private boolean readyAgain;

      Watch(TransferListener listener, Progress shown) {
        super(listener);
        this.shown = shown;
      }

      @Override
      public void ready(SessionInfo session) {
        readyAgain = killed;
        super.ready(session);
      }

      @Override
      public void resumed(String by) {
        moduleAt = acknowledged;
        module = by;
        shown.state(by); // and not that it goes on: a step says that, and where
      }

      @Override
      public void progress(long moved, long told, OptionalLong size) {
        if (readyAgain && wentOnAt < 0 && moved > 0) {
          // the first that is known after the reconnect: what both sides agreed to go on with
          wentOnAt = told;
        }
        transferred = moved;
        acknowledged = told;
        super.progress(moved, told, size);
      }
    }
  }
}
