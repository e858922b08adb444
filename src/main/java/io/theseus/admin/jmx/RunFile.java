package io.theseus.admin.jmx;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * What {@code data-dir/run/node.json} says about a running node: how to reach it from this host.
 * Whoever can read the file may do what the node's owner may; hence its mode, 0600.
 *
 * @param url JMX service address, on loopback
 * @param secret what the JMX door asks for
 * @param objectName of the node's MBean
 * @param packets the address that clients reach; empty where it isn't known
 * @param startedAt RFC 3339
 * @param labKey the key whose modules it accepts without being told of any; empty for none
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record RunFile(
    String node,
    long pid,
    String version,
    String dataDir,
    String url,
    String secret,
    String objectName,
    String packets,
    String startedAt,
    String labKey) {

  public RunFile {
    labKey = Objects.requireNonNullElse(labKey, ""); // a version without it
  }

  private static final String NAME = "node.json";
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The file of the node that has a data directory. */
  public static Path in(Path dataDir) {
    return dataDir.resolve("run").resolve(NAME);
  }

  /** Writes the file, whole and private from the start. */
  public void write(Path file) throws IOException {
    Path fresh = file.resolveSibling(NAME + ".new");
    Files.deleteIfExists(fresh);
    try (FileChannel channel =
        FileChannel.open(
            fresh,
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
      ByteBuffer bytes =
          ByteBuffer.wrap(JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(this));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    }
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
  }

  /**
   * Whether a file belongs to this process's user. What it names is trusted like the user's own
   * code, so nothing is taken from a file that somebody else put there.
   */
  static boolean isOwn(Path file) {
    try {
      Object owner = Files.getAttribute(file, "unix:uid", LinkOption.NOFOLLOW_LINKS);
      return owner.equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
    } catch (IOException | UnsupportedOperationException e) {
      return false;
    }
  }

  /** Reads a file; empty when it isn't there, or no run file. */
  public static Optional<RunFile> read(Path file) {
    try {
      return Files.isRegularFile(file)
          ? Optional.of(JSON.readValue(Files.readAllBytes(file), RunFile.class))
          : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Whether the process that wrote the file is gone, as after {@code kill -9}. */
  @JsonIgnore
  public boolean isStale() {
    return ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isEmpty();
  }

  /** Without the secret. */
  @Override
  public String toString() {
    return "node " + node + " (process " + pid + ", data-dir " + dataDir + ")";
  }
}
