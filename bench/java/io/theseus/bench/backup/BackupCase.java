package io.theseus.bench.backup;

import java.util.List;
import java.util.Locale;

/**
 * What is uploaded or copied, over how many connections.
 *
 * @param warmUps runs of a JVM that don't count
 */
record BackupCase(String name, int connections, int files, long bytes, int warmUps) {
  private static final long MIB = 1L << 20;

  /**
   * All cases, by their public names. The compiler has little left to do by the end of the warm-up.
   *
   * @param verb what is done with these files
   */
  static List<BackupCase> all(String verb, boolean quick) {
    return quick
        ? List.of(
            new BackupCase(verb + "-1x1GiB", 1, 1, 20 * MIB, 0),
            new BackupCase(verb + "-16x64MiB", 4, 4, 9 * MIB, 0))
        : List.of(
            new BackupCase(verb + "-1x1GiB", 1, 1, 1024 * MIB, 40),
            new BackupCase(verb + "-16x64MiB", 16, 16, 64 * MIB, 20));
  }

  /** The name of a file. */
  static String fileName(String prefix, int index) {
    return String.format(Locale.ROOT, "%s%06d", prefix, index);
  }

  long allBytes() {
    return files * bytes;
  }
}
