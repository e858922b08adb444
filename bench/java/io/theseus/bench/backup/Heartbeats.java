package io.theseus.bench.backup;

import akka.event.EventStream;
import akka.remote.FailureDetector;
import akka.remote.PhiAccrualFailureDetector;
import com.typesafe.config.Config;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;

/**
 * Writes down how a node sees the heartbeats of another one: Akka's failure detector, which is
 * asked for phi whenever a heartbeat comes, before it hears of it. That is the highest that phi was
 * since the last one.
 *
 * <p>It comes into a node's class path as an agent that does nothing else, so that the node is
 * started from its jar as always.
 */
public final class Heartbeats implements FailureDetector {
  private static final String FILE = "bench.heartbeats";
  private static final String SETTING = "akka.cluster.failure-detector.implementation-class";

  private final PhiAccrualFailureDetector detector;
  private final BufferedWriter out;
  private long lastNanos;

  /** As Akka makes one for each other node. */
  public Heartbeats(Config config, EventStream events) {
    detector = new PhiAccrualFailureDetector(config, events);
    try {
      out =
          Files.newBufferedWriter(
              Path.of(System.getProperty(FILE)),
              StandardOpenOption.CREATE,
              StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public boolean isAvailable() {
    return detector.isAvailable();
  }

  @Override
  public boolean isMonitoring() {
    return detector.isMonitoring();
  }

  @Override
  public synchronized void heartbeat() {
    long now = System.nanoTime();
    if (detector.isMonitoring()) {
      try {
        out.write(
            String.format(
                Locale.ROOT,
                "%d %.1f %.6f%n",
                System.currentTimeMillis(),
                (now - lastNanos) / 1e6,
                Math.max(0, detector.phi()))); // not -0
        out.flush();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    lastNanos = now;
    detector.heartbeat();
  }

  /** The agent. */
  public static void premain(String argument) {
    // its jar is in the class path now
  }

  /** Makes the agent's jar. */
  static void writeAgent(Path jar) throws IOException {
    String name = Heartbeats.class.getName();
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest.getMainAttributes().putValue("Premain-Class", name);
    String entry = name.replace('.', '/') + ".class";
    try (OutputStream file = Files.newOutputStream(jar);
        JarOutputStream out = new JarOutputStream(file, manifest);
        InputStream classFile = Heartbeats.class.getClassLoader().getResourceAsStream(entry)) {
      if (classFile == null) {
        throw new IOException(entry + ": not in the class path");
      }
      out.putNextEntry(new JarEntry(entry));
      classFile.transferTo(out);
    }
  }

  /** What a JVM is told, so that a node can be told of it. */
  static List<String> options(Path jar, Path file) {
    return List.of("-javaagent:" + jar, "-D" + FILE + "=" + file);
  }

  /** What a node is told. */
  static String setting() {
    return SETTING + "=" + Heartbeats.class.getName();
  }

  /** What a JVM is told that has this class in its class path. */
  static List<String> options(Path file) {
    return List.of("-D" + FILE + "=" + file, "-D" + setting());
  }
}
