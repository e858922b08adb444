package io.theseus.backup;

import io.theseus.store.DurableFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether a backup is to get no new copies: an operator's word, kept in a small file. */
public final class Draining {
  private static final String NAME = "draining";
  private static final String YES = "yes\n";
  private static final String NO = "no\n";

  private final Path directory;
  private volatile boolean on;
  private volatile boolean lettingGo;

  private Draining(Path directory, boolean on) {
    this.directory = directory;
    this.on = on;
  }

  /**
   * As it was said last.
   *
   * @param directory is made where it isn't there
   * @throws IOException also where the file says something else
   */
  public static Draining in(Path directory) throws IOException {
    Files.createDirectories(directory);
    Path file = directory.resolve(NAME);
    String said = Files.exists(file) ? Files.readString(file) : NO;
    if (!said.equals(YES) && !said.equals(NO)) {
      throw new IOException(file + ": damaged (expected: yes or no; remove it for no)");
    }
    return new Draining(directory, said.equals(YES));
  }

  /** Whether no new copies come here, and what is here goes elsewhere. */
  public boolean isOn() {
    return on;
  }

  /**
   * Whether what is here counts as no copy. That goes on for a moment behind the opposite word,
   * where files are let go of just then: another node must not count on them, and let go of its
   * own.
   */
  public boolean isLeaving() {
    return on || lettingGo;
  }

  /**
   * From now on files may be let go of that others say now that they have, until {@link
   * #endLettingGo}. By one thread at a time.
   *
   * @return whether they may
   */
  public boolean beginLettingGo() {
    lettingGo = true; // first: who undoes it between the two is heard
    lettingGo = on;
    return lettingGo;
  }

  /** What others have said counts no more. */
  public void endLettingGo() {
    lettingGo = false;
  }

  /** Says it durably. */
  public synchronized void set(boolean drain) throws IOException {
    byte[] said = (drain ? YES : NO).getBytes(StandardCharsets.UTF_8);
    DurableFile.replace(directory, NAME, ByteBuffer.wrap(said));
    on = drain;
  }
}
