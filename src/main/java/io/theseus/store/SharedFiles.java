package io.theseus.store;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files that are open for reading: one descriptor for all readers of one content. While it is
 * open its inode is not given to another file, so the key stays true.
 */
final class SharedFiles {
  private static final Logger LOG = LoggerFactory.getLogger(SharedFiles.class);

  private final Map<Object, Shared> open = new HashMap<>();

  /** One open file and the number of its readers. */
  final class Shared {
    private final FileChannel channel;
    private final Facts facts;
    private int readers = 1;

    private Shared(FileChannel channel, Facts facts) {
      this.channel = channel;
      this.facts = facts;
    }

    FileChannel channel() {
      return channel;
    }

    Facts facts() {
      return facts;
    }

    void release() {
      synchronized (SharedFiles.this) {
        if (--readers > 0) {
          return;
        }
        open.remove(facts.key(), this);
      }
      try {
        channel.close();
      } catch (IOException e) {
        LOG.warn("close of a file failed: {}", e.getMessage());
      }
    }
  }

  /** The open file with that key, with one reader more; null where none is open. */
  synchronized @Nullable Shared join(@Nullable Object key) {
    Shared shared = open.get(key);
    if (shared != null) {
      shared.readers++;
    }
    return shared;
  }

  /** A file that was opened just now, with one reader. The newest content gets the key. */
  synchronized Shared add(FileChannel channel, Facts facts) {
    Shared shared = new Shared(channel, facts);
    open.put(facts.key(), shared);
    return shared;
  }

  /** Open descriptors. */
  synchronized int size() {
    return open.size();
  }
}
