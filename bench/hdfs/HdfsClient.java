import io.theseus.bench.Pattern;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.BlockLocation;
import org.apache.hadoop.fs.CreateFlag;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.hdfs.DistributedFileSystem;
import org.apache.hadoop.hdfs.HdfsConfiguration;
import org.apache.hadoop.hdfs.protocol.HdfsConstants.DatanodeReportType;

/**
 * HDFS's own client as the load of {@code theseus bench backup}; compiled when it is started.
 *
 * <p>A line each: {@code nodes} answers how many DataNodes live; {@code put PREFIX CONNECTIONS
 * FILES BYTES} writes as load_put does, each file made durable on all replicas (hsync) every 8 MiB
 * and at the end of each block, and answers as load_put does; {@code check NAME} answers the least
 * number of replicas of a block and the file's SHA-256; {@code remove NAME} removes it.
 */
public final class HdfsClient {
  private static final long SYNC_EVERY = 8 << 20;

  private final Configuration configuration = new HdfsConfiguration();
  private final DistributedFileSystem files;

  private HdfsClient() throws IOException {
    files = (DistributedFileSystem) FileSystem.get(configuration);
  }

  /** Answers each line of standard input. */
  public static void main(String[] arguments) throws Exception {
    HdfsClient client = new HdfsClient();
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      System.out.println(client.answer(line.split(" ", -1)));
    }
  }

  private String answer(String[] words) throws Exception {
    return switch (words[0]) {
      case "nodes" -> Integer.toString(files.getDataNodeStats(DatanodeReportType.LIVE).length);
      case "put" ->
          put(
              words[1],
              Integer.parseInt(words[2]),
              Integer.parseInt(words[3]),
              Long.parseLong(words[4]));
      case "check" -> check(new Path(words[1]));
      case "remove" -> Boolean.toString(files.delete(new Path(words[1]), /* recursive= */ false));
      default -> throw new IllegalArgumentException(words[0]);
    };
  }

  private String put(String prefix, int connections, int count, long bytes) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(connections);
    AtomicInteger next = new AtomicInteger();
    try {
      long began = System.nanoTime();
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < connections; i++) {
        all.add(
            threads.submit(
                () -> {
                  for (int n = next.getAndIncrement(); n < count; n = next.getAndIncrement()) {
                    put(new Path(String.format(Locale.ROOT, "%s%06d", prefix, n)), n, bytes);
                  }
                  return null;
                }));
      }
      for (Future<?> each : all) {
        each.get();
      }
      return String.format(
          Locale.ROOT,
          "{\"files\": %d, \"bytes\": %d, \"seconds\": %.6f}",
          count,
          count * bytes,
          (System.nanoTime() - began) / 1e9);
    } finally {
      threads.shutdown();
    }
  }

  private void put(Path name, int index, long bytes) throws IOException {
    try (FSDataOutputStream out =
        files.create(
            name,
            FsPermission.getFileDefault(),
            // without SYNC_BLOCK the last bytes of a block are nobody's to sync once it is full
            EnumSet.of(CreateFlag.CREATE, CreateFlag.OVERWRITE, CreateFlag.SYNC_BLOCK),
            configuration.getInt("io.file.buffer.size", 4096),
            files.getDefaultReplication(name),
            files.getDefaultBlockSize(name),
            /* progress= */ null)) {
      for (long at = 0; at < bytes; at += SYNC_EVERY) {
        Pattern.each(index, at, Math.min(SYNC_EVERY, bytes - at), out::write);
        if (at + SYNC_EVERY < bytes) {
          out.hsync();
        }
      }
    }
  }

  private String check(Path name) throws IOException {
    FileStatus status = files.getFileStatus(name);
    int least = Integer.MAX_VALUE;
    for (BlockLocation block : files.getFileBlockLocations(status, 0, status.getLen())) {
      least = Math.min(least, block.getNames().length);
    }
    MessageDigest digest = Pattern.sha256();
    byte[] buffer = new byte[1 << 20];
    try (InputStream in = files.open(name)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
      }
    }
    return least + " " + HexFormat.of().formatHex(digest.digest());
  }
}
