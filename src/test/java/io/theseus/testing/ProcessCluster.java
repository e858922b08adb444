package io.theseus.testing;

import static org.awaitility.Awaitility.await;

import io.theseus.node.TestCluster;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.Stream;

/**
 * Nodes of one cluster, each a process that can be killed, in directories {@code node1}, {@code
 * node2} and so on. For nodes that lose each other without dying see {@link Network}.
 */
public final class ProcessCluster implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final List<NodeProcess> nodes = new ArrayList<>();

  private ProcessCluster() {}

  /** Nodes with the same settings, besides those of every cluster. */
  public static ProcessCluster start(int size, Path directory, String... settings) {
    return start(size, directory, number -> List.of(settings));
  }

  /** The same, with settings of node {@code number}, 1 to {@code size}. */
  public static ProcessCluster start(int size, Path directory, IntFunction<List<String>> settings) {
    ProcessCluster cluster = new ProcessCluster();
    List<Integer> ports = TestCluster.freePorts(2 * size);
    List<String> seeds = ports.subList(0, size).stream().map(port -> "127.0.0.1:" + port).toList();
    try {
      for (int number = 1; number <= size; number++) {
        Stream<String> own =
            Stream.of(
                "cluster.port=" + ports.get(number - 1),
                "peers.port=" + ports.get(size + number - 1));
        Stream<String> ofCluster =
            TestCluster.settings(number, seeds, directory.resolve("lab.key")).stream();
        cluster.nodes.add(
            NodeProcess.start(
                directory.resolve("node" + number),
                Stream.of(ofCluster, own, settings.apply(number).stream())
                    .flatMap(each -> each)
                    .toArray(String[]::new)));
      }
      return cluster;
    } catch (RuntimeException | Error e) {
      cluster.close();
      throw e;
    }
  }

  /** All of them, in order; node1 is the first. */
  public List<NodeProcess> nodes() {
    return List.copyOf(nodes);
  }

  /** Node {@code number}, 1 to the size of the cluster. */
  public NodeProcess node(int number) {
    return nodes.get(number - 1);
  }

  /** Waits until each node runs and knows all others. */
  public void awaitAll() {
    await("all know each other")
        .atMost(PATIENCE)
        .ignoreExceptions()
        .until(
            () ->
                nodes.stream()
                    .allMatch(
                        node ->
                            node.status().counters().getOrDefault("backups", 0L)
                                == nodes.size() - 1));
  }

  @Override
  public void close() {
    nodes.forEach(NodeProcess::close);
  }
}
