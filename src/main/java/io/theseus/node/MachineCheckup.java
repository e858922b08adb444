package io.theseus.node;

import io.netty.channel.epoll.Epoll;
import io.theseus.admin.jmx.RunFile;
import io.theseus.journal.JournalDatabase;
import io.theseus.store.FileStore;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What this machine and process can do for a node. */
final class MachineCheckup {
  private static final long MANY_DESCRIPTORS = 10_000;
  private static final long LITTLE_MEMORY = 512L << 20;

  private final NodeSettings settings;

  MachineCheckup(NodeSettings settings) {
    this.settings = settings;
  }

  List<Finding> findings() {
    List<Finding> findings = new ArrayList<>();
    findings.add(
        Finding.ok(
            "Java",
            Runtime.version() + ", " + System.getProperty("java.vendor", "unknown vendor")));
    findings.add(memory(Runtime.getRuntime().maxMemory(), physicalMemory()));
    findings.add(names(System.getProperty("sun.jnu.encoding", "?")));
    findings.add(privileges());
    findings.add(descriptors(Descriptors.ofProcess()));
    findings.add(sockets());
    findings.add(journal());
    findings.add(calls());
    findings.add(
        port(
            "clients",
            "theseus.packets.port",
            settings.packets().host(),
            settings.packets().port()));
    findings.add(
        port(
            "cluster",
            "theseus.cluster.port",
            settings.cluster().host(),
            settings.cluster().port()));
    return findings;
  }

  static Finding memory(long heap, long physical) {
    String text =
        "heap up to " + (heap >> 20) + " MiB" + (physical > 0 ? " of " + (physical >> 20) : "");
    if (physical > 0 && heap > physical - physical / 8) {
      return Finding.warning(
          "memory",
          text,
          "leave room beside the heap: THESEUS_JAVA_OPTS=-Xmx" + (physical >> 21) + "m");
    }
    return heap >= LITTLE_MEMORY / 2
        ? Finding.ok("memory", text + " MiB".repeat(physical > 0 ? 1 : 0))
        : Finding.warning("memory", text, "give the node more: THESEUS_JAVA_OPTS=-Xmx512m");
  }

  private static long physicalMemory() {
    return ManagementFactory.getOperatingSystemMXBean()
            instanceof com.sun.management.OperatingSystemMXBean system
        ? system.getTotalMemorySize()
        : 0;
  }

  static Finding names(String encoding) {
    return encoding.equalsIgnoreCase("UTF-8")
        ? Finding.ok("names", "UTF-8")
        : Finding.no(
            "names",
            "file names are " + encoding + " for Java: others than ASCII can't be served",
            "set the locale where the node is started: LC_ALL=C.UTF-8");
  }

  private static Finding privileges() {
    String user = System.getProperty("user.name", "?");
    boolean root;
    try {
      root = Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
    } catch (IOException | RuntimeException e) {
      root = user.equals("root");
    }
    return root
        ? Finding.warning(
            "user",
            "root, of whose rights a node needs none",
            "run it as a user of its own: useradd --system theseus")
        : Finding.ok("user", user);
  }

  static Finding descriptors(Descriptors descriptors) {
    String text = descriptors.limit() + " may be open";
    if (descriptors.limit() < Descriptors.LEAST) {
      return Finding.no(
          "descriptors", text + " (expected: >= " + Descriptors.LEAST + ")", Descriptors.REMEDY);
    }
    String connections = ", enough for " + descriptors.mostConnections(0) + " connections";
    return descriptors.limit() >= MANY_DESCRIPTORS
        ? Finding.ok("descriptors", text + connections)
        : Finding.warning("descriptors", text + connections, Descriptors.REMEDY);
  }

  private static Finding sockets() {
    return Epoll.isAvailable()
        ? Finding.ok("sockets", "epoll")
        : Finding.warning(
            "sockets",
            "Java's own, without epoll: " + message(Epoll.unavailabilityCause()),
            "run on Linux, x86-64 or ARM64, with a temporary directory that allows execution");
  }

  private Finding journal() {
    Optional<String> failure = JournalDatabase.nativeLibraryFailure(settings.dataDir());
    return failure.isEmpty()
        ? Finding.ok("journal", "LevelDB, native")
        : Finding.warning(
            "journal",
            "LevelDB in Java, the native one does not load: " + failure.get(),
            "run on Linux, x86-64, with a temporary or data directory that allows execution");
  }

  private static Finding calls() {
    return FileStore.hasNativeCalls()
        ? Finding.ok("system calls", "read-ahead, attributes and pipes")
        : Finding.warning(
            "system calls",
            "the library for them does not load: no read-ahead, no live source from a pipe",
            "let the temporary directory allow execution, or set -Djna.tmpdir to one that does");
  }

  private Finding port(String check, String key, String host, int port) {
    String address = NodeSettings.address(host, port);
    String option = key.substring("theseus.".length());
    InetAddress bind;
    try {
      bind = InetAddress.getByName(host);
    } catch (UnknownHostException e) {
      return Finding.no(
          check,
          host + " is no address of this machine",
          "set " + key.replace(".port", ".host") + " to one");
    }
    try (ServerSocket probe = new ServerSocket()) {
      probe.setReuseAddress(true);
      probe.bind(new InetSocketAddress(bind, port));
      return Finding.ok(check, port == 0 ? "a free port of " + host : address + " is free");
    } catch (IOException e) {
      if (!PortInUse.isCause(e)) {
        return Finding.no(
            check,
            address + " can't be listened on: " + e.getMessage(),
            port > 0 && port < 1024
                ? "a port below 1024 needs a privilege: --set " + option + "=PORT"
                : "set " + key.replace(".port", ".host") + " to an address of this machine");
      }
      Optional<RunFile> running = running();
      if (running.isPresent()) {
        return Finding.ok(
            check,
            address
                + " is in use, and node "
                + running.get().node()
                + " runs here, process "
                + running.get().pid());
      }
      return Finding.no(
          check,
          address + " is in use by " + PortInUse.owner(port),
          "stop that, or choose another port: --set " + option + "=PORT");
    }
  }

  /** The node that runs in the data directory. */
  private Optional<RunFile> running() {
    return RunFile.read(RunFile.in(settings.dataDir()))
        .filter(run -> ProcessHandle.of(run.pid()).isPresent());
  }

  private static String message(Throwable failure) {
    return failure.getMessage() == null
        ? failure.getClass().getSimpleName().toLowerCase(Locale.ROOT)
        : failure.getMessage();
  }
}
