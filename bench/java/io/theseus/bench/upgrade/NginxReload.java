package io.theseus.bench.upgrade;

import io.theseus.bench.Lab;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * What a reload of nginx does: half of the connections download slowly, half have got a file and
 * are kept alive. A connection has the old configuration as long as an old worker has it.
 */
final class NginxReload {
  private static final Path TEMPLATE = Path.of("bench/peers/nginx-reload.conf");
  private static final int RATE = 16 << 10;
  private static final String SLOW = "reload-slow";
  private static final String SMALL = "reload-small";
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  /** Downloads begin, and are as far as they are. */
  private static final Duration BEFORE = Duration.ofMillis(500);

  private final Lab lab;
  private final int connections;
  private final Duration download;
  private final PrintStream progress;
  private final ByteBuffer sink = ByteBuffer.allocateDirect(1 << 16);

  /** Seconds from the reload to the end of each connection with the old configuration. */
  private final List<Double> downloads = new ArrayList<>();

  private final List<Double> keptAlive = new ArrayList<>();
  private double oldWorkers;
  private boolean newServesNew;

  /** A connection: what it still has to get. */
  private static final class Client {
    private final SocketChannel channel;
    private final boolean slow;
    private long left;

    Client(SocketChannel channel, boolean slow) {
      this.channel = channel;
      this.slow = slow;
    }
  }

  NginxReload(Lab lab, int connections, Duration download, PrintStream progress) {
    this.lab = lab;
    this.connections = connections;
    this.download = download;
    this.progress = progress;
  }

  void run() throws IOException {
    Path directory = Files.createDirectories(lab.directory().resolve("nginx"));
    Files.write(lab.site().resolve(SLOW), new byte[(int) (RATE * download.toSeconds())]);
    Files.write(lab.site().resolve(SMALL), new byte[16]);
    int port = Lab.freePort();
    Path configuration = directory.resolve("nginx.conf");
    configure(configuration, directory, port, "1");
    Process nginx = lab.serve("nginx", command(directory, configuration));
    try {
      lab.await("nginx", nginx, () -> Lab.accepts(port));
      measure(nginx, directory, configuration, port);
    } finally {
      lab.end(nginx);
    }
    progress.printf(
        Locale.ROOT,
        "nginx reload: %d downloads and %d idle connections; the last old worker ended after"
            + " %.2f s%n",
        downloads.size(),
        keptAlive.size(),
        oldWorkers);
  }

  private void configure(Path file, Path directory, int port, String version) throws IOException {
    boolean root = System.getProperty("user.name").equals("root");
    Files.writeString(
        file,
        Files.readString(TEMPLATE)
            .replace("@user@", root ? "user root;" : "")
            .replace("@directory@", directory.toString())
            .replace("@files@", lab.site().toString())
            .replace("@port@", Integer.toString(port))
            .replace("@rate@", Integer.toString(RATE))
            .replace("@version@", version));
  }

  private static ProcessBuilder command(Path directory, Path configuration, String... more) {
    // Debian keeps it where only root looks for programs
    Path program = Path.of("/usr/sbin/nginx");
    List<String> command =
        new ArrayList<>(
            List.of(
                Files.isExecutable(program) ? program.toString() : "nginx",
                "-p",
                directory.toString(),
                "-e",
                directory.resolve("error.log").toString(),
                "-c",
                configuration.toString()));
    command.addAll(List.of(more));
    return new ProcessBuilder(command);
  }

  private void measure(Process nginx, Path directory, Path configuration, int port)
      throws IOException {
    try (Selector selector = Selector.open()) {
      List<Client> clients = new ArrayList<>();
      for (int i = 0; i < connections; i++) {
        Client client = new Client(connect(port), /* slow= */ i % 2 == 0);
        ask(client);
        client.channel.configureBlocking(false);
        client.channel.register(selector, SelectionKey.OP_READ, client);
        clients.add(client);
      }
      drain(selector, System.nanoTime() + BEFORE.toNanos(), 0);
      Set<Long> old =
          nginx.descendants().map(ProcessHandle::pid).collect(Collectors.toUnmodifiableSet());
      configure(configuration, directory, port, "2");
      long reloaded = System.nanoTime();
      reload(directory, configuration);
      long end = reloaded + PATIENCE.toNanos();
      while (old.stream().anyMatch(NginxReload::lives)) {
        if (System.nanoTime() > end) {
          throw new IOException("old workers of nginx: " + old + " (expected: none any more)");
        }
        drain(selector, System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(20), reloaded);
      }
      oldWorkers = (System.nanoTime() - reloaded) / 1e9;
      drain(selector, System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(500), reloaded);
      try (SocketChannel fresh = connect(port)) {
        Client client = new Client(fresh, /* slow= */ false);
        newServesNew = ask(client).contains("X-Version: 2");
      }
      for (Client client : clients) {
        client.channel.close();
      }
    }
  }

  private static void reload(Path directory, Path configuration) throws IOException {
    Process order = command(directory, configuration, "-s", "reload").inheritIO().start();
    try {
      if (order.waitFor() != 0) {
        throw new IOException("nginx -s reload: exit code " + order.exitValue());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private static boolean lives(long pid) {
    return ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isPresent();
  }

  private static SocketChannel connect(int port) throws IOException {
    return SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
  }

  /** Asks, and reads the answer's head; of a small file the rest, too. */
  private String ask(Client client) throws IOException {
    client.channel.write(
        ByteBuffer.wrap(
            ("GET /" + (client.slow ? SLOW : SMALL) + " HTTP/1.1\r\nHost: localhost\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII)));
    StringBuilder head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      if (client.channel.read(sink.clear()) < 0) {
        throw new IOException("nginx closed a connection (expected: an answer)");
      }
      head.append(StandardCharsets.ISO_8859_1.decode(sink.flip()));
    }
    long length =
        Long.parseLong(head.toString().replaceAll("(?s).*Content-Length: (\\d+).*", "$1"));
    client.left = length - (head.length() - head.indexOf("\r\n\r\n") - 4);
    while (!client.slow && client.left > 0) {
      client.left -= client.channel.read(sink.clear());
    }
    return head.toString();
  }

  /** Takes what comes until then; connections that end are counted once it is reloaded. */
  private void drain(Selector selector, long until, long reloaded) throws IOException {
    long left;
    while ((left = until - System.nanoTime()) > 0) {
      selector.select(
          key -> {
            try {
              take(key, (Client) key.attachment(), reloaded);
            } catch (IOException e) {
              key.cancel(); // reset: it has ended, too
            }
          },
          Math.max(1, TimeUnit.NANOSECONDS.toMillis(left)));
    }
  }

  private void take(SelectionKey key, Client client, long reloaded) throws IOException {
    int got = client.channel.read(sink.clear());
    client.left -= Math.max(0, got);
    boolean over = client.slow ? client.left <= 0 || got < 0 : got < 0;
    if (over) {
      key.cancel();
      if (reloaded == 0) {
        throw new IOException("a connection ended before the reload (expected: behind it)");
      }
      (client.slow ? downloads : keptAlive).add((System.nanoTime() - reloaded) / 1e9);
    }
  }

  int connections() {
    return connections;
  }

  /** How long each download went on under the old configuration, in seconds. */
  List<Double> downloads() {
    return List.copyOf(downloads);
  }

  /** When each idle connection was closed, in seconds: its client has to connect anew. */
  List<Double> keptAlive() {
    return List.copyOf(keptAlive);
  }

  /** When the last old worker ended, in seconds. */
  double oldWorkers() {
    return oldWorkers;
  }

  /** Whether a new connection gets the new configuration. */
  boolean newServesNew() {
    return newServesNew;
  }
}
