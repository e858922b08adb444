package io.theseus.bench.backup;

import io.theseus.admin.NodeStatus;
import io.theseus.admin.jmx.RunFile;
import io.theseus.bench.Lab;
import io.theseus.bench.LoadRun;
import io.theseus.bench.Pattern;
import io.theseus.client.ClientSettings;
import io.theseus.client.NodeAddress;
import io.theseus.client.TheseusClient;
import io.theseus.client.TransferException;
import io.theseus.testing.Content;
import io.theseus.testing.NodeGauges;
import io.theseus.testing.Program;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Three nodes of ours, from the packaged program, in one cluster. They differ in how many copies
 * are made of what they receive: none for the first one, one, two.
 */
final class OurNodes implements AutoCloseable {
  static final int NODES = 3;

  private final Lab lab;
  private final List<String> started = new ArrayList<>();
  private final List<Node> nodes = new ArrayList<>();

  /** One of them. */
  private record Node(
      String id,
      Path data,
      Process process,
      NodeAddress address,
      NodeGauges gauges,
      TheseusClient client) {
    Path file(String name) {
      return data.resolve("files").resolve(name);
    }
  }

  /** Starts them, and waits until each knows the others as its backups. */
  OurNodes(Lab lab) throws IOException {
    this.lab = lab;
    Path agent = lab.directory().resolve("heartbeats.jar");
    Heartbeats.writeAgent(agent);
    List<Integer> ports = new ArrayList<>();
    while (ports.size() < NODES) {
      int port = Lab.freePort();
      if (!ports.contains(port)) {
        ports.add(port);
      }
    }
    boolean whole = false;
    try {
      List<Process> processes = new ArrayList<>();
      for (int i = 0; i < NODES; i++) {
        ProcessBuilder builder = command(i, ports, agent);
        started.add(lab.shownServer(builder.command()));
        processes.add(lab.serve(id(i), builder));
      }
      for (int i = 0; i < NODES; i++) {
        nodes.add(begun(i, processes.get(i)));
      }
      for (Node node : nodes) {
        lab.await(node.id(), node.process(), () -> backups(node) == NODES - 1);
      }
      whole = true;
    } finally {
      if (!whole) {
        close();
      }
    }
  }

  private static String id(int index) {
    return "node" + (index + 1);
  }

  private Path data(int index) {
    return lab.directory().resolve(id(index));
  }

  private Path beats(int index) {
    return lab.directory().resolve(id(index) + ".heartbeats");
  }

  /** As ./theseus starts a node, with the heartbeats written down. */
  private ProcessBuilder command(int index, List<Integer> ports, Path agent) throws IOException {
    List<String> options = new ArrayList<>(Lab.nodeOptions());
    options.addAll(Heartbeats.options(agent, beats(index)));
    List<String> arguments = new ArrayList<>(List.of("node"));
    for (String setting :
        List.of(
            "node.id=" + id(index),
            "data-dir=" + data(index),
            "packets.port=0",
            "peers.port=0",
            "modules.lab-key=" + lab.directory().resolve("lab.key"),
            "cluster.port=" + ports.get(index),
            "cluster.nodes=" + list(i -> id(i)),
            "cluster.seed-nodes=" + list(i -> "127.0.0.1:" + ports.get(i)),
            "backup.factor=" + index,
            Heartbeats.setting())) {
      arguments.addAll(List.of("--set", setting));
    }
    return Program.command(Files.createDirectories(data(index)), options, arguments);
  }

  private interface OfIndex {
    String text(int index);
  }

  private static String list(OfIndex each) {
    return String.join(",", IntStream.range(0, NODES).mapToObj(each::text).toList());
  }

  private Node begun(int index, Process process) throws IOException {
    Path file = RunFile.in(data(index));
    lab.await(
        id(index),
        process,
        () -> RunFile.read(file).filter(run -> !run.packets().isEmpty()).isPresent());
    NodeAddress address = NodeAddress.parse(RunFile.read(file).orElseThrow().packets());
    return new Node(
        id(index),
        data(index),
        process,
        address,
        NodeGauges.of(data(index)),
        new TheseusClient(ClientSettings.builder(address).build()));
  }

  private static long backups(Node node) {
    try {
      NodeStatus status = node.gauges().status();
      return status.counters().getOrDefault("backups", 0L);
    } catch (IOException e) {
      return 0;
    }
  }

  /** As results name the node that has so many copies made. */
  static String name(int copies) {
    return switch (copies) {
      case 0 -> "no copy";
      case 1 -> "one copy";
      default -> copies + " copies";
    };
  }

  /** Whether results name a node of ours so. */
  static boolean isOne(String contender) {
    return IntStream.range(0, NODES).mapToObj(OurNodes::name).anyMatch(contender::equals);
  }

  /** What is uploaded to the node that has so many copies made. */
  Contender with(int copies) {
    return new Copied(copies);
  }

  /** The command lines of the nodes, for people. */
  List<String> started() {
    return List.copyOf(started);
  }

  /** All heartbeats up to now. */
  List<Beat> heartbeats() throws IOException {
    List<Beat> all = new ArrayList<>();
    for (int i = 0; i < NODES; i++) {
      all.addAll(Beat.read(id(i), beats(i)));
    }
    return all;
  }

  /** How often a node said so in its log. */
  long said(String text) throws IOException {
    long count = 0;
    for (Node node : nodes) {
      count +=
          Files.readAllLines(lab.log(node.id())).stream()
              .filter(line -> line.contains(text))
              .count();
    }
    return count;
  }

  private final class Copied implements Contender {
    private final int copies;

    Copied(int copies) {
      this.copies = copies;
    }

    @Override
    public String name() {
      return OurNodes.name(copies);
    }

    @Override
    public List<ProcessHandle> servers() {
      return nodes.stream().map(node -> node.process().toHandle()).toList();
    }

    private List<String> load(BackupCase what, String prefix) {
      return Raw.load(lab, "theseus", nodes.get(copies).address().port(), what, prefix);
    }

    @Override
    public LoadRun put(BackupCase what, String prefix) throws IOException {
      return LoadRun.parse(lab.load(load(what, prefix)));
    }

    @Override
    public void check(BackupCase what, String prefix) throws IOException {
      for (int i = 0; i < what.files(); i++) {
        String name = BackupCase.fileName(prefix, i);
        String expected = Pattern.sha256(i, what.bytes());
        int found = 0;
        for (Node node : nodes) {
          if (Files.exists(node.file(name))) {
            found++;
            Raw.same(node.id() + "/" + name, Content.sha256HexOf(node.file(name)), expected);
          }
        }
        if (found != copies + 1) {
          throw new IOException(
              "%s: nodes that have %s: %d (expected: %d)"
                  .formatted(name(), name, found, copies + 1));
        }
      }
    }

    @Override
    public void remove(BackupCase what, String prefix) throws IOException {
      for (int i = 0; i < what.files(); i++) {
        FileName name = new FileName(BackupCase.fileName(prefix, i));
        for (Node node : nodes) {
          remove(node, name);
        }
      }
    }

    private void remove(Node node, FileName name) throws IOException {
      try {
        var unused = node.client().delete(name, Optional.empty());
      } catch (TransferException e) {
        if (!e.code().equals(Optional.of(ErrorCode.NOT_FOUND))) {
          throw new IOException(e.getMessage(), e);
        }
      }
    }

    @Override
    public String load(BackupCase what) {
      return lab.shownLoad(load(what, ""));
    }
  }

  @Override
  public void close() throws IOException {
    for (Node node : nodes) {
      node.client().close();
      node.gauges().close();
      lab.end(node.process());
    }
  }
}
