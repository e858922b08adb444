package io.theseus.store;

import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How much the store may hold, and holds: its files, and what uploads have staged or were promised.
 *
 * <p>An upload counts by what it adds: its own bytes, less those of the file that it replaces, and
 * one file where it replaces none. What it replaces may change while it runs, so that is looked at
 * again when the name is switched, under the lock of the name; nobody can take what another has
 * claimed, because each claim is checked and taken at once. Files are counted when the store is
 * opened and followed from then on: what is put there or taken away by hand counts from the next
 * start, or when it is replaced or deleted.
 */
final class Quota {
  private static final Logger LOG = LoggerFactory.getLogger(Quota.class);

  private final long maxBytes;
  private final long maxFiles;

  // guarded by this
  private final Map<UUID, Claim> claims = new HashMap<>();
  private long bytes; // of files; those of claims are beside it
  private long files;
  private long claimedBytes;
  private long claimedFiles;

  /** No limit where a number is 0; nothing is counted where both are. */
  Quota(long maxBytes, long maxFiles) {
    this.maxBytes = maxBytes;
    this.maxFiles = maxFiles;
  }

  /** What one upload adds, or is going to. */
  final class Claim {
    private long size;
    private OptionalLong replaced = OptionalLong.empty();
    private boolean counts;

    /** Makes sure of room for so many bytes in all. */
    void cover(FileName name, long upTo) throws ProtocolException {
      synchronized (Quota.this) {
        if (upTo > size) {
          change(name, this, upTo, replaced);
        }
      }
    }

    private long bytes() {
      return counts ? Math.max(0, size - replaced.orElse(0)) : 0;
    }

    private long files() {
      return counts && replaced.isEmpty() ? 1 : 0;
    }
  }

  boolean isLimited() {
    return maxBytes > 0 || maxFiles > 0;
  }

  /** Counts the files of a tree; to be called once, before the first upload. */
  void count(Tree tree) throws IOException {
    if (!isLimited()) {
      return;
    }
    tree.forEachFile((name, file) -> add(file.size()));
    LOG.info("{} files of {} bytes are there", files, bytes);
  }

  private synchronized void add(long size) {
    bytes += size;
    files++;
  }

  /** What an earlier process has staged and this one keeps. */
  synchronized void staged(UUID session, long size) {
    if (isLimited()) {
      set(claims.computeIfAbsent(session, any -> new Claim()), size, OptionalLong.empty());
    }
  }

  /**
   * The claim of an upload that begins or is taken up again.
   *
   * @param size bytes in all; more may be covered later
   * @param replaced the size of the file that has the name now, if there is one
   */
  synchronized Claim claim(UUID session, FileName name, long size, OptionalLong replaced)
      throws ProtocolException {
    Claim known = claims.get(session);
    Claim claim = known == null ? new Claim() : known;
    change(name, claim, size, replaced);
    if (isLimited()) {
      claims.put(session, claim);
    }
    return claim;
  }

  /** The last look before a name is switched: what is replaced is certain now. */
  synchronized void beforeSwitch(UUID session, FileName name, long size, OptionalLong replaced)
      throws ProtocolException {
    Claim claim = claims.get(session);
    if (claim != null) {
      change(name, claim, size, replaced);
    }
  }

  /** The name shows the upload's file. */
  synchronized void switched(UUID session) {
    Claim claim = claims.remove(session);
    if (claim != null) {
      bytes = Math.max(0, bytes + claim.size - claim.replaced.orElse(0));
      files += claim.files();
      release(claim);
    }
  }

  /** What was staged is gone. */
  synchronized void removed(UUID session) {
    Claim claim = claims.remove(session);
    if (claim != null) {
      release(claim);
    }
  }

  /** A file is gone. */
  synchronized void deleted(long size) {
    bytes = Math.max(0, bytes - size);
    files = Math.max(0, files - 1);
  }

  /** What is there and on its way. */
  synchronized StoreUse use() {
    return new StoreUse(bytes + claimedBytes, maxBytes, files + claimedFiles, maxFiles);
  }

  private void change(FileName name, Claim claim, long size, OptionalLong replaced)
      throws ProtocolException {
    if (!isLimited()) {
      return;
    }
    long moreBytes = Math.max(0, size - replaced.orElse(0)) - claim.bytes();
    long moreFiles = (replaced.isPresent() ? 0 : 1) - claim.files();
    long usedBytes = bytes + claimedBytes;
    long usedFiles = files + claimedFiles;
    if (maxBytes > 0 && moreBytes > 0 && moreBytes > maxBytes - usedBytes) {
      throw refusal(name, moreBytes, "bytes", maxBytes, usedBytes, "max-bytes");
    }
    if (maxFiles > 0 && moreFiles > 0 && moreFiles > maxFiles - usedFiles) {
      throw refusal(name, moreFiles, "files", maxFiles, usedFiles, "max-files");
    }
    set(claim, size, replaced);
  }

  private static ProtocolException refusal(
      FileName name, long asked, String unit, long limit, long used, String key) {
    return new ProtocolException(
        ErrorCode.NO_SPACE,
        "%s needs %d %s more (expected: <= %d, as %d of %d, theseus.store.%s, are used)"
            .formatted(
                Texts.quote(name.value()),
                asked,
                unit,
                Math.max(0, limit - used),
                used,
                limit,
                key));
  }

  private void set(Claim claim, long size, OptionalLong replaced) {
    release(claim);
    claim.size = size;
    claim.replaced = replaced;
    claim.counts = true;
    claimedBytes += claim.bytes();
    claimedFiles += claim.files();
  }

  private void release(Claim claim) {
    claimedBytes -= claim.bytes();
    claimedFiles -= claim.files();
    claim.counts = false;
  }
}
