package io.theseus.store;

import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.util.Collections;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/** The configured live sources of a node, by name. */
public final class LiveSources {
  /** The bytes that a live stream keeps, unless configured. */
  public static final int DEFAULT_WINDOW_BYTES = 8 << 20;

  /** None at all. */
  public static final LiveSources NONE = new LiveSources(Map.of(), DEFAULT_WINDOW_BYTES);

  private final NavigableMap<FileName, LiveSource> sources;
  private final int windowBytes;
  // the FIFOs that have their one reader
  private final Set<FileName> taken = ConcurrentHashMap.newKeySet();

  /**
   * The sources by name.
   *
   * @param windowBytes how much of a source's output a stream keeps until it is released
   */
  public LiveSources(Map<FileName, LiveSource> sources, int windowBytes) {
    if (windowBytes < 1) {
      throw new IllegalArgumentException("windowBytes: " + windowBytes + " (expected: >= 1)");
    }
    this.sources = new TreeMap<>(sources);
    this.windowBytes = windowBytes;
  }

  /** Starts a source; empty where the name is none, {@code busy} where it has its one reader. */
  public Optional<LiveStream> open(FileName name) throws ProtocolException {
    LiveSource source = sources.get(name);
    if (source == null) {
      return Optional.empty();
    }
    try {
      if (source instanceof LiveSource.Fifo fifo) {
        return Optional.of(openFifo(name, fifo));
      }
      LiveSource.Command command = (LiveSource.Command) source;
      return Optional.of(
          LiveStream.start(
              name.value(), LiveInput.ofCommand(command.command()), windowBytes, () -> {}));
    } catch (IOException e) {
      throw Refusals.internal(
          "live source " + Texts.quote(name.value()) + " does not start: " + Refusals.reason(e));
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
          LiveStream.start(
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
