package io.theseus.admin.jmx;

import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import io.theseus.admin.NodeStatus;
import io.theseus.admin.Operations;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import javax.management.ObjectName;

/**
 * Reaches a node of this host, through the run file in its data directory.
 *
 * <p>Which one: with a config file, the node of its {@code theseus.data-dir}. Without, the one that
 * runs among {@code ./data}, the directories in {@code ./data}, and the nodes that this user
 * started elsewhere ({@link RunRegistry}).
 */
public final class StatusClient {
  /** No node, or several, or one that does not answer; the message says what to do. */
  public static final class UnreachableException extends Exception {
    private static final long serialVersionUID = 1L;

    private final boolean severalRun;

    UnreachableException(String message, boolean severalRun) {
      super(message);
      this.severalRun = severalRun;
    }

    /** Whether nodes do run, but it isn't clear which one is meant. */
    public boolean severalRun() {
      return severalRun;
    }
  }

  private final Path workingDir;
  private final RunRegistry registry;
  private final Duration patience;

  /**
   * A client.
   *
   * @param workingDir what relative paths start from
   * @param patience how long a node may take to answer
   */
  public StatusClient(Path workingDir, RunRegistry registry, Duration patience) {
    this.workingDir = workingDir;
    this.registry = registry;
    this.patience = patience;
  }

  /** The node that runs, or that of a config file. */
  public RunFile find(Optional<Path> configFile) throws UnreachableException {
    if (configFile.isPresent()) {
      Path dataDir = dataDir(configFile.get());
      Path file = RunFile.in(dataDir);
      if (Files.exists(file) && !RunFile.isOwn(file)) {
        throw new UnreachableException(
            "the node of " + dataDir + " runs as another user; ask as that user", false);
      }
      return running(dataDir)
          .orElseThrow(
              () ->
                  new UnreachableException(
                      "no node runs on "
                          + dataDir
                          + "; start it: theseus node --config "
                          + configFile.get(),
                      false));
    }
    List<RunFile> all = candidates().stream().flatMap(each -> running(each).stream()).toList();
    if (all.isEmpty()) {
      throw new UnreachableException(
          "no node of this user runs here; start one: theseus node", false);
    }
    if (all.size() > 1) {
      throw new UnreachableException(
          "several nodes run here; say which one by --config FILE:\n"
              + all.stream().map(each -> "  " + each).collect(Collectors.joining("\n")),
          true);
    }
    return all.get(0);
  }

  /** A node's status, now. */
  public NodeStatus status(RunFile node) throws UnreachableException {
    return NodeCall.ask(
        node,
        patience,
        connection ->
            NodeStatus.fromJson(
                String.valueOf(
                    connection.getAttribute(new ObjectName(node.objectName()), "Status"))));
  }

  /** What can be done to a node's cluster. */
  public static Operations operations(RunFile node) {
    return new RemoteOperations(node);
  }

  private Path dataDir(Path configFile) throws UnreachableException {
    Path file = workingDir.resolve(configFile);
    if (!Files.isRegularFile(file)) {
      throw new UnreachableException(
          "--config: \"" + configFile + "\" (expected: a file that exists)", false);
    }
    try {
      String dataDir =
          ConfigFactory.systemProperties()
              .withFallback(ConfigFactory.parseFile(file.toFile()))
              .withFallback(
                  ConfigFactory.parseResources(
                      StatusClient.class.getClassLoader(),
                      "application.conf",
                      ConfigParseOptions.defaults()))
              .withFallback(ConfigFactory.defaultReferenceUnresolved())
              .resolve()
              .getString("theseus.data-dir");
      return workingDir.resolve(dataDir).normalize();
    } catch (com.typesafe.config.ConfigException e) {
      throw new UnreachableException("--config: " + e.getMessage(), false);
    }
  }

  private Set<Path> candidates() {
    List<Path> found = new ArrayList<>();
    Path data = workingDir.resolve("data");
    found.add(data);
    if (Files.isDirectory(data)) {
      try (DirectoryStream<Path> inside = Files.newDirectoryStream(data)) {
        inside.forEach(found::add);
      } catch (IOException | DirectoryIteratorException e) {
        // not ours to read
      }
    }
    found.addAll(registry.dataDirs());
    Set<Path> real = new LinkedHashSet<>();
    for (Path each : found) {
      try {
        real.add(each.toRealPath());
      } catch (IOException e) {
        // not there
      }
    }
    return real;
  }

  private static Optional<RunFile> running(Path dataDir) {
    Path file = RunFile.in(dataDir);
    return RunFile.isOwn(file)
        ? RunFile.read(file).filter(each -> !each.isStale())
        : Optional.empty();
  }
}
