package io.theseus.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.admin.NodeStatus;
import io.theseus.admin.Operations;
import io.theseus.admin.jmx.RunFile;
import io.theseus.admin.jmx.RunRegistry;
import io.theseus.admin.jmx.StatusClient;
import io.theseus.steps.Steps;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A node in a process of its own, run from the jar: started, killed, paused, started again.
 *
 * <p>Everything of it lives in one directory: {@code data/}, {@code node.log} (both outputs, all
 * starts), {@code halt} (where to die, see {@link #haltAt}). The first start takes free ports, a
 * later one the same port for clients. {@link #close} always leaves no process behind; so does the
 * end of the test's JVM.
 */
public final class NodeProcess implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofMinutes(4);
  private static final int SIGKILLED = 137;

  private static final List<String> FLAGS =
      Stream.concat(Stream.of("-Xmx320m"), Program.START_FAST.stream()).toList();

  private final Path directory;
  private final Surroundings surroundings;
  private final List<String> settings;
  private final Thread atExit = new Thread(this::destroy, "node-process-end");
  private volatile @Nullable Process process;
  private @Nullable InetSocketAddress address;
  private int starts;

  private NodeProcess(Path directory, Surroundings surroundings, List<String> settings) {
    this.directory = directory;
    this.surroundings = surroundings;
    this.settings = settings;
  }

  /**
   * Starts a node and waits until it serves clients.
   *
   * @param settings {@code key=value}, as for {@code --set}
   */
  public static NodeProcess start(Path directory, String... settings) {
    return start(directory, Surroundings.ORDINARY, settings);
  }

  /** The same, in other surroundings. */
  public static NodeProcess start(Path directory, Surroundings surroundings, String... settings) {
    return start(directory, surroundings, settings, made -> {});
  }

  /**
   * The same.
   *
   * @param onMade gets it before it has started
   */
  static NodeProcess start(
      Path directory, Surroundings surroundings, String[] settings, Consumer<NodeProcess> onMade) {
    NodeProcess node = new NodeProcess(directory, surroundings, List.of(settings));
    onMade.accept(node);
    Runtime.getRuntime().addShutdownHook(node.atExit);
    try {
      Files.createDirectories(directory);
      node.launch(0);
      return node;
    } catch (IOException e) {
      node.close();
      throw new UncheckedIOException(e);
    } catch (RuntimeException | Error e) {
      node.close();
      throw e;
    }
  }

  /**
   * What a node has to live with.
   *
   * @param shell what a shell does before it becomes the node: {@code ulimit -n 300}
   * @param flags of the JVM
   */
  public record Surroundings(String shell, List<String> flags) {
    static final Surroundings ORDINARY = new Surroundings("", FLAGS);

    public static Surroundings shell(String commands) {
      return new Surroundings(commands, FLAGS);
    }

    /** A JVM with these flags behind the usual ones. */
    public static Surroundings flags(String... flags) {
      return jvm(Stream.concat(FLAGS.stream(), Stream.of(flags)).toList());
    }

    /** A JVM with these flags alone, as for a measurement. */
    public static Surroundings jvm(List<String> flags) {
      return new Surroundings("", flags);
    }
  }

  /** A node that is expected not to start: what it exits with, and all that it says. */
  public record Refusal(int exitCode, String output) {}

  /** Starts a node that ends by itself. */
  public static Refusal refused(Path directory, Path dataDir, String... settings) {
    return refused(directory, Surroundings.ORDINARY, dataDir, settings);
  }

  /** The same, in other surroundings. */
  public static Refusal refused(
      Path directory, Surroundings surroundings, Path dataDir, String... settings) {
    try {
      Files.createDirectories(directory);
      Path log = directory.resolve("refused.log");
      Files.deleteIfExists(log);
      Process refused = begin(directory, surroundings, dataDir, log, List.of(settings));
      try {
        assertThat(refused.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
            .as("the node ends by itself; it said:%n%s", Files.readString(log))
            .isTrue();
        return new Refusal(refused.exitValue(), Files.readString(log));
      } finally {
        refused.destroyForcibly();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /**
   * Starts any other command of the program.
   *
   * @param directory where it works
   * @param log gets both outputs
   */
  public static Process program(Path directory, Path log, String... arguments) throws IOException {
    return program(directory, Surroundings.ORDINARY, log, List.of(arguments));
  }

  private static Process program(
      Path directory, Surroundings surroundings, Path log, List<String> arguments)
      throws IOException {
    ProcessBuilder builder =
        Program.command(directory, surroundings.flags, arguments)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    if (!surroundings.shell.isEmpty()) {
      List<String> command =
          new ArrayList<>(List.of("sh", "-c", surroundings.shell + " && exec \"$@\"", "sh"));
      command.addAll(builder.command());
      builder.command(command);
    }
    builder.environment().put(Steps.HALT_AT, "@" + directory.resolve("halt"));
    return builder.start();
  }

  // ---- what it is

  /** Where clients connect. */
  public InetSocketAddress address() {
    InetSocketAddress known = address;
    if (known == null) {
      throw new IllegalStateException("the node was not started");
    }
    return known;
  }

  public Path dataDir() {
    return directory.resolve("data");
  }

  /** The directory that is served. */
  public Path files() {
    return dataDir().resolve("files");
  }

  /** Where unfinished uploads are. */
  public Path staging() {
    return files().resolve(".theseus-staging");
  }

  public Path journal() {
    return dataDir().resolve("journal");
  }

  public long pid() {
    return running().pid();
  }

  public boolean isAlive() {
    Process started = process;
    return started != null && started.isAlive();
  }

  /** How many sessions have an actor; one is gone when it has passed its last point. */
  public long liveSessions() {
    return status().sessions().getOrDefault("live", -1L);
  }

  /** What {@code theseus status} shows. */
  public NodeStatus status() {
    RunFile run = RunFile.read(RunFile.in(dataDir())).orElseThrow();
    try {
      return new StatusClient(directory, new RunRegistry(directory.resolve("none")), PATIENCE)
          .status(run);
    } catch (StatusClient.UnreachableException e) {
      throw new AssertionError(e);
    }
  }

  /** What an operator can do there. */
  public Operations operations() {
    RunFile run = RunFile.read(RunFile.in(dataDir())).orElseThrow();
    return StatusClient.operations(run);
  }

  /** All that it said, over all starts. */
  public String log() {
    try {
      return Files.readString(directory.resolve("node.log"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  // ---- what is done to it

  /** Ends it as a power button would: no handler runs. */
  public void kill() {
    running().destroyForcibly();
    awaitDeath();
  }

  /** Waits until it is dead by a kill: ours, or that of {@link #haltAt}. */
  public void awaitDeath() {
    awaitEnd(SIGKILLED);
  }

  /** Waits until it has ended by itself, with this exit code. */
  public void awaitEnd(int exitCode) {
    Process dying = running();
    try {
      assertThat(dying.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
          .as("the node dies within %s; its log ends:%n%s", PATIENCE, tail())
          .isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
    assertThat(dying.exitValue())
        .as("exit code of a dead node; its log ends:%n%s", tail())
        .isEqualTo(exitCode);
  }

  /** Starts it again, on the port that it had (another one where somebody has taken that). */
  public void restart() {
    assertThat(isAlive()).as("the node still runs").isFalse();
    try {
      launch(address().getPort());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** From now on it dies when it passes a point: {@code name} or {@code name:count}. */
  public void haltAt(String point) {
    try {
      Path fresh = Files.writeString(directory.resolve("halt.new"), point);
      Files.move(
          fresh,
          directory.resolve("halt"),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Freezes it, as a long pause of its machine would (SIGSTOP); all its threads stand still. */
  public void pause() {
    signal("STOP");
    Path state = Path.of("/proc/" + pid() + "/stat");
    await("the node stands still")
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(5))
        .until(() -> Files.readString(state).contains(") T "));
  }

  /** Lets it go on. */
  public void resume() {
    signal("CONT");
  }

  /** Asks it to stop in order, and waits. */
  public void stop() {
    running().destroy();
    try {
      assertThat(running().waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
          .as("the node stops in order; its log ends:%n%s", tail())
          .isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    destroy();
    try {
      Runtime.getRuntime().removeShutdownHook(atExit);
    } catch (IllegalStateException e) {
      // the JVM ends: the hook has done it, or does
    }
  }

  private void destroy() {
    Process started = process;
    if (started == null) {
      return;
    }
    started.destroyForcibly();
    try {
      started.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void signal(String name) {
    try {
      Process kill =
          new ProcessBuilder("sh", "-c", "kill -" + name + " " + pid()).inheritIO().start();
      assertThat(kill.waitFor()).as("exit code of kill").isZero();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private Process running() {
    Process started = process;
    if (started == null) {
      throw new IllegalStateException("the node was not started");
    }
    return started;
  }

  // ---- starting

  private void launch(int port) throws IOException {
    haltAt("");
    Optional<RunFile> run = launchOnce(port);
    if (run.isEmpty() && port != 0 && tail().contains("theseus.packets.port")) {
      // while it was dead somebody's connection got the port; clients ask for the address anew
      run = launchOnce(0);
    }
    String packets =
        run.map(RunFile::packets)
            .orElseThrow(() -> new AssertionError("the node did not start:\n" + tail()));
    int colon = packets.lastIndexOf(':');
    address =
        new InetSocketAddress(
            InetAddress.getLoopbackAddress(), Integer.parseInt(packets.substring(colon + 1)));
  }

  /** What the node says of itself once it serves; empty where it has ended instead. */
  private Optional<RunFile> launchOnce(int port) throws IOException {
    List<String> pairs = new ArrayList<>(settings);
    pairs.add("packets.port=" + port);
    Process started =
        begin(
            directory, surroundings, dataDir(), directory.resolve("node.log"), List.copyOf(pairs));
    process = started;
    starts++;
    Path file = RunFile.in(dataDir());
    await("start " + starts + " of the node in " + directory)
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(20))
        .until(() -> !started.isAlive() || isOf(started, RunFile.read(file)));
    return RunFile.read(file).filter(run -> isOf(started, Optional.of(run)));
  }

  /** A file of an earlier start stays behind after a kill. */
  private static boolean isOf(Process started, Optional<RunFile> run) {
    return run.isPresent()
        && run.get().pid() == started.pid()
        && !run.get().packets().isEmpty(); // else it serves no client yet
  }

  private static Process begin(
      Path directory, Surroundings surroundings, Path dataDir, Path log, List<String> settings)
      throws IOException {
    List<String> arguments = new ArrayList<>(List.of("node"));
    List<String> pairs =
        new ArrayList<>(List.of("packets.port=0", "cluster.port=0", "peers.port=0"));
    pairs.add("data-dir=" + dataDir);
    pairs.addAll(settings);
    for (String pair : pairs) {
      arguments.addAll(List.of("--set", pair));
    }
    return program(directory, surroundings, log, List.copyOf(arguments));
  }

  private String tail() {
    String[] lines = log().split("\n", -1);
    return String.join(
        "\n", Arrays.asList(lines).subList(Math.max(0, lines.length - 30), lines.length));
  }
}
