package io.theseus.store;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/** Makes the names in folders durable: one fsync of a folder for all who ask for it at once. */
final class FolderForces {
  /** A folder that somebody waits for. */
  private static final class Asked {
    private final GroupForce group = new GroupForce();
    private int by;
  }

  private final Map<Object, Asked> byKey = new HashMap<>();

  /** Returns when an fsync of the folder that began after this call has ended. */
  void force(Folder folder) throws IOException {
    Object key = folder.key();
    if (key == null) {
      folder.force();
      return;
    }
    Asked asked = enter(key);
    try {
      asked.group.force(folder::force);
    } finally {
      leave(key, asked);
    }
  }

  private synchronized Asked enter(Object key) {
    Asked asked = byKey.computeIfAbsent(key, unknown -> new Asked());
    asked.by++;
    return asked;
  }

  private synchronized void leave(Object key, Asked asked) {
    if (--asked.by == 0) {
      byKey.remove(key);
    }
  }
}
