package io.theseus.testing;

import io.theseus.admin.jmx.RunFile;
import io.theseus.client.NodeAddress;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The classes that a node loads, parsed and verified beforehand by the JVM (class data sharing): a
 * process starts in half the time, and tests start hundreds. Made once for each Java and jar, where
 * system property {@code process.archives} names a directory; without one the flags are none.
 */
final class ClassArchive {
  private static final String DIRECTORY = System.getProperty("process.archives", "");
  private static final long PATIENCE_SECONDS = 60;
  private static final Map<Path, List<String>> KNOWN = new HashMap<>();

  private ClassArchive() {}

  /** What a JVM has to be told; a jar or Java of another time is no error, but without effect. */
  static synchronized List<String> flags(List<String> java, Path jar) throws IOException {
    if (DIRECTORY.isEmpty()) {
      return List.of();
    }
    Path archive =
        Path.of(DIRECTORY)
            .toAbsolutePath()
            .resolve(
                "%x-%x.jsa"
                    .formatted(
                        Path.of(java.get(0)).toRealPath().hashCode(),
                        Files.getLastModifiedTime(jar).toMillis()));
    List<String> flags = KNOWN.get(archive);
    if (flags == null) {
      flags =
          Files.exists(archive) || isMade(archive, java, jar)
              ? List.of("-XX:SharedArchiveFile=" + archive, "-Xlog:cds*=off")
              : List.of();
      KNOWN.put(archive, flags);
    }
    return flags;
  }

  /** Without an archive tests take longer, and that is all. */
  private static boolean isMade(Path archive, List<String> java, Path jar) {
    try {
      return make(archive, java, jar);
    } catch (IOException e) {
      System.err.println("no archive of classes: " + e);
      return false;
    }
  }

  /** Lets a node serve a little and end; false where the JVM wrote no archive then. */
  private static boolean make(Path archive, List<String> java, Path jar) throws IOException {
    Files.createDirectories(archive.getParent());
    Path work = Files.createTempDirectory(archive.getParent(), "work-");
    Path fresh = work.resolve("fresh.jsa");
    Path data = work.resolve("data");
    List<String> command = new ArrayList<>(java);
    command.addAll(List.of("-Xmx320m", "-XX:+UseSerialGC", "-XX:ArchiveClassesAtExit=" + fresh));
    command.addAll(List.of("-jar", jar.toString(), "node"));
    for (String setting : List.of("data-dir=" + data, "packets.port=0", "cluster.port=0")) {
      command.addAll(List.of("--set", setting));
    }
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(work.resolve("log").toFile());
    builder.environment().put("XDG_RUNTIME_DIR", work.toString());
    Process node = builder.start();
    try {
      serve(node, data);
      node.destroy();
      return node.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)
          && Files.exists(fresh)
          && Files.exists(Files.move(fresh, archive, StandardCopyOption.ATOMIC_MOVE));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } finally {
      node.destroyForcibly();
    }
  }

  private static void serve(Process node, Path data) throws IOException, InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (RunFile.read(RunFile.in(data)).isEmpty()) {
      if (node.waitFor(20, TimeUnit.MILLISECONDS) || System.nanoTime() > end) {
        throw new IOException("no node to make an archive of; see " + data.resolveSibling("log"));
      }
    }
    NodeAddress at = NodeAddress.parse(RunFile.read(RunFile.in(data)).orElseThrow().packets());
    InetSocketAddress address = new InetSocketAddress(at.host(), at.port());
    Content content = Content.random(1, 1 << 20);
    new RawPut("a", content, /* sized= */ true, 1 << 16, 1 << 20).run(address);
    new RawGet("a", content, 1 << 20, 1 << 16).run(address);
  }
}
