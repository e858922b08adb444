package io.theseus.node;

import static org.awaitility.Awaitility.await;

import io.theseus.admin.Operations;
import io.theseus.admin.Operations.BackupView;
import io.theseus.admin.Operations.Verification;
import io.theseus.testing.PacketSocket.Said;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Nodes that see to their files soon, and what tests of that do with them. */
final class RepairCluster implements AutoCloseable {
  static final Duration PATIENCE = Duration.ofSeconds(60);
  static final int MIB = 1 << 20;

  final TestCluster cluster;
  private final int size;
  private final Path directory;
  private final String[] pairs;

  /** Of nodes 1 to {@code size} with some settings, none of which runs yet. */
  RepairCluster(int size, Path directory, String... pairs) {
    this.size = size;
    this.pairs = pairs.clone();
    this.directory = directory;
    this.cluster = TestCluster.of(size, directory);
  }

  @Override
  public void close() {
    cluster.close();
  }

  void startAll() throws Exception {
    for (int i = 1; i <= size; i++) {
      startOne(i);
    }
    awaitAll();
  }

  void startOne(int node) throws Exception {
    Stream<String> common = Stream.of("backup.factor=1", "repair.after=1s", "repair.scrub-every=0");
    cluster.start(node, Stream.concat(common, Stream.of(pairs)).toArray(String[]::new));
  }

  void awaitAll() {
    await().atMost(PATIENCE).until(() -> all().allMatch(each -> isReady(each, size)));
  }

  /** The others look through their files: what a person does to these nobody tells them. */
  void restart(int node) throws Exception {
    cluster.stop(node);
    startOne(node);
    awaitAll();
  }

  Stream<Node> all() {
    return IntStream.rangeClosed(1, size).filter(i -> cluster.isRunning(i)).mapToObj(cluster::node);
  }

  private static boolean isReady(Node node, int nodes) {
    return node.names().isSettled()
        && node.names().missing().isEmpty()
        && node.backups().size() == nodes - 1;
  }

  Path file(int node, String name) {
    return directory.resolve("node" + node).resolve("files").resolve(name);
  }

  Set<Integer> holders(String name) {
    Set<Integer> holders = new TreeSet<>();
    IntStream.rangeClosed(1, size).filter(i -> Files.exists(file(i, name))).forEach(holders::add);
    return holders;
  }

  String put(int node, String name, byte[] bytes) throws IOException {
    try (RawClient client = RawClient.connect(cluster.node(node))) {
      RawClient.Sending sending = client.put("PUT " + name + "\nSize: " + bytes.length + "\n");
      client.write(sending, bytes, bytes.length);
      return client.complete(sending, bytes.length).field("Identity");
    }
  }

  static byte[] random(int length) {
    byte[] bytes = new byte[length];
    new Random(7).nextBytes(bytes);
    return bytes;
  }

  static byte[] text(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  Operations operations(int node) {
    return cluster.node(node).operations();
  }

  static Operations.Order order() {
    return new Operations.Order("test", Set.of(), Optional.empty());
  }

  /** Reads all files of all nodes, and waits for that. */
  List<Verification> verify(String prefix) throws Exception {
    operations(1).verify(prefix, order());
    await()
        .atMost(PATIENCE)
        .until(() -> operations(1).verification().stream().noneMatch(Verification::running));
    return operations(1).verification();
  }

  /** The disk changes some bytes; it says nothing, and nothing else of the file changes. */
  static void rot(Path file, long at) throws IOException {
    FileTime modified = Files.getLastModifiedTime(file);
    try (RandomAccessFile access = new RandomAccessFile(file.toFile(), "rw")) {
      access.seek(at);
      int there = access.read();
      access.seek(at);
      access.write(there ^ 0x10);
    }
    Files.setLastModifiedTime(file, modified);
  }

  long copiedTo(int node) {
    return cluster.node(node).status().counters().getOrDefault("copied-bytes", 0L);
  }

  Optional<BackupView> backup(int asked, String node) throws Exception {
    return operations(asked).backups().backups().stream()
        .filter(each -> each.node().equals(node))
        .findFirst();
  }

  Said stat(int node, String name) throws IOException {
    try (RawClient client = RawClient.connect(cluster.node(node))) {
      client.info("STAT " + name + "\n");
      return (Said) client.next();
    }
  }

  /** Whether a node has begun a copy that has no name yet. */
  boolean isCopying(int node) throws IOException {
    try (Stream<Path> all = Files.walk(directory.resolve("node" + node).resolve("files"))) {
      return all.anyMatch(each -> each.getFileName().toString().endsWith(".part"));
    }
  }
}
