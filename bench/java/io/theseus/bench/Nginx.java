package io.theseus.bench;

import io.theseus.testing.NodeGauges;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** nginx with the configuration {@code bench/peers/nginx-sessions.conf}, in a directory of ours. */
final class Nginx implements AutoCloseable {
  private static final Path TEMPLATE = Path.of("bench/peers/nginx-sessions.conf");
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final Process process;
  private final InetSocketAddress address;

  /** Where the program is; empty where it is not installed. */
  static Optional<Path> program() {
    return Stream.concat(
            Stream.of(System.getenv().getOrDefault("PATH", "").split(":", -1)),
            Stream.of("/usr/sbin", "/usr/local/sbin"))
        .map(each -> Path.of(each, "nginx"))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /** Starts it to serve a directory, and waits until it does. */
  Nginx(Path program, Path directory, Path files) throws IOException {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    Files.createDirectories(directory);
    boolean root = System.getProperty("user.name").equals("root");
    Path configuration =
        Files.writeString(
            directory.resolve("nginx.conf"),
            Files.readString(TEMPLATE)
                .replace("@user@", root ? "user root;" : "")
                .replace("@directory@", directory.toString())
                .replace("@files@", files.toString())
                .replace("@port@", String.valueOf(port)));
    process =
        new ProcessBuilder(
                List.of(
                    program.toString(),
                    "-p",
                    directory.toString(),
                    "-e",
                    directory.resolve("error.log").toString(),
                    "-c",
                    configuration.toString()))
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("output.log").toFile())
            .start();
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!answers()) {
      if (!process.isAlive() || System.nanoTime() > end) {
        close();
        throw new IOException(
            "nginx does not start: " + Files.readString(directory.resolve("output.log")));
      }
      Thread.onSpinWait();
    }
  }

  private boolean answers() {
    try (Socket socket = new Socket()) {
      socket.connect(address, 1000);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  InetSocketAddress address() {
    return address;
  }

  /** Physical memory of all its processes. */
  long residentBytes() throws IOException {
    long sum = NodeGauges.residentBytes(process.pid());
    for (ProcessHandle child : process.descendants().toList()) {
      sum += NodeGauges.residentBytes(child.pid());
    }
    return sum;
  }

  @Override
  public void close() {
    List<ProcessHandle> children = process.descendants().toList();
    process.destroy();
    try {
      if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    children.forEach(ProcessHandle::destroyForcibly);
  }
}
