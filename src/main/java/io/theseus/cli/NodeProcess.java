package io.theseus.cli;

import io.theseus.admin.jmx.RunFile;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A node in a process of its own, with the Java and the program of this process and a data
 * directory below the given one. Its port is chosen at the first start and kept for the further
 * ones.
 */
final class NodeProcess implements AutoCloseable {
  private static final Duration START_LIMIT = Duration.ofSeconds(90);
  private static final long LOOK_MILLIS = 20;
  private static final int LOG_LINES = 15;

  /** Short-lived, and several at once: start fast, and take little. */
  private static final List<String> FLAGS =
      List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx320m");

  private final String id;
  private final Path directory;
  private final List<String> settings = new ArrayList<>();
  private volatile int port;

  // guarded by this: an interrupt ends the node from another thread
  private Optional<Process> process = Optional.empty();
  private boolean closed;

  NodeProcess(String id, Path directory) {
    this.id = id;
    this.directory = directory;
  }

  String id() {
    return id;
  }

  /** A setting for all its starts, {@code key=value}. */
  void set(String setting) {
    settings.add(setting);
  }

  /** Where the node keeps the files that it serves. */
  Path files() {
    return directory.resolve("data").resolve("files");
  }

  /** Where clients reach it. */
  String address() {
    return "127.0.0.1:" + port;
  }

  /** What it says of itself. */
  RunFile run() throws IOException {
    return RunFile.read(RunFile.in(directory.resolve("data")))
        .orElseThrow(() -> new IOException("node " + id + " does not run"));
  }

  long pid() {
    return process().map(Process::pid).orElse(-1L);
  }

  /** Starts it and returns when it serves clients. */
  void start() throws IOException, InterruptedException, TimeoutException {
    List<String> command = program(FLAGS);
    command.add("node");
    set(command, "node.id=" + id);
    set(command, "data-dir=" + directory.resolve("data"));
    set(command, "packets.host=127.0.0.1");
    set(command, "packets.port=" + port);
    set(command, "cluster.host=127.0.0.1");
    settings.forEach(each -> set(command, each));
    port = await(begin(command));
  }

  /** Once it is closed nothing is made any more, as all is removed then. */
  private synchronized Process begin(List<String> command) throws IOException {
    if (closed) {
      throw new IOException("node " + id + " is not wanted any more");
    }
    ProcessBuilder builder = new ProcessBuilder(command);
    // its entry for `theseus status` stays out of the way of the user's own nodes
    Path runtime = Files.createDirectories(directory.resolve("runtime"));
    builder.environment().put("XDG_RUNTIME_DIR", runtime.toString());
    builder.redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
    builder.redirectErrorStream(true);
    builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
    Process started = builder.start();
    process = Optional.of(started);
    return started;
  }

  private synchronized Optional<Process> process() {
    return process;
  }

  private int await(Process started) throws IOException, InterruptedException, TimeoutException {
    Path file = RunFile.in(directory.resolve("data"));
    long deadline = System.nanoTime() + START_LIMIT.toNanos();
    while (System.nanoTime() < deadline) {
      // after a kill the file of the process before is still there
      Optional<String> address =
          RunFile.read(file)
              .filter(run -> run.pid() == started.pid() && !run.packets().isEmpty())
              .map(RunFile::packets);
      if (address.isPresent()) {
        return Integer.parseInt(address.get().substring(address.get().lastIndexOf(':') + 1));
      }
      if (started.waitFor(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
        throw new IOException(
            "node " + id + " ended with exit code " + started.exitValue() + ":\n" + lastLog());
      }
    }
    throw new TimeoutException(
        "node " + id + " did not start within " + START_LIMIT.toSeconds() + " s:\n" + lastLog());
  }

  /** Ends it as {@code kill -9} does: it gets no chance to tidy up. */
  void kill() throws InterruptedException {
    Optional<Process> running = process();
    if (running.isPresent()) {
      // SIGKILL, where there are signals
      running.get().destroyForcibly().waitFor();
    }
  }

  /** Ends it for good. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
    }
    try {
      kill();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The end of its log, indented. */
  String lastLog() {
    try {
      List<String> lines = Files.readString(log(), StandardCharsets.UTF_8).lines().toList();
      StringBuilder out = new StringBuilder();
      for (String line : lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size())) {
        out.append("    ").append(Display.name(line)).append('\n');
      }
      return out.toString();
    } catch (IOException e) {
      return "    (no log)\n";
    }
  }

  private Path log() {
    return directory.resolve("log");
  }

  private static void set(List<String> command, String setting) {
    command.add("--set");
    command.add(setting);
  }

  /** Java with these and its own options, and this program. */
  private static List<String> program(List<String> flags) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(
        ProcessHandle.current()
            .info()
            .command()
            .orElse(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
    command.addAll(flags);
    for (String option : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      if (option.startsWith("-X") || option.startsWith("--")) {
        command.add(option);
      }
    }
    Optional<Path> jar = jar();
    if (jar.isPresent()) {
      command.addAll(List.of("-jar", jar.get().toString()));
    } else {
      command.addAll(List.of("-cp", System.getProperty("java.class.path"), "io.theseus.Main"));
    }
    return command;
  }

  private static Optional<Path> jar() throws IOException {
    CodeSource source = NodeProcess.class.getProtectionDomain().getCodeSource();
    try {
      return Optional.ofNullable(source)
          .map(CodeSource::getLocation)
          .filter(location -> location.getPath().endsWith(".jar"))
          .map(location -> Path.of(java.net.URI.create(location.toString())));
    } catch (IllegalArgumentException e) {
      throw new IOException("this program's jar: " + source, e);
    }
  }
}
