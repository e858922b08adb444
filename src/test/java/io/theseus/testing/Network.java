package io.theseus.testing;

import io.theseus.node.TestCluster;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * The network between the processes of a cluster, which can be cut and made slow: each node is
 * reached by the others through relays. Needs no rights of root.
 *
 * <p>A cut is silent, as that of a cable: connections stay, nothing comes through. Who has
 * connected is found, in /proc, by the port that the connection comes from.
 */
public final class Network implements Closeable {
  private static final int PIECE = 64 << 10;

  /** What goes over it. */
  public enum Plane {
    /** Akka's remoting: messages of actors, heartbeats. */
    MESSAGES,
    /** The bytes of files. */
    BYTES
  }

  /** From one node to another, and back. */
  private record Way(int one, int other, Plane plane) {
    static Way between(int a, int b, Plane plane) {
      return new Way(Math.min(a, b), Math.max(a, b), plane);
    }
  }

  /** What one node says to another. */
  private record Flow(int from, int to, Plane plane) {
    Way way() {
      return Way.between(from, to, plane);
    }
  }

  /** Where a node is reached. */
  private record Door(Relay messages, Relay bytes) {}

  private final List<Door> doors = new ArrayList<>();
  private final Map<Integer, NodeProcess> nodes = new ConcurrentHashMap<>();
  private final Collection<Socket> sockets = ConcurrentHashMap.newKeySet();

  // guarded by this
  private final Set<Flow> cut = new HashSet<>();
  private final Map<Way, Long> bytesPerSecond = new HashMap<>();
  private boolean closed;

  /** A network of nodes 1 to {@code size}, all of which reach each other. */
  public Network(int size) {
    List<Integer> ports = TestCluster.freePorts(2 * size);
    for (int node = 1; node <= size; node++) {
      doors.add(
          new Door(
              new Relay(node, Plane.MESSAGES, ports.get(2 * node - 2)),
              new Relay(node, Plane.BYTES, ports.get(2 * node - 1))));
    }
  }

  /**
   * Starts a node in it.
   *
   * @param settings besides those of the cluster
   */
  public NodeProcess start(int node, Path directory, String... settings) {
    Door own = doors.get(node - 1);
    List<String> seeds = doors.stream().map(each -> "127.0.0.1:" + each.messages().port()).toList();
    Stream<String> ofCluster =
        TestCluster.settings(node, seeds, directory.resolveSibling("lab.key")).stream();
    Stream<String> ownPorts =
        Stream.of(
            "cluster.port=" + own.messages().port(),
            "peers.port=" + own.bytes().behind,
            "peers.advertise=127.0.0.1:" + own.bytes().port());
    return NodeProcess.start(
        directory,
        NodeProcess.Surroundings.flags(
            "-Dakka.remote.artery.bind.hostname=127.0.0.1",
            "-Dakka.remote.artery.bind.port=" + own.messages().behind),
        Stream.of(ofCluster, ownPorts, Stream.of(settings))
            .flatMap(each -> each)
            .toArray(String[]::new),
        process -> nodes.put(node, process));
  }

  /** From now on nothing comes through between a node and all others. */
  public void cutOff(int node, Set<Plane> planes) {
    for (int other = 1; other <= doors.size(); other++) {
      cutBetween(node, other, planes);
    }
  }

  /** From now on nothing comes through between two nodes; others reach both. */
  public void cutBetween(int one, int other, Set<Plane> planes) {
    cutOneWay(one, other, planes);
    cutOneWay(other, one, planes);
  }

  /** From now on nothing that a node says comes to another one, which is heard itself. */
  public void cutOneWay(int from, int to, Set<Plane> planes) {
    synchronized (this) {
      planes.forEach(plane -> cut.add(new Flow(from, to, plane)));
    }
  }

  /** All is as it was. */
  public void heal() {
    synchronized (this) {
      cut.clear();
      bytesPerSecond.clear();
      notifyAll();
    }
  }

  /** Makes the way to a node slow for the bytes of files. */
  public void limit(int node, long toBytesPerSecond) {
    synchronized (this) {
      for (int other = 1; other <= doors.size(); other++) {
        bytesPerSecond.put(Way.between(node, other, Plane.BYTES), toBytesPerSecond);
      }
    }
  }

  @Override
  public void close() throws IOException {
    synchronized (this) {
      closed = true;
      notifyAll();
    }
    for (Door each : doors) {
      each.messages().listening.close();
      each.bytes().listening.close();
    }
    for (Socket socket : sockets) {
      socket.close();
    }
  }

  /** Waits while nothing comes through; gives what does in a second. */
  private long awaitOpen(Flow flow) throws InterruptedException {
    synchronized (this) {
      while (cut.contains(flow) && !closed) {
        wait();
      }
      return bytesPerSecond.getOrDefault(flow.way(), Long.MAX_VALUE);
    }
  }

  /** The node that has a connection's other end; 0 for none that lives. */
  private int nodeOf(Socket socket) throws IOException {
    String local = ":%04X ".formatted(socket.getPort());
    String remote = ":%04X ".formatted(socket.getLocalPort());
    for (String table : List.of("/proc/net/tcp", "/proc/net/tcp6")) {
      for (String line : Files.readAllLines(Path.of(table))) {
        String[] fields = line.strip().split("\\s+", -1);
        if (fields.length > 9
            && (fields[1] + " ").endsWith(local)
            && (fields[2] + " ").endsWith(remote)) {
          return nodeWith("socket:[" + fields[9] + "]");
        }
      }
    }
    return 0;
  }

  private int nodeWith(String descriptor) {
    for (Map.Entry<Integer, NodeProcess> each : nodes.entrySet()) {
      if (!each.getValue().isAlive()) {
        continue;
      }
      Path descriptors = Path.of("/proc/" + each.getValue().pid() + "/fd");
      try (Stream<Path> found = Files.list(descriptors)) {
        if (found.anyMatch(link -> descriptor.equals(target(link)))) {
          return each.getKey();
        }
      } catch (IOException | UncheckedIOException e) {
        // it is dead
      }
    }
    return 0;
  }

  private static String target(Path link) {
    try {
      return Files.readSymbolicLink(link).toString();
    } catch (IOException e) {
      return ""; // closed meanwhile
    }
  }

  /** Where a node is reached. */
  private final class Relay {
    private final int node;
    private final Plane plane;
    private final int behind;
    private final ServerSocket listening;

    Relay(int node, Plane plane, int behind) {
      this.node = node;
      this.plane = plane;
      this.behind = behind;
      try {
        this.listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      begin(this::accept);
    }

    int port() {
      return listening.getLocalPort();
    }

    private void accept() throws IOException {
      while (true) {
        Socket from = listening.accept();
        begin(() -> connect(from));
      }
    }

    private void connect(Socket from) throws IOException {
      sockets.add(from);
      Socket to = new Socket();
      sockets.add(to);
      int other = nodeOf(from);
      if (other == 0) {
        end(from, to);
        return;
      }
      Flow there = new Flow(other, node, plane);
      Flow back = new Flow(node, other, plane);
      try {
        // it takes both to connect
        awaitOpen(there);
        awaitOpen(back);
        to.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), behind), 5000);
        begin(() -> pass(from, to, there));
        pass(to, from, back);
      } catch (IOException | InterruptedException e) {
        end(from, to);
      }
    }

    private void pass(Socket from, Socket to, Flow flow) {
      byte[] piece = new byte[PIECE];
      try {
        InputStream in = from.getInputStream();
        OutputStream out = to.getOutputStream();
        while (true) {
          long rate = awaitOpen(flow);
          int most = (int) Math.min(PIECE, Math.max(1024, rate / 20));
          int length = in.read(piece, 0, most);
          if (length < 0) {
            break;
          }
          rate = awaitOpen(flow);
          if (rate < Long.MAX_VALUE) {
            LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(length) / rate);
          }
          out.write(piece, 0, length);
        }
      } catch (IOException | InterruptedException e) {
        // one of the ends is gone
      } finally {
        end(from, to);
      }
    }

    private void end(Socket from, Socket to) {
      for (Socket each : List.of(from, to)) {
        sockets.remove(each);
        try {
          each.close();
        } catch (IOException e) {
          // closed either way
        }
      }
    }
  }

  /** What a thread of its own does until it is closed. */
  private interface Task {
    void run() throws IOException;
  }

  private static void begin(Task task) {
    Thread thread =
        new Thread(
            () -> {
              try {
                task.run();
              } catch (IOException e) {
                // closed
              }
            },
            "network");
    thread.setDaemon(true);
    thread.start();
  }
}
