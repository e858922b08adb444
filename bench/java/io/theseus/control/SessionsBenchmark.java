package io.theseus.control;

import io.theseus.backup.Replication;
import io.theseus.channel.Range;
import io.theseus.names.Place;
import io.theseus.session.Grant;
import io.theseus.session.Ready;
import io.theseus.session.Report;
import io.theseus.session.SessionLink;
import io.theseus.steps.Steps;
import io.theseus.store.Completed;
import io.theseus.store.StoredFile;
import io.theseus.wire.ClientMessage;
import io.theseus.wire.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Sessions without a mark, opened and closed by the actors alone: control, session, worker, and a
 * tiny file that is really opened, but no socket. The journal must stay untouched.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 10, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class SessionsBenchmark {
  static final int SESSIONS = 2000;

  /** Sessions that are open at once. */
  private static final int AT_ONCE = 256;

  private @Nullable Path directory;
  private @Nullable TestNode node;
  private final ClientMessage.Command command = TestNode.command("GET tiny\nWindow: 100\n");

  /** Starts the actors. */
  @Setup
  public void start() throws IOException {
    Path made = Files.createTempDirectory("sessions-benchmark");
    directory = made;
    TestNode started = new TestNode(made, Steps.NONE, TestNode.unhurried());
    started.write("tiny", 100);
    node = started;
  }

  /** Ends them, and fails where anything is left or the journal was touched. */
  @TearDown
  public void stop() throws IOException {
    try (TestNode stopping = node()) {
      stopping.awaitNoSession();
      long batches = stopping.journalBatches();
      if (batches != 0 || !stopping.openSessions().isEmpty()) {
        throw new IllegalStateException("journal batches: " + batches + " (expected: 0)");
      }
    }
    try (var files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  /** Opens and closes sessions. */
  @Benchmark
  @OperationsPerInvocation(SESSIONS)
  public void openAndClose() throws InterruptedException {
    Semaphore room = new Semaphore(AT_ONCE);
    Control control = node().control();
    for (int i = 0; i < SESSIONS; i++) {
      room.acquire();
      control.open(new Link(room), command);
    }
    room.acquire(AT_ONCE);
  }

  TestNode node() {
    if (node == null) {
      throw new IllegalStateException("not started");
    }
    return node;
  }

  /** A connection whose client has read and acknowledged all as soon as it is granted. */
  private static final class Link implements SessionLink {
    private final Semaphore room;
    private volatile @Nullable Runnable wake;
    private volatile @Nullable Report slot;
    private @Nullable StoredFile file;

    Link(Semaphore room) {
      this.room = room;
    }

    @Override
    public int lane() {
      return 0;
    }

    @Override
    public String remote() {
      return "benchmark";
    }

    @Override
    public void onReport(Runnable listener) {
      wake = listener;
    }

    @Override
    public void onSwitch(LongSupplier generation, Runnable due) {
      // none is switched
    }

    @Override
    public @Nullable Report drain() {
      Report report = slot;
      slot = null;
      return report;
    }

    @Override
    public synchronized void ready(Ready ready) {
      file = ((Ready.ReadyGet) ready).file();
    }

    @Override
    public synchronized void grant(Grant grant) {
      StoredFile opened = file;
      if (opened == null) {
        throw new IllegalStateException("granted before READY, or twice");
      }
      file = null;
      opened.close();
      long end = grant.range().end();
      slot =
          new Report(
              grant.workerGeneration(),
              grant.seekEpoch(),
              end,
              end,
              end,
              /* granted= */ end,
              /* checkpoint= */ 0,
              /* finished= */ true,
              Optional.empty(),
              /* held= */ false,
              /* changed= */ false,
              /* closure= */ null);
      Runnable listener = wake;
      if (listener != null) {
        listener.run();
      }
      room.release();
    }

    @Override
    public void hold() {
      throw new IllegalStateException("held");
    }

    @Override
    public void swap(long workerGeneration, String module, boolean keep, boolean tell) {
      throw new IllegalStateException("a worker has died");
    }

    @Override
    public void succeed(long workerGeneration, String module, long seekEpoch, List<Range> ranges) {
      throw new IllegalStateException("code was switched");
    }

    @Override
    public @Nullable Report stands() {
      return null;
    }

    @Override
    public void revoke(long workerGeneration) {
      throw new IllegalStateException("a worker grants nothing");
    }

    @Override
    public void copies(Replication.Whole whole) {
      throw new IllegalStateException("not a PUT");
    }

    @Override
    public void durable(long offset) {
      throw new IllegalStateException("not a PUT");
    }

    @Override
    public void complete(Completed completed) {
      throw new IllegalStateException("not a PUT");
    }

    @Override
    public void restart(StoredFile reopened, long workerGeneration) {
      throw new IllegalStateException("the file has changed");
    }

    @Override
    public void migrate(UUID session, Place place) {
      throw new IllegalStateException("at " + place);
    }

    @Override
    public void fail(ErrorCode code, String message) {
      throw new IllegalStateException(code.label() + ": " + message);
    }
  }

  /** Runs it; {@code --quick} for a look. */
  public static void main(String[] arguments) throws RunnerException {
    ChainedOptionsBuilder options = new OptionsBuilder().include(SessionsBenchmark.class.getName());
    if (Arrays.asList(arguments).contains("--quick")) {
      options
          .warmupIterations(2)
          .warmupTime(TimeValue.seconds(1))
          .measurementIterations(2)
          .measurementTime(TimeValue.seconds(1));
    }
    new Runner(options.build()).run();
  }
}
