package io.theseus.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * Where a benchmark runs: a directory on a real disk, one processor for servers and another one for
 * load clients (or all of them for all), and the processes that were started. All of it is gone at
 * the end, also when the benchmark is interrupted.
 */
public final class Lab implements AutoCloseable {
  private static final String PREFIX = "theseus-bench-";
  private static final Path NATIVE = Path.of("bench/native");
  private static final Path SHARED_MEMORY = Path.of("/dev/shm");
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final long MORE_MEMORY = 1L << 30;
  private static final Duration TO_END = Duration.ofSeconds(20);

  private final boolean quick;
  private final Placement placement;
  private final Path directory;
  private final Path memory;
  private final String allProcessors;
  private final int serverProcessor;
  private final int loadProcessor;
  private final Collection<Process> running = new ConcurrentLinkedDeque<>();
  private int filesAside;
  private final Thread atExit = new Thread(this::clear, "lab-end");

  private Lab(Path directory, boolean quick, Placement placement) throws IOException {
    this.quick = quick;
    this.placement = placement;
    this.directory = directory.toAbsolutePath();
    // what clients of a peer read from and write to must not be slower than the server
    memory =
        Files.isWritable(SHARED_MEMORY)
            ? SHARED_MEMORY.resolve(directory.getFileName())
            : this.directory.resolve("memory");
    List<Integer> processors = processors();
    allProcessors = processors.stream().map(String::valueOf).collect(Collectors.joining(","));
    serverProcessor = processors.get(0);
    loadProcessor = processors.get(Math.min(1, processors.size() - 1));
    Files.createDirectories(site());
    Files.createDirectories(memory);
    Runtime.getRuntime().addShutdownHook(atExit);
  }

  /** Which processors may be used. */
  public enum Placement {
    /** By servers one, by clients another one. */
    APART,

    /** By servers all, by clients one. */
    CLIENTS_ON_ONE,

    /** By all processes all. */
    ANYWHERE
  }

  /**
   * Takes a new directory below one, and removes those of benchmarks that were killed there.
   *
   * @param quick whether figures say nothing, so that nobody waits for the disk to be idle
   */
  public static Lab open(Path parent, boolean quick, Placement placement) throws IOException {
    Files.createDirectories(parent);
    removeLeft(parent);
    removeLeft(SHARED_MEMORY);
    return new Lab(parent.resolve(PREFIX + ProcessHandle.current().pid()), quick, placement);
  }

  private static void removeLeft(Path parent) throws IOException {
    if (Files.isDirectory(parent)) {
      try (Stream<Path> all = Files.list(parent)) {
        for (Path each : all.filter(Lab::isLeft).toList()) {
          remove(each);
        }
      }
    }
  }

  private static boolean isLeft(Path directory) {
    String name = directory.getFileName().toString();
    return name.matches(PREFIX + "\\d+")
        && Files.isWritable(directory)
        && ProcessHandle.of(Long.parseLong(name.substring(PREFIX.length()))).isEmpty();
  }

  /** Those that this process may run on. */
  private static List<Integer> processors() throws IOException {
    String allowed =
        Files.readAllLines(Path.of("/proc/self/status")).stream()
            .filter(line -> line.startsWith("Cpus_allowed_list:"))
            .map(line -> line.substring(line.indexOf(':') + 1).trim())
            .findFirst()
            .orElse("0");
    List<Integer> processors = new ArrayList<>();
    for (String range : allowed.split(",", -1)) {
      String[] ends = range.split("-", 2);
      IntStream.rangeClosed(Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1]))
          .forEach(processors::add);
    }
    return processors;
  }

  /** Whether servers and load clients have a processor each. */
  public boolean pinnedApart() {
    return serverProcessor != loadProcessor;
  }

  /** Moves this process to the load clients' processor, out of the servers' way. */
  public void stayWithClients() throws IOException {
    runAnywhere(
        List.of(
            "taskset",
            "-a",
            "-c",
            "-p",
            Integer.toString(loadProcessor),
            Long.toString(ProcessHandle.current().pid())));
  }

  // ---- places

  public Path directory() {
    return directory;
  }

  /** The directory that all servers serve. */
  public Path site() {
    return directory.resolve("site");
  }

  /** A directory in memory, for the client of a peer. */
  public Path memory() {
    return memory;
  }

  /** A program of {@code bench/native}. */
  public String tool(String name) {
    return directory.resolve("bin").resolve(name).toString();
  }

  /** Compiles programs of {@code bench/native}. */
  public void compile(List<String> names) throws IOException {
    Files.createDirectories(directory.resolve("bin"));
    for (String name : names) {
      runAnywhere(
          List.of(
              "gcc",
              "-std=gnu11",
              "-O2",
              "-Wall",
              "-Wextra",
              "-pthread",
              "-o",
              tool(name),
              NATIVE.resolve(name + ".c").toString(),
              "-lssl",
              "-lcrypto"));
    }
  }

  /** A certificate for localhost, signed by itself. */
  public Path certificate() {
    return directory.resolve("tls.pem");
  }

  /** Its private key. */
  public Path key() {
    return directory.resolve("tls.key");
  }

  /** Makes the certificate: of the curve that handshakes are cheapest with. */
  public void certify() throws IOException {
    runAnywhere(
        List.of(
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-days",
            "2",
            "-keyout",
            key().toString(),
            "-out",
            certificate().toString()));
  }

  /** TLS with who has that certificate, and with nobody else. */
  public SSLContext trust() throws IOException {
    try (InputStream in = Files.newInputStream(certificate())) {
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null, null);
      store.setCertificateEntry(
          "lab", CertificateFactory.getInstance("X.509").generateCertificate(in));
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(store);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, trust.getTrustManagers(), null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IOException(e);
    }
  }

  // ---- processes

  /** What ./theseus is told to give Java, too. */
  public static List<String> givenOptions() {
    String options = System.getenv().getOrDefault("THESEUS_JAVA_OPTS", "").strip();
    return options.isEmpty() ? List.of() : List.of(options.split("\\s+"));
  }

  /** What ./theseus gives the JVM of a node. */
  public static List<String> nodeOptions() {
    List<String> options =
        new ArrayList<>(List.of("-XX:+ExitOnOutOfMemoryError", "-XX:MetaspaceSize=128m"));
    options.addAll(givenOptions());
    return List.copyOf(options);
  }

  /** Starts a server on its processor; it ends with this program, whatever happens to that. */
  public Process serve(String name, ProcessBuilder builder) throws IOException {
    List<String> command = new ArrayList<>(start(serverProcessor));
    command.addAll(builder.command());
    Process process =
        builder
            .command(command)
            .redirectErrorStream(true)
            .redirectOutput(log(name).toFile())
            .start();
    running.add(process);
    return process;
  }

  /** Waits until a condition holds for a server. */
  public void await(String name, Process server, BooleanSupplier condition) throws IOException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      if (!server.isAlive() || System.nanoTime() > deadline) {
        throw new IOException(name + " did not start:\n" + Files.readString(log(name)));
      }
      pause();
    }
  }

  /** Ends a server in order, and after some time in any case. */
  public void end(Process process) {
    List<ProcessHandle> children = process.descendants().toList();
    process.destroy();
    try {
      if (!process.waitFor(TO_END.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    children.forEach(ProcessHandle::destroyForcibly);
    running.remove(process);
  }

  /** Starts a load client on its processor, for who talks with it; it ends as servers do. */
  public Process startLoad(List<String> command) throws IOException {
    List<String> whole = new ArrayList<>(start(loadProcessor));
    whole.addAll(command);
    Process process =
        new ProcessBuilder(whole).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    running.add(process);
    return process;
  }

  /** Runs a load client on its processor; what it says on standard output. */
  public String load(List<String> command) throws IOException {
    List<String> whole = new ArrayList<>(start(loadProcessor));
    whole.addAll(command);
    return runAnywhere(whole);
  }

  private String runAnywhere(List<String> command) throws IOException {
    Path errors = Files.createTempFile(directory, "load-", ".err");
    Process process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
    running.add(process);
    try {
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new IOException(
            "%s: exit code %d:%n%s"
                .formatted(
                    String.join(" ", command), process.exitValue(), Files.readString(errors)));
      }
      return said;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } finally {
      process.destroyForcibly();
      running.remove(process);
      Files.deleteIfExists(errors);
    }
  }

  /**
   * A text as it is told to people: without where the checkout and the benchmark's directory are.
   */
  public String shown(String text) {
    return text.replace(directory + "/", "").replace(Path.of("").toAbsolutePath() + "/", "");
  }

  /** The command line of a server, for people. */
  public String shownServer(List<String> command) {
    return shown(serverProcessor, command);
  }

  /** The command line of a load client, for people. */
  public String shownLoad(List<String> command) {
    return shown(loadProcessor, command);
  }

  /** How a process is started; ends with this program, whatever happens to that. */
  private List<String> start(int processor) {
    List<String> command = new ArrayList<>(List.of("setpriv", "--pdeathsig", "TERM"));
    command.addAll(place(processor));
    return command;
  }

  private List<String> place(int processor) {
    return switch (placement) {
      case APART -> pinned(Integer.toString(processor));
      case CLIENTS_ON_ONE ->
          pinned(processor == loadProcessor ? Integer.toString(processor) : allProcessors);
      case ANYWHERE -> List.of();
    };
  }

  private static List<String> pinned(String processors) {
    return List.of("taskset", "-c", processors);
  }

  private String shown(int processor, List<String> command) {
    return shown(
        String.join(" ", Stream.concat(place(processor).stream(), command.stream()).toList()));
  }

  /** What a server has said. */
  public Path log(String name) {
    return directory.resolve(name + ".log");
  }

  /** A port that was free a moment ago. */
  public static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /** Whether a server takes connections. */
  public static boolean accepts(int port) {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  public static void pause() {
    try {
      TimeUnit.MILLISECONDS.sleep(10);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  // ---- what a run finds

  /**
   * Moves a small file away, to be deleted at the end: for half a minute ext4 without a journal
   * looks at all inodes that were freed before it takes one for a new file.
   */
  public void putAside(Path file) throws IOException {
    Files.createDirectories(aside());
    Files.move(file, aside().resolve(Integer.toString(filesAside++)));
  }

  /** Deletes what was put aside. */
  public void clearAside() throws IOException {
    remove(aside());
  }

  private Path aside() {
    return directory.resolve("aside");
  }

  /**
   * Takes so much memory, and some more, and gives it back. Where the host backs a guest's memory
   * at its first use, that costs seconds for each GiB, and whoever runs next would pay for it.
   */
  public void touchMemory(long bytes) throws IOException {
    if (quick) {
      return;
    }
    Path file = memory.resolve("touched");
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      ByteBuffer zeros = ByteBuffer.allocateDirect(1 << 20);
      for (long left = bytes + MORE_MEMORY; left > 0; left -= zeros.capacity()) {
        channel.write(zeros.clear());
      }
    } finally {
      Files.delete(file);
    }
  }

  // ---- the end

  /** Everything that was written is on disk, so that no server pays for what another one left. */
  public void settle() throws IOException {
    if (!quick) {
      runAnywhere(List.of("sync", "--file-system", directory.toString()));
    }
  }

  @Override
  public void close() {
    clear();
    try {
      Runtime.getRuntime().removeShutdownHook(atExit);
    } catch (IllegalStateException e) {
      // the JVM ends: the hook has done it, or does
    }
  }

  private synchronized void clear() {
    running.forEach(this::end);
    try {
      remove(directory);
      remove(memory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Removes a directory with all that is in it. */
  public static void remove(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    try (Stream<Path> all = Files.walk(directory)) {
      for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(each);
      }
    } catch (UncheckedIOException e) {
      // a server that ends removes its own files
      if (!(e.getCause() instanceof NoSuchFileException)) {
        throw e;
      }
    }
  }
}
