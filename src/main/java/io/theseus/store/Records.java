package io.theseus.store;

import io.theseus.steps.Steps;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is remembered of completed uploads that no file names any more: one append-only file of text
 * lines, {@code checksum format state untilMillis session size identity sha256 name}.
 *
 * <p>An append is durable before {@link #persist} returns. A kill can tear the last append only:
 * damaged lines at the end are dropped, one that is followed by a sound line is corruption, and the
 * store refuses to start. Lines whose time is over are dropped when the file is written anew, at
 * start and whenever it has doubled; from memory, with each append.
 */
final class Records implements Closeable {
  /** What a line says of its upload. */
  enum State {
    /** It was committed; the file has been replaced or removed since, or is about to be. */
    DONE,
    /**
     * It is committed as soon as its part is gone from staging (where files have no attributes).
     */
    INTENT,
    /** It was given up after an INTENT. */
    VOID
  }

  /** One line. */
  record Entry(State state, Instant until, Completed completed) {}

  private static final Logger LOG = LoggerFactory.getLogger(Records.class);
  private static final String FILE = "completed";
  private static final String FORMAT = "1";
  private static final int FIELDS = 9;
  private static final String UNKNOWN = "-";
  private static final long LEAST_REWRITE_BYTES = 1 << 20;

  private final Path directory;
  private final Clock clock;
  private final Steps steps;
  private final long leastRewriteBytes;

  /** By session, those that were remembered first in front. */
  private final Map<UUID, Entry> entries = new LinkedHashMap<>();

  private FileChannel channel;
  private GroupForce force;
  private long length;
  private long rewriteAt;

  static Records open(Path directory, Clock clock, Steps steps) throws IOException {
    return open(directory, clock, steps, LEAST_REWRITE_BYTES);
  }

  /** The same, written anew when it has doubled and has so many bytes. */
  static Records open(Path directory, Clock clock, Steps steps, long leastRewriteBytes)
      throws IOException {
    Files.createDirectories(directory);
    return new Records(directory, clock, steps, leastRewriteBytes);
  }

  private Records(Path directory, Clock clock, Steps steps, long leastRewriteBytes)
      throws IOException {
    this.leastRewriteBytes = leastRewriteBytes;
    this.directory = directory;
    this.clock = clock;
    this.steps = steps;
    Path file = directory.resolve(FILE);
    if (Files.exists(file)) {
      read(file);
    }
    rewrite();
    this.channel = openChannel();
    this.force = new GroupForce();
    this.rewriteAt = rewriteAt();
  }

  private static void force(FileChannel channel) throws IOException {
    try {
      Fsync.force(channel, false);
    } catch (ClosedChannelException e) {
      // written anew meanwhile, with all that this one held, and forced there
      LOG.debug("records were written anew during an fsync");
    }
  }

  /** What is remembered of a session whose time is not over. */
  synchronized Optional<Entry> find(UUID session) {
    Entry entry = entries.get(session);
    return entry == null || entry.state() == State.VOID || isOver(entry)
        ? Optional.empty()
        : Optional.of(entry);
  }

  /** Entries in memory, those that say nothing any more too. */
  synchronized int size() {
    return entries.size();
  }

  /** Remembers, durably. */
  void persist(Entry entry) throws IOException {
    FileChannel mine;
    GroupForce group;
    synchronized (this) {
      if (length >= rewriteAt) {
        rewrite();
        FileChannel old = channel;
        channel = openChannel();
        force = new GroupForce();
        rewriteAt = rewriteAt();
        old.close();
      }
      append(line(entry));
      forgetFirst();
      remember(entry);
      mine = channel;
      group = force;
    }
    group.force(() -> force(mine));
    steps.at("record.persisted");
  }

  @Override
  public synchronized void close() throws IOException {
    channel.close();
  }

  private void remember(Entry entry) {
    UUID session = entry.completed().session();
    entries.remove(session); // so that it stands last
    entries.put(session, entry);
  }

  /** Forgets those in front whose time is over; what is behind one that stays goes with it. */
  private void forgetFirst() {
    Iterator<Entry> first = entries.values().iterator();
    while (first.hasNext() && isOver(first.next())) {
      first.remove();
    }
  }

  private void append(String line) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8));
    int size = bytes.remaining();
    try {
      channel.position(length);
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      length += size;
    } catch (IOException e) {
      // half a line in the middle would be taken for corruption
      channel.truncate(length);
      throw e;
    }
  }

  private void read(Path file) throws IOException {
    // bytes that are no UTF-8 become other characters, which the checksum finds
    String[] lines = new String(Files.readAllBytes(file), StandardCharsets.UTF_8).split("\n", -1);
    List<Integer> damaged = new ArrayList<>();
    for (int i = 0; i < lines.length; i++) {
      // what follows the last line feed is empty, or torn
      Optional<Entry> entry = i == lines.length - 1 ? Optional.empty() : parse(lines[i]);
      if (entry.isPresent()) {
        if (!damaged.isEmpty()) {
          throw new IOException(
              file
                  + ": line "
                  + (damaged.get(0) + 1)
                  + " is damaged (expected: its checksum; remove the line, and resumed uploads that"
                  + " it named are not answered again)");
        }
        remember(entry.get());
      } else if (i < lines.length - 1 || !lines[i].isEmpty()) {
        damaged.add(i);
      }
    }
    if (!damaged.isEmpty()) {
      LOG.info("{}: {} torn lines at the end dropped", file, damaged.size());
    }
  }

  /** Writes what still counts into a new file and puts it in the place of the old one. */
  private void rewrite() throws IOException {
    entries.values().removeIf(entry -> isOver(entry) || entry.state() == State.VOID);
    StringBuilder lines = new StringBuilder();
    entries.values().forEach(entry -> lines.append(line(entry)));
    byte[] bytes = lines.toString().getBytes(StandardCharsets.UTF_8);
    DurableFile.replace(directory, FILE, ByteBuffer.wrap(bytes));
    length = bytes.length;
  }

  private FileChannel openChannel() throws IOException {
    return FileChannel.open(directory.resolve(FILE), StandardOpenOption.WRITE);
  }

  private boolean isOver(Entry entry) {
    return entry.until().isBefore(clock.instant());
  }

  private long rewriteAt() {
    return Math.max(leastRewriteBytes, 2 * length);
  }

  static String line(Entry entry) {
    Completed completed = entry.completed();
    String text =
        String.join(
            " ",
            FORMAT,
            entry.state().name(),
            Long.toString(entry.until().toEpochMilli()),
            completed.session().toString(),
            Long.toString(completed.size()),
            completed.identity(),
            completed.sha256().orElse(UNKNOWN),
            completed.name().value());
    return checksum(text) + " " + text + "\n";
  }

  private static Optional<Entry> parse(String line) {
    String[] fields = line.split(" ", FIELDS);
    if (fields.length != FIELDS
        || !fields[0].equals(checksum(line.substring(Math.min(line.length(), 9))))) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          new Entry(
              State.valueOf(fields[2]),
              Instant.ofEpochMilli(Long.parseLong(fields[3])),
              new Completed(
                  UUID.fromString(fields[4]),
                  FileName.parse(fields[8]),
                  Long.parseLong(fields[5]),
                  fields[6],
                  fields[7].equals(UNKNOWN) ? Optional.empty() : Optional.of(fields[7]))));
    } catch (IllegalArgumentException | ProtocolException e) {
      return Optional.empty();
    }
  }

  private static String checksum(String text) {
    CRC32C crc = new CRC32C();
    crc.update(text.getBytes(StandardCharsets.UTF_8));
    return String.format("%08x", crc.getValue());
  }
}
