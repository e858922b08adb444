package io.theseus.store;

import io.theseus.steps.Steps;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import java.io.Closeable;
import java.io.IOException;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executor;

/** The files of one node. Its methods block: they are called from disk threads. */
public final class FileStore implements Closeable {
  /** Opens a store without live sources. */
  public static FileStore open(StoreSettings settings, Executor disk, Clock clock, Steps steps)
      throws IOException {
    return open(settings, LiveSources.NONE, disk, clock, steps);
  }

  /** Opens a store; {@code disk} runs what waits for the disk and outlives the store. */
  public static FileStore open(
      StoreSettings settings, LiveSources live, Executor disk, Clock clock, Steps steps)
      throws IOException {
    return Pending.value();
  }

  /** The live source of that name, started anew; empty where the name is a file's. */
  public Optional<LiveStream> openLive(FileName name) throws ProtocolException {
    return Pending.value();
  }

  /** Opens a regular file below the root, without following links. */
  public StoredFile openFile(FileName name) throws ProtocolException {
    return Pending.value();
  }

  public FileStat stat(FileName name) throws ProtocolException {
    return Pending.value();
  }

  /**
   * The names that begin with a prefix, in byte order.
   *
   * @param maxBytes bound of the lines of LIST together, each with its line feed; one entry is
   *     given at least
   */
  public Listing list(String prefix, Optional<String> after, int maxBytes)
      throws ProtocolException {
    return Pending.value();
  }

  /** Removes a file, durably, and gives the identity of what is gone. */
  public String delete(FileName name, Optional<String> ifIdentity) throws ProtocolException {
    return Pending.value();
  }

  /** Begins an upload, after all that can be refused before the first byte. */
  public Upload begin(UploadRequest request) throws ProtocolException {
    return Pending.value();
  }

  /** Takes up an upload of an earlier process, of which {@code durable} bytes were acknowledged. */
  public Upload reopen(UploadRequest request, long durable) throws ProtocolException {
    return Pending.value();
  }

  /** What a session has committed, for {@code keep} at least. */
  public Optional<Completed> completed(UUID session, FileName name) throws ProtocolException {
    return Pending.value();
  }

  /** Removes what earlier processes left in staging; gives the names of what is gone. */
  public List<String> removeLeftovers(Set<UUID> sessionsWithMarks) throws IOException {
    return Pending.value();
  }

  @Override
  public void close() throws IOException {
    Pending.value();
  }
}
