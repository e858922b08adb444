package io.theseus.repair;

import java.util.List;

/**
 * How far the files of a node have been read.
 *
 * @param running whether they are read now
 * @param prefix of the names that are read; empty for all
 * @param files that were read
 * @param bytes of these
 * @param totalFiles that there were at the beginning
 * @param totalBytes of these
 * @param adopted files of which nothing was known before: from now on it is
 * @param findings files that are not what was stored, the first of them
 * @param rotten how many there were
 * @param repaired how many of them are as they should be by now
 * @param failure why it ended before the end; empty where it did not
 */
public record ScrubStatus(
    boolean running,
    String prefix,
    long files,
    long bytes,
    long totalFiles,
    long totalBytes,
    long adopted,
    List<Finding> findings,
    long rotten,
    long repaired,
    String failure) {
  /** Of a node that has not begun. */
  public static final ScrubStatus NONE =
      new ScrubStatus(false, "", 0, 0, 0, 0, 0, List.of(), 0, 0, "");

  public ScrubStatus {
    findings = List.copyOf(findings);
  }
}
