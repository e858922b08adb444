package io.theseus.access;

import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What some files say, read again when their content changes; what can't be used never replaces
 * what is in use.
 *
 * <p>{@link #get} is for any thread, {@link #check} for one that may wait for the disk. Content is
 * compared, not times: a file may be replaced twice within one tick of a file system's clock.
 */
public final class Watched<T> {
  private static final Logger LOG = LoggerFactory.getLogger(Watched.class);
  private static final long MOST_BYTES = 16L << 20;

  /** Makes something of the contents of the files, in their order. */
  @FunctionalInterface
  public interface Reader<T> {
    /**
     * Reads.
     *
     * @throws IOException saying what is wrong and what was expected
     */
    T read(List<byte[]> contents) throws IOException;
  }

  private final String what;
  private final List<Path> files;
  private final Reader<T> reader;
  private byte[] seen;
  private volatile T current;
  private volatile Optional<String> problem = Optional.empty();

  /**
   * Reads the files for the first time.
   *
   * @param what they are, for the log
   * @throws IOException where they can't be used
   */
  public Watched(String what, List<Path> files, Reader<T> reader) throws IOException {
    this.what = what;
    this.files = List.copyOf(files);
    this.reader = reader;
    List<byte[]> contents = contents();
    seen = sum(contents);
    current = reader.read(contents);
  }

  /** What the files said when they could last be used. */
  public T get() {
    return current;
  }

  /** Why the files as they are now are not in use; empty where they are. */
  public Optional<String> problem() {
    return problem;
  }

  /** Looks whether the files have changed, and reads them where they have. */
  public synchronized void check() {
    try {
      List<byte[]> contents = contents();
      byte[] now = sum(contents);
      if (Arrays.equals(now, seen)) {
        return;
      }
      seen = now;
      current = reader.read(contents);
      problem = Optional.empty();
      LOG.info("{}: read again, as it changed", what);
    } catch (IOException | RuntimeException e) {
      String said = String.valueOf(e.getMessage());
      if (!problem.equals(Optional.of(said))) {
        LOG.warn("{}: not taken, what was read before stays in use: {}", what, said);
      }
      if (e instanceof UnreadableException) {
        // when it is back, it is read, the same as before or not
        seen = new byte[0];
      }
      problem = Optional.of(said);
    }
  }

  /** A file that can't be read. */
  private static final class UnreadableException extends IOException {
    private static final long serialVersionUID = 1L;

    UnreadableException(String message) {
      super(message);
    }
  }

  private List<byte[]> contents() throws UnreadableException {
    List<byte[]> contents = new ArrayList<>();
    for (Path file : files) {
      String name = Texts.quote(file.toString());
      try {
        long size = Files.size(file);
        if (size > MOST_BYTES) {
          throw new UnreadableException(
              name + ": " + size + " bytes (expected: at most " + MOST_BYTES + ")");
        }
        contents.add(Files.readAllBytes(file));
      } catch (NoSuchFileException e) {
        throw new UnreadableException(name + ": missing (expected: a file that exists)");
      } catch (AccessDeniedException e) {
        throw new UnreadableException(
            name + ": permission denied (expected: a file that the node may read)");
      } catch (UnreadableException e) {
        throw e;
      } catch (IOException e) {
        throw new UnreadableException(name + ": " + Texts.escape(String.valueOf(e.getMessage())));
      }
    }
    return contents;
  }

  private static byte[] sum(List<byte[]> contents) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (byte[] content : contents) {
        digest.update(digest.digest(content));
      }
      return digest.digest();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
