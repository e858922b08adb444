package io.theseus.testing;

import io.theseus.admin.NodeStatus;
import io.theseus.admin.jmx.RunFile;
import java.io.IOException;
import java.lang.management.ClassLoadingMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryUsage;
import java.lang.management.ThreadMXBean;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import javax.management.JMException;
import javax.management.MBeanServerConnection;
import javax.management.ObjectName;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;

/** What a node's process uses, as its JVM and the kernel say. */
public final class NodeGauges implements AutoCloseable {
  /**
   * One reading.
   *
   * @param heapBytes live objects: what is left after a full collection
   * @param bufferBytes buffers of connections outside the heap
   * @param residentBytes physical memory of the whole process
   * @param descriptors open ones, but for the journal's: it has a bounded number of tables open
   */
  public record Reading(
      long heapBytes, long bufferBytes, long residentBytes, long threads, long descriptors) {}

  private final RunFile run;
  private final Path journal;
  private final JMXConnector connector;
  private final MBeanServerConnection server;
  private final MemoryMXBean memory;

  private NodeGauges(RunFile run, JMXConnector connector, Path journal) throws IOException {
    this.run = run;
    this.journal = journal;
    this.connector = connector;
    this.server = connector.getMBeanServerConnection();
    this.memory =
        ManagementFactory.newPlatformMXBeanProxy(
            server, ManagementFactory.MEMORY_MXBEAN_NAME, MemoryMXBean.class);
  }

  /** Those of the node that runs on a data directory. */
  @SuppressWarnings("BanJNDI") // an address that the node wrote for its owner
  public static NodeGauges of(Path dataDir) throws IOException {
    RunFile run = RunFile.read(RunFile.in(dataDir)).orElseThrow();
    JMXConnector connector =
        JMXConnectorFactory.connect(
            new JMXServiceURL(run.url()), Map.of(JMXConnector.CREDENTIALS, run.secret()));
    return new NodeGauges(run, connector, dataDir.toRealPath().resolve("journal"));
  }

  /** Collects all garbage, then reads. */
  public Reading read() throws IOException {
    // twice: what the first one enqueued (cleaners, references) is gone after the second
    memory.gc();
    memory.gc();
    MemoryUsage heap = memory.getHeapMemoryUsage();
    long threads =
        ManagementFactory.newPlatformMXBeanProxy(
                server, ManagementFactory.THREAD_MXBEAN_NAME, ThreadMXBean.class)
            .getThreadCount();
    return new Reading(
        heap.getUsed(),
        status().counters().getOrDefault("buffer-bytes", 0L),
        residentBytes(run.pid()),
        threads,
        descriptors());
  }

  /**
   * What versions of code use.
   *
   * @param classes that are loaded, after a full collection
   */
  public record Code(
      long classes, long metaspaceBytes, long threads, long descriptors, long heapBytes) {}

  /** Collects all garbage, then reads what code uses. */
  public Code code() throws IOException {
    Reading reading = read();
    long classes =
        ManagementFactory.newPlatformMXBeanProxy(
                server, ManagementFactory.CLASS_LOADING_MXBEAN_NAME, ClassLoadingMXBean.class)
            .getLoadedClassCount();
    return new Code(
        classes, metaspaceBytes(), reading.threads(), reading.descriptors(), reading.heapBytes());
  }

  private long metaspaceBytes() throws IOException {
    return ManagementFactory.newPlatformMXBeanProxy(
            server,
            ManagementFactory.MEMORY_POOL_MXBEAN_DOMAIN_TYPE + ",name=Metaspace",
            MemoryPoolMXBean.class)
        .getUsage()
        .getUsed();
  }

  /** Open descriptors, but for the journal's files. */
  public long descriptors() throws IOException {
    long count = 0;
    try (DirectoryStream<Path> open =
        Files.newDirectoryStream(Path.of("/proc/" + run.pid() + "/fd"))) {
      for (Path each : open) {
        if (!isOfJournal(each)) {
          count++;
        }
      }
    }
    return count;
  }

  private boolean isOfJournal(Path descriptor) throws IOException {
    try {
      return Files.readSymbolicLink(descriptor).startsWith(journal);
    } catch (NoSuchFileException e) {
      return true; // closed meanwhile
    }
  }

  /** The node's status. */
  public NodeStatus status() throws IOException {
    try {
      return NodeStatus.fromJson(
          String.valueOf(server.getAttribute(new ObjectName(run.objectName()), "Status")));
    } catch (JMException e) {
      throw new IOException(e);
    }
  }

  /** Physical memory of a process. */
  public static long residentBytes(long pid) throws IOException {
    return Files.readAllLines(Path.of("/proc/" + pid + "/status")).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
        .findFirst()
        .orElse(0);
  }

  @Override
  public void close() throws IOException {
    connector.close();
  }
}
