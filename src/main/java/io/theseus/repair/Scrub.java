package io.theseus.repair;

import io.theseus.store.Checked;
import io.theseus.store.Contents;
import io.theseus.store.FileStore;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads the files of a node once, and has those repaired that are not what was stored. */
final class Scrub {
  private static final Logger LOG = LoggerFactory.getLogger(Scrub.class);
  private static final int MOST_FINDINGS = 1000;
  private static final int MOST_REASON_CHARS = 300;

  /** About, of all findings: they go to other nodes in one message. */
  private static final int MOST_BYTES = 150_000;

  /** What a finding takes beside its texts, about. */
  private static final int FINDING_BYTES = 50;

  /** Reads a file, as {@link Contents#check(FileName, Contents.Pacing)}. */
  @FunctionalInterface
  interface Reading {
    Checked check(FileName name, Contents.Pacing pacing)
        throws ProtocolException, InterruptedException;
  }

  private final FileStore store;
  private final Reading reading;
  private final Mending mending;
  private final String prefix;
  private final Contents.Pacing pacing;

  // guarded by this
  private boolean running = true;
  private long files;
  private long bytes;
  private long totalFiles;
  private long totalBytes;
  private long adopted;
  private long rotten;
  private long repaired;
  private String failure = "";
  private int findingBytes;
  private final List<Finding> findings = new ArrayList<>();

  /**
   * A reading that has not begun.
   *
   * @param reading by which thread it may be
   * @param mending of what has rotten
   * @param prefix of names
   */
  Scrub(FileStore store, Reading reading, Mending mending, String prefix, Contents.Pacing pacing) {
    this.store = store;
    this.reading = reading;
    this.mending = mending;
    this.prefix = prefix;
    this.pacing = pacing;
  }

  /** The node stops. */
  private static final class StopException extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  /**
   * Reads all.
   *
   * @throws InterruptedException where the node stops
   */
  void run() throws InterruptedException {
    try {
      store.forEachFile(
          (file, size) -> {
            if (file.name().value().startsWith(prefix)) {
              count(size);
            }
          });
      store.forEachFile(
          (file, size) -> {
            if (file.name().value().startsWith(prefix)) {
              read(file.name());
            }
          });
    } catch (StopException e) {
      failed("the node stops");
      throw new InterruptedException("the node stops");
    } catch (IOException e) {
      failed(String.valueOf(e.getMessage()));
    } catch (RuntimeException e) {
      LOG.error("files can't be read to the end", e);
      failed(String.valueOf(e));
    } finally {
      synchronized (this) {
        running = false;
      }
    }
    ScrubStatus done = status();
    LOG.info(
        "{} files of {} bytes read: {} were rotten, {} of them are repaired",
        done.files(),
        done.bytes(),
        done.rotten(),
        done.repaired());
  }

  private synchronized void failed(String reason) {
    failure = reason;
  }

  private synchronized void count(long size) {
    totalFiles++;
    totalBytes += size;
  }

  private void read(FileName name) {
    try {
      Checked checked = reading.check(name, this::pace);
      synchronized (this) {
        files++;
      }
      if (checked.isRotten()) {
        store.contents().condemn(name, checked);
        note(repair(name, checked.version()));
      } else if (checked.committed().isEmpty()
          && store.contents().adopt(name, checked).isPresent()) {
        synchronized (this) {
          adopted++;
        }
      }
    } catch (ProtocolException e) {
      if (e.code() != ErrorCode.NOT_FOUND && e.code() != ErrorCode.BUSY) {
        note(new Finding(name.value(), "", e.reason()));
      } // otherwise it is another one by now, or none
    } catch (InterruptedException e) {
      throw new StopException();
    }
  }

  private void pace(int read) throws InterruptedException {
    pacing.await(read);
    synchronized (this) {
      bytes += read;
    }
  }

  synchronized void note(Finding finding) {
    rotten++;
    if (finding.reason().isEmpty()) {
      repaired++;
    }
    Finding told = shortened(finding);
    int length = FINDING_BYTES + bytes(told.name() + told.repairedFrom() + told.reason());
    if (findings.size() < MOST_FINDINGS && findingBytes + length <= MOST_BYTES) {
      findings.add(told);
      findingBytes += length;
    }
  }

  private static Finding shortened(Finding finding) {
    String reason = finding.reason();
    return reason.length() <= MOST_REASON_CHARS
        ? finding
        : new Finding(
            finding.name(), finding.repairedFrom(), reason.substring(0, MOST_REASON_CHARS) + "...");
  }

  private static int bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }

  private Finding repair(FileName name, String version) throws InterruptedException {
    Finding finding = mending.mend(name, version);
    if (!finding.reason().isEmpty()) {
      LOG.error(
          "{} is rotten, and can't be repaired now: {}",
          Texts.quote(name.value()),
          finding.reason());
    }
    return finding;
  }

  synchronized ScrubStatus status() {
    return new ScrubStatus(
        running,
        prefix,
        files,
        bytes,
        totalFiles,
        totalBytes,
        adopted,
        findings,
        rotten,
        repaired,
        failure);
  }
}
