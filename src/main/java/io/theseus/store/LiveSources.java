package io.theseus.store;

import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/** The configured live sources of a node, by name. */
public final class LiveSources {
  /** The bytes that a live stream keeps, unless configured. */
  public static final int DEFAULT_WINDOW_BYTES = 8 << 20;

  /** None at all. */
  public static final LiveSources NONE = new LiveSources(Map.of(), DEFAULT_WINDOW_BYTES);

  private final NavigableMap<FileName, LiveSource> sources;
  private final int windowBytes;

  public LiveSources(Map<FileName, LiveSource> sources, int windowBytes) {
    if (windowBytes < 1) {
      throw new IllegalArgumentException("windowBytes: " + windowBytes + " (expected: >= 1)");
    }
    this.sources = new TreeMap<>(sources);
    this.windowBytes = windowBytes;
  }

  /** Starts a source; empty where the name is none, {@code busy} where it has its one reader. */
  public Optional<LiveStream> open(FileName name) throws ProtocolException {
    return Pending.value();
  }

  /** Whether the name is a live source's. */
  public boolean contains(FileName name) {
    return sources.containsKey(name);
  }

  int windowBytes() {
    return windowBytes;
  }
}
