package io.theseus.node;

import io.theseus.admin.jmx.RunRegistry;
import io.theseus.cli.ExitCode;
import io.theseus.steps.Steps;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code theseus node}: runs a node in this process until it is told to stop. */
@Command(
    name = "node",
    description = "Runs a node until it is stopped (Ctrl-C or SIGTERM).",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "Every key is explained in application.conf. Later wins: application.conf, --config FILE,",
      "system properties, --set, --root. Exit code 16: it can't start, the message says why.",
      "",
      "Examples:",
      "  theseus node                                  one node, serving ./data/files",
      "  theseus node --root /srv/files                serving a directory that exists already",
      "  theseus node --set packets.port=7500 --set log.format=json",
      "  theseus node --config cluster/node1.conf      one of three on this host",
    })
public final class NodeCommand implements Callable<Integer> {
  private static final Logger log = LoggerFactory.getLogger(NodeCommand.class);

  @Mixin private final SettingsOptions options = new SettingsOptions();

  @Spec
  @SuppressWarnings("NullAway.Init") // set by picocli
  private CommandSpec spec;

  @Override
  public Integer call() throws InterruptedException {
    // before Netty is loaded: its direct memory is not filled with zeros first (docs/decisions.md)
    System.getProperties().putIfAbsent("io.netty.tryReflectionSetAccessible", "true");
    Node node;
    try {
      NodeSettings settings = options.source().read();
      Logging.configure(settings.log(), settings.id());
      node = Node.start(settings, Steps.haltingAt(System.getenv().getOrDefault(Steps.HALT_AT, "")));
    } catch (ConfigException | StartException e) {
      log.debug("the node can't start", e);
      PrintWriter err = spec.commandLine().getErr();
      err.println("theseus node: " + e.getMessage());
      err.flush();
      return ExitCode.CANT_START.number();
    }
    RunRegistry registry = RunRegistry.ofUser(System.getenv());
    register(registry, node);
    CountDownLatch closed = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  log.info("stopping");
                  node.close();
                  unregister(registry, node);
                  log.info("stopped");
                  closed.countDown();
                },
                "theseus-stop"));
    PrintWriter out = spec.commandLine().getOut();
    out.print(greeting(node));
    out.flush();
    ThreadCheck threads = new ThreadCheck();
    while (!closed.await(ThreadCheck.INTERVAL.toMillis(), TimeUnit.MILLISECONDS)) {
      if (threads.isOut()) {
        log.error("{}", ThreadCheck.OUT);
        Runtime.getRuntime().halt(ExitCode.INTERNAL.number()); // an orderly end needs threads
      }
    }
    return ExitCode.OK.number();
  }

  /** Where everything is, for whoever started the node. */
  static String greeting(Node node) {
    NodeSettings settings = node.settings();
    StringBuilder text = new StringBuilder();
    text.append(String.format("Theseus %s, node %s%n", Node.version(), settings.id()));
    row(text, "files", settings.store().root() + " (--root DIR serves another directory)");
    row(text, "state", settings.dataDir().toString());
    node.packetsAddress()
        .ifPresent(
            address -> {
              row(text, "clients", address);
              row(text, "", "theseus put FILE --server " + address);
              row(text, "", "theseus get NAME --server " + address);
            });
    node.tlsAddress().ifPresent(address -> row(text, "with TLS", address));
    row(text, "cluster", node.waitsFor().orElse("joined"));
    row(text, "log", "standard error (--set log.format=json for machines)");
    row(text, "status", "theseus status");
    text.append(String.format("Stop it with Ctrl-C.%n"));
    return text.toString();
  }

  private static void row(StringBuilder text, String name, String value) {
    text.append(String.format("  %-8s %s%n", name, value));
  }

  /** A convenience for `theseus status`; a node without it runs as well. */
  private static void register(RunRegistry registry, Node node) {
    try {
      registry.add(node.settings().id(), node.settings().dataDir());
    } catch (IOException e) {
      log.info("theseus status finds this node from here only, or by --config: {}", e.toString());
    }
  }

  private static void unregister(RunRegistry registry, Node node) {
    try {
      registry.remove(node.settings().id());
    } catch (IOException e) {
      log.debug("the entry of this node could not be removed", e);
    }
  }
}
