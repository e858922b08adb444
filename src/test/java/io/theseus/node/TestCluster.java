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
import java.util.stream.StreamSupport;

/** Nodes of one cluster in this process, on loopback, started and stopped one by one. */
public final class TestCluster implements AutoCloseable {
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

  public NodeSettings settings(int number, String... pairs) {
    SettingsSource source =
        SettingsSource.defaults()
            .set("node.id=node" + number)
            .set("data-dir=" + directory.resolve("node" + number))
            .set("packets.port=0")
            .set("cluster.port=" + remotingPorts.get(number - 1))
            .set("peers.port=0")
            .set("cluster.nodes=" + each("node", remotingPorts.size()))
            .set("cluster.seed-nodes=" + seeds())
            // who starts first would wait for the others, which start after it
            .set("cluster.catch-up=0")
            .set("modules.lab-key=" + labKey());
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

  private String seeds() {
    return remotingPorts.stream().map(port -> "127.0.0.1:" + port).collect(Collectors.joining(","));
  }

  private static String each(String prefix, int count) {
    List<String> names = new ArrayList<>();
    for (int i = 1; i <= count; i++) {
      names.add(prefix + i);
    }
    return String.join(",", names);
  }
}
