package io.theseus.store;

import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The configured live sources of a node, by name. */
public final class LiveSources implements Closeable {
  /** The bytes that a live stream keeps, unless configured. */
  public static final int DEFAULT_WINDOW_BYTES = 8 << 20;

  /** None at all. */
  public static final LiveSources NONE = new LiveSources(Map.of(), DEFAULT_WINDOW_BYTES);

  private final NavigableMap<FileName, LiveSource> sources;
  private final int windowBytes;
  // the FIFOs that have their one reader
  private final Set<FileName> taken = ConcurrentHashMap.newKeySet();
  private final @Nullable Path spoolDirectory;
  // guarded by itself, with `closed`
  private final Map<FileName, Spool> spools = new HashMap<>();
  private boolean closed;

  /**
   * The sources by name, none of them spooled.
   *
   * @param windowBytes how much of a source's output a stream keeps until it is released
   */
  public LiveSources(Map<FileName, LiveSource> sources, int windowBytes) {
    this(sources, windowBytes, null);
  }

  /**
   * The sources by name. What an earlier process has spooled is removed: its identities are gone.
   *
   * @param spoolDirectory where sources are spooled, and nothing else is kept
   */
  public static LiveSources open(
      Map<FileName, LiveSource> sources, int windowBytes, Path spoolDirectory) throws IOException {
    Files.createDirectories(spoolDirectory);
    try (DirectoryStream<Path> left = Files.newDirectoryStream(spoolDirectory)) {
      for (Path each : left) {
        Files.delete(each);
      }
    }
    return new LiveSources(sources, windowBytes, spoolDirectory);
  }

  private LiveSources(
      Map<FileName, LiveSource> sources, int windowBytes, @Nullable Path spoolDirectory) {
    if (windowBytes < 1) {
      throw new IllegalArgumentException("windowBytes: " + windowBytes + " (expected: >= 1)");
    }
    this.sources = new TreeMap<>(sources);
    this.windowBytes = windowBytes;
    this.spoolDirectory = spoolDirectory;
  }

  /**
   * Starts a source, or joins one that is spooled; empty where the name is none, {@code busy} where
   * it has its one reader.
   *
   * @param fromStart whether the reader wants the first byte: a spooled source that has ended
   *     begins anew for it
   */
  public Optional<LiveStream> open(FileName name, boolean fromStart) throws ProtocolException {
    LiveSource source = sources.get(name);
    if (source == null) {
      return Optional.empty();
    }
    try {
      if (source.spoolBytes() > 0) {
        return Optional.of(join(name, source, fromStart));
      }
      if (source instanceof LiveSource.Fifo fifo) {
        return Optional.of(openFifo(name, fifo));
      }
      LiveSource.Command command = (LiveSource.Command) source;
      return Optional.of(
          LiveWindow.start(
              name.value(), LiveInput.ofCommand(command.command()), windowBytes, () -> {}));
    } catch (IOException e) {
      throw Refusals.internal(
          "live source " + Texts.quote(name.value()) + " does not start: " + Refusals.reason(e));
    }
  }

  private LiveStream join(FileName name, LiveSource source, boolean fromStart) throws IOException {
    synchronized (spools) {
      if (closed) {
        throw new IOException("the node stops (expected: to be asked later)");
      }
      Spool spool = spools.get(name);
      if (spool == null || (fromStart && spool.hasEnded())) {
        if (spool != null) {
          spool.retire();
        }
        LiveInput input =
            source instanceof LiveSource.Fifo fifo
                ? LiveInput.ofFifo(fifo.path())
                : LiveInput.ofCommand(((LiveSource.Command) source).command());
        spool = Spool.start(name.value(), input, directory(), source.spoolBytes(), () -> {});
        spools.put(name, spool);
      }
      return spool.join();
    }
  }

  private Path directory() throws IOException {
    Path known = spoolDirectory;
    if (known == null) {
      throw new IOException("spool: no directory (expected: one, for spooled sources)");
    }
    return known;
  }

  /** Ends what is spooled. */
  @Override
  public void close() {
    synchronized (spools) {
      closed = true;
      spools.values().forEach(Spool::retire);
      spools.clear();
    }
  }

  private LiveStream openFifo(FileName name, LiveSource.Fifo fifo)
      throws IOException, ProtocolException {
    if (!taken.add(name)) {
      throw new ProtocolException(
          ErrorCode.BUSY,
          "live source " + Texts.quote(name.value()) + " has a reader (expected: one at a time)");
    }
    boolean started = false;
    try {
      LiveStream stream =
          LiveWindow.start(
              name.value(), LiveInput.ofFifo(fifo.path()), windowBytes, () -> taken.remove(name));
      started = true;
      return stream;
    } finally {
      if (!started) {
        taken.remove(name);
      }
    }
  }

  /** Whether the name is a live source's. */
  public boolean contains(FileName name) {
    return sources.containsKey(name);
  }

  /** The names of all sources. */
  Set<FileName> names() {
    return Collections.unmodifiableSet(sources.keySet());
  }
}
