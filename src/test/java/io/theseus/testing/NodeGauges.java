package io.theseus.testing;

import com.sun.management.UnixOperatingSystemMXBean;
import io.theseus.admin.NodeStatus;
import io.theseus.admin.jmx.RunFile;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.lang.management.MemoryUsage;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
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
   */
  public record Reading(
      long heapBytes, long bufferBytes, long residentBytes, long threads, long descriptors) {}

  private final RunFile run;
  private final JMXConnector connector;
  private final MBeanServerConnection server;
  private final MemoryMXBean memory;

  private NodeGauges(RunFile run, JMXConnector connector) throws IOException {
    this.run = run;
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
    return new NodeGauges(run, connector);
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
    long descriptors =
        ManagementFactory.newPlatformMXBeanProxy(
                server,
                ManagementFactory.OPERATING_SYSTEM_MXBEAN_NAME,
                UnixOperatingSystemMXBean.class)
            .getOpenFileDescriptorCount();
    return new Reading(
        heap.getUsed(),
        status().counters().getOrDefault("buffer-bytes", 0L),
        residentBytes(run.pid()),
        threads,
        descriptors);
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
