package io.theseus.node;

import akka.cluster.Member;
import akka.cluster.MemberStatus;
import akka.cluster.typed.Cluster;
import io.theseus.steps.Steps;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;

/** Nodes of one cluster in this process, on loopback, started and stopped one by one. */
public final class TestCluster implements AutoCloseable {
  /**
   * Members of a cluster look around each 1 or 2 s, and tests wait for what they see; when a silent
   * one is taken for lost is left as it is.
   */
  private static final List<String> SOONER =
      List.of(
          "akka.cluster.periodic-tasks-initial-delay=200ms",
          "akka.cluster.gossip-interval=200ms",
          "akka.cluster.leader-actions-interval=200ms",
          "akka.cluster.unreachable-nodes-reaper-interval=200ms",
          "akka.cluster.retry-unsuccessful-join-after=500ms",
          "akka.cluster.distributed-data.gossip-interval=200ms",
          "akka.cluster.distributed-data.notify-subscribers-interval=50ms",
          "akka.remote.artery.advanced.handshake-retry-interval=200ms",
          "akka.remote.artery.advanced.outbound-restart-backoff=200ms");

  private final Path directory;
  private final List<Integer> remotingPorts;
  private final TreeMap<Integer, Node> running = new TreeMap<>();

  private TestCluster(Path directory, List<Integer> remotingPorts) {
    this.directory = directory;
    this.remotingPorts = remotingPorts;
  }

  /** A cluster of nodes 1 to {@code size}, none of which runs yet. */
  public static TestCluster of(int size, Path directory) {
    return new TestCluster(directory, freePorts(size));
  }

  /** Ports that nobody has right now; remoting needs to know its fellows' beforehand. */
  public static List<Integer> freePorts(int count) {
    List<ServerSocket> sockets = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        sockets.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
      }
      return sockets.stream().map(ServerSocket::getLocalPort).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      for (ServerSocket socket : sockets) {
        try {
          socket.close();
        } catch (IOException e) {
          // free either way
        }
      }
    }
  }

  /** The remoting address of node {@code number}. */
  public String address(int number) {
    return "127.0.0.1:" + remotingPorts.get(number - 1);
  }

  /**
   * What makes a node one of a cluster in tests: {@code key=value}, besides its ports.
   *
   * @param seeds the remoting addresses of all nodes, in order
   */
  public static List<String> settings(int number, List<String> seeds, Path labKey) {
    List<String> settings = new ArrayList<>();
    settings.add("node.id=node" + number);
    settings.add("cluster.nodes=" + each("node", seeds.size()));
    settings.add("cluster.seed-nodes=" + String.join(",", seeds));
    // who starts first would wait for the others, which start after it
    settings.add("cluster.catch-up=0");
    settings.add("modules.lab-key=" + labKey);
    settings.addAll(SOONER);
    return settings;
  }

  public NodeSettings settings(int number, String... pairs) {
    List<String> seeds =
        IntStream.rangeClosed(1, remotingPorts.size()).mapToObj(this::address).toList();
    SettingsSource source =
        SettingsSource.defaults()
            .set("data-dir=" + directory.resolve("node" + number))
            .set("packets.port=0")
            .set("cluster.port=" + remotingPorts.get(number - 1))
            .set("peers.port=0");
    settings(number, seeds, labKey()).forEach(source::set);
    for (String pair : pairs) {
      source.set(pair);
    }
    return source.read();
  }

  /** The key whose modules all nodes accept. */
  public Path labKey() {
    return directory.resolve("lab.key");
  }

  public Node start(int number, String... pairs) throws StartException {
    Node node = Node.start(settings(number, pairs), Steps.NONE);
    running.put(number, node);
    return node;
  }

  public boolean isRunning(int number) {
    return running.containsKey(number);
  }

  public Node node(int number) {
    return Optional.ofNullable(running.get(number)).orElseThrow();
  }

  /** An orderly end. */
  public void stop(int number) {
    Optional.ofNullable(running.remove(number)).orElseThrow().close();
  }

  /** Remoting addresses of the members that are up, as a running node sees them. */
  public Set<String> membersSeenBy(int number) {
    return StreamSupport.stream(
            Cluster.get(node(number).system()).state().getMembers().spliterator(), false)
        .filter(member -> member.status().equals(MemberStatus.up()))
        .map(Member::address)
        .map(address -> address.hostPort().replaceFirst("^[^@]*@", ""))
        .collect(Collectors.toSet());
  }

  @Override
  public void close() {
    running.values().parallelStream()
        .forEach(Node::close); // each waits for the others to see it go
    running.clear();
  }

  private static String each(String prefix, int count) {
    List<String> names = new ArrayList<>();
    for (int i = 1; i <= count; i++) {
      names.add(prefix + i);
    }
    return String.join(",", names);
  }
}
