package io.theseus.cli;

import io.theseus.admin.NodeStatus;
import io.theseus.admin.OperationException;
import io.theseus.admin.Operations.BackupView;
import io.theseus.admin.jmx.RunRegistry;
import io.theseus.admin.jmx.StatusClient;
import io.theseus.admin.jmx.StatusClient.UnreachableException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;

/** Three nodes on this host, a process each: one that clients talk to, and its backups. */
final class DemoCluster implements AutoCloseable {
  private static final List<String> IDS = List.of("node1", "node2", "node3");
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final Duration LIMIT = Duration.ofSeconds(90);
  private static final long LOOK_MILLIS = 100;

  private final Path directory;
  private final StatusClient client;
  private final List<NodeProcess> nodes = new ArrayList<>();

  DemoCluster(Path directory) {
    this.directory = directory;
    this.client =
        new StatusClient(directory, new RunRegistry(directory.resolve("runtime")), PATIENCE);
    for (String id : IDS) {
      nodes.add(new NodeProcess(id, directory.resolve(id)));
    }
  }

  List<NodeProcess> nodes() {
    return List.copyOf(nodes);
  }

  /** The one that clients talk to. */
  NodeProcess first() {
    return nodes.get(0);
  }

  /** One of them, by its id. */
  NodeProcess node(String id) {
    return nodes.get(IDS.indexOf(id));
  }

  /** The backup that isn't this one. */
  NodeProcess other(NodeProcess backup) {
    return nodes.stream()
        .filter(each -> !each.equals(first()) && !each.equals(backup))
        .findFirst()
        .orElseThrow();
  }

  /** Starts all of them, and returns when they are one cluster that may make copies. */
  void start(ExecutorService threads)
      throws IOException, InterruptedException, TimeoutException, ExecutionException {
    List<Integer> ports = freePorts();
    String seeds = ports.stream().map(port -> "127.0.0.1:" + port).collect(Collectors.joining(","));
    List<Future<?>> started = new ArrayList<>();
    for (int i = 0; i < nodes.size(); i++) {
      NodeProcess node = nodes.get(i);
      node.set("cluster.port=" + ports.get(i));
      node.set("cluster.nodes=" + String.join(",", IDS));
      node.set("cluster.seed-nodes=" + seeds);
      node.set("peers.port=0");
      node.set("modules.lab-key=" + directory.resolve("lab.key"));
      started.add(
          threads.submit(
              () -> {
                node.start();
                return node;
              }));
    }
    for (Future<?> each : started) {
      each.get();
    }
    long until = System.nanoTime() + LIMIT.toNanos();
    while (!isReady()) {
      if (System.nanoTime() > until) {
        throw new TimeoutException(
            "the nodes are no cluster yet after " + LIMIT.toSeconds() + " s");
      }
      TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
    }
  }

  private boolean isReady() throws IOException {
    for (NodeProcess node : nodes) {
      NodeStatus status = status(node);
      boolean member =
          status.parts().stream()
              .filter(part -> part.name().equals("cluster"))
              .allMatch(NodeStatus.Part::isNormal);
      if (!member
          || status.backups().known() < nodes.size() - 1
          || !status.code().standing().equals("current")) {
        return false;
      }
    }
    return true;
  }

  private NodeStatus status(NodeProcess node) throws IOException {
    try {
      return client.status(node.run());
    } catch (UnreachableException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  /** The node that makes the copy of the only upload that there is; empty before one does. */
  Optional<NodeProcess> copier() throws IOException {
    try {
      List<BackupView> busy =
          StatusClient.operations(first().run()).backups().backups().stream()
              .filter(each -> each.sessions() > 0)
              .toList();
      return busy.size() == 1 ? Optional.of(node(busy.get(0).node())) : Optional.empty();
    } catch (OperationException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  /** How many bytes came to a node from others. */
  long copied(NodeProcess node) throws IOException {
    return status(node).counters().getOrDefault("copied-bytes", 0L);
  }

  /** Ports that nobody has now: nodes know each other's before they start. */
  private static List<Integer> freePorts() throws IOException {
    List<ServerSocket> sockets = new ArrayList<>();
    try {
      for (int i = 0; i < IDS.size(); i++) {
        sockets.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
      }
      return sockets.stream().map(ServerSocket::getLocalPort).toList();
    } finally {
      for (ServerSocket socket : sockets) {
        socket.close();
      }
    }
  }

  @Override
  public void close() {
    nodes.forEach(NodeProcess::close);
  }
}
