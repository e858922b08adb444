package io.theseus.store;

import java.nio.file.Path;
import java.time.Duration;

/**
 * Where a store keeps what, and what it leaves free.
 *
 * @param root the directory that is served
 * @param staging unfinished uploads; on the same file system as the root, and where it lies inside
 *     the root never visible as a name
 * @param records the directory of what is remembered of completed uploads
 * @param restBytes bytes of the file system that uploads leave free
 * @param keep how long a completed upload is answered again
 * @param maxBytes the most that files and uploads may have together; 0 for no limit
 * @param maxFiles the most files, with those that are being uploaded; 0 for no limit
 */
public record StoreSettings(
    Path root,
    Path staging,
    Path records,
    long restBytes,
    Duration keep,
    long maxBytes,
    long maxFiles) {
  /** The staging directory inside the root, unless another is configured. */
  public static final String STAGING = ".theseus-staging";

  public StoreSettings {
    if (restBytes < 0) {
      throw new IllegalArgumentException("restBytes: " + restBytes + " (expected: >= 0)");
    }
    if (maxBytes < 0 || maxFiles < 0) {
      throw new IllegalArgumentException(
          "maxBytes: " + maxBytes + ", maxFiles: " + maxFiles + " (expected: >= 0)");
    }
    if (keep.isNegative() || keep.isZero()) {
      throw new IllegalArgumentException("keep: " + keep + " (expected: > 0)");
    }
    root = root.toAbsolutePath().normalize();
    staging = staging.toAbsolutePath().normalize();
    records = records.toAbsolutePath().normalize();
    if (root.startsWith(staging)) {
      throw new IllegalArgumentException(
          "staging: "
              + staging
              + " (expected: a directory that does not hold the root, "
              + root
              + ")");
    }
    if (records.startsWith(root) && !records.startsWith(staging)) {
      throw new IllegalArgumentException(
          "records: " + records + " (expected: a directory outside the root, " + root + ")");
    }
  }

  /** Settings with the staging directory in its place inside the root. */
  public static StoreSettings of(Path root, Path records, long restBytes, Duration keep) {
    return new StoreSettings(root, root.resolve(STAGING), records, restBytes, keep, 0, 0);
  }

  /** The same with a limit of bytes and one of files; 0 for none. */
  public StoreSettings limited(long bytes, long files) {
    return new StoreSettings(root, staging, records, restBytes, keep, bytes, files);
  }
}
