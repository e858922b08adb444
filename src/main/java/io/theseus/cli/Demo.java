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

/**
 * The demonstration: steps, one after another, on a stage that they share. A step that is to be
 * added (backups) is a method and a line in {@link #run}.
 */
final class Demo implements AutoCloseable {
  /** Files below this would be through before a kill could hit them. */
  static final long LEAST_BYTES = 16L << 20;

  /** How many times the content of one file is on the disk at the end. */
  static final int COPIES = 4;

  /** What is left free beside that. */
  static final long SPARE_BYTES = 256L << 20;

  /** From when code is switched, and from when the node may be killed. */
  private static final double SWITCH_FROM = 0.05;

  private static final double KILL_FROM = 0.3;
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
  private final NodeProcess node;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final long beganNanos = System.nanoTime();
  private final List<Transfer> transfers = new CopyOnWriteArrayList<>();

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
    node = new NodeProcess("demo", directory.resolve("node"));
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
      step("Starting a node in a process of its own", this::start);
      step("Getting one file and putting the other, both at once", this::begin);
      step("Editing the code that moves them, and pushing it into both", this::upgrade);
      step("Taking it back", this::undo);
      step("Killing the node in the middle with kill -9, and starting it again", this::kill);
      step("Both transfers go on by themselves", this::finish);
      step("Comparing SHA-256 of the files on disk", this::compare);
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
    say("The end of the node's log:\n" + node.lastLog());
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
    Transfer put = new Transfer("put", PUT, directory.resolve("up.bin"), stored());
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

  private void start() throws IOException, InterruptedException, TimeoutException {
    node.start();
    detail("process " + node.pid() + ", packets at " + node.address());
  }

  private void begin() throws InterruptedException, TimeoutException, DemoException {
    String rate = Display.size(rateBytes).replaceAll("(\\.0)? ([KMGT])iB$", "$2");
    detail("theseus get " + GOT + " --limit-rate " + rate);
    detail("theseus put up.bin " + PUT + " --limit-rate " + rate);
    for (Transfer transfer : transfers) {
      transfer.begin();
    }
    awaitShare(SWITCH_FROM);
  }

  private void awaitShare(double share)
      throws InterruptedException, TimeoutException, DemoException {
    for (Transfer transfer : transfers) {
      transfer.await(() -> transfer.acknowledged >= share * sizeBytes, "stands at ");
      transfer.checkRunning();
    }
  }

  private void upgrade() throws IOException, InterruptedException, TimeoutException, DemoException {
    Path source = DemoChannel.write(directory);
    detail("theseus admin upgrade " + source);
    DemoChannel channel = new DemoChannel(node.run(), source);
    if (channel.isPossible()) {
      act(channel.upgrade(), channel, channel.module());
    } else {
      detail("left out: this Java has no compiler (a JDK has one)");
    }
  }

  private void undo() throws IOException, InterruptedException, TimeoutException, DemoException {
    DemoChannel channel = new DemoChannel(node.run(), directory);
    if (channel.isPossible()) {
      detail("theseus admin undo");
      act(channel.undo(), channel, "standard@");
    }
    awaitShare(KILL_FROM);
  }

  /** Waits until an act is over, and both transfers go on by the code that it brought. */
  private void act(Operations.ActView act, DemoChannel channel, String module)
      throws IOException, InterruptedException, TimeoutException, DemoException {
    long until = System.nanoTime() + LIMIT.toNanos();
    Operations.ActView seen = act;
    while (!seen.phase().isOver()) {
      if (System.nanoTime() > until) {
        throw new TimeoutException(act.what() + " is " + seen.phase());
      }
      TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
      seen = channel.act(act);
    }
    if (seen.phase() != Operations.Phase.CONFIRMED) {
      throw new DemoException(act.what() + ": " + seen.phase() + ": " + seen.reason());
    }
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
    List<Future<String>> hashes = new ArrayList<>();
    for (Transfer transfer : transfers) {
      hashes.add(threads.submit(() -> sha256(transfer.source)));
      hashes.add(threads.submit(() -> sha256(transfer.target)));
    }
    for (int i = 0; i < transfers.size(); i++) {
      Transfer transfer = transfers.get(i);
      transfer.sourceHash = hashes.get(2 * i).get();
      transfer.targetHash = hashes.get(2 * i + 1).get();
    }
    for (Transfer transfer : transfers) {
      if (!transfer.sourceHash.equals(transfer.targetHash)) {
        throw new DemoException(
            transfer.verb
                + ": SHA-256 "
                + transfer.targetHash
                + " (expected: "
                + transfer.sourceHash
                + ")");
      }
    }
  }

  private void summary() throws TransferException {
    StringBuilder out = new StringBuilder("\n");
    out.append(
        String.format(
            "       %-5s %10s %12s %12s %11s %8s  %s%n",
            "", "size", "killed at", "went on at", "reconnects", "time", "SHA-256"));
    for (Transfer transfer : transfers) {
      out.append(
          String.format(
              Locale.ROOT,
              "       %-5s %10s %12s %12s %11d %8s  %s... equal%n",
              transfer.verb,
              Display.size(sizeBytes),
              Display.size(transfer.killedAt),
              Display.size(transfer.wentOnAt),
              transfer.result().reconnects(),
              Display.took(transfer.result().took()),
              transfer.sourceHash.substring(0, 12)));
    }
    out.append(
        "\n       Both transfers changed their code twice and survived the end of the node, and"
            + "\n       every byte is right.");
    say(out.toString());
    say(
        String.format(
            Locale.ROOT,
            "%5s  Done. Try it yourself: theseus node, theseus put FILE, theseus get NAME.",
            clock()));
  }

  // ---- around them

  private Path served() {
    return node.files().resolve(GOT.value());
  }

  private Path stored() {
    return node.files().resolve(PUT.value());
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
    node.close();
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
    private volatile long acknowledged;
    private volatile String module = "";
    private volatile long moduleAt;
    private volatile boolean killed;
    private volatile long killedAt = -1;
    private volatile long wentOnAt = -1;
    private volatile @org.jspecify.annotations.Nullable Future<TransferResult> running;
    private volatile @org.jspecify.annotations.Nullable TheseusClient client;
    private String sourceHash = "";
    private String targetHash = "";

    Transfer(String verb, FileName name, Path source, Path target) {
      this.verb = verb;
      this.name = name;
      this.source = source;
      this.target = target;
    }

    void begin() {
      ClientSettings.Builder settings = ClientSettings.builder(NodeAddress.parse(node.address()));
      RateLimit.configure(settings, rateBytes);
      TheseusClient opened = new TheseusClient(settings.build());
      client = opened;
      running = threads.submit(() -> transfer(opened));
    }

    private TransferResult transfer(TheseusClient opened) throws TransferException {
      boolean get = verb.equals("get");
      String label = verb + " " + name;
      try (opened;
          Progress progress =
              bars
                  ? Progress.bar(screen, label, streams.unicode())
                  : Progress.lines(text -> detail(text), label, Duration.ofSeconds(5))) {
        TransferListener shown =
            progress.file(get ? Progress.Direction.GET : Progress.Direction.PUT);
        TransferListener listener = new RateLimit(new Watch(shown), new RateLimit.Pace(rateBytes));
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
      private boolean readyAgain;

      Watch(TransferListener listener) {
        super(listener);
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
        super.resumed(by);
      }

      @Override
      public void progress(long transferred, long told, OptionalLong size) {
        if (readyAgain && wentOnAt < 0 && transferred > 0) {
          // the first that is known after the reconnect: what both sides agreed to go on with
          wentOnAt = told;
        }
        acknowledged = told;
        super.progress(transferred, told, size);
      }
    }
  }
}
