package io.theseus.session;

import io.theseus.store.LiveStream;
import io.theseus.store.StoredFile;
import io.theseus.store.Upload;
import java.util.OptionalLong;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What a connection needs to begin serving a session; READY goes out with it. */
public sealed interface Ready {
  /** The session's id. */
  UUID session();

  /** Where the transfer begins, in bytes. */
  long offset();

  /** {@code name@version} of the module that serves. */
  String module();

  /** The worker generation to obey. */
  long workerGeneration();

  /**
   * A GET. Exactly one of {@code file} and {@code live} is there.
   *
   * @param restart whether RESTART follows READY, because the file is not the one that was begun
   * @param altered whether code that changes bytes serves the session, or has
   */
  record ReadyGet(
      UUID session,
      long offset,
      String module,
      long workerGeneration,
      String identity,
      @Nullable StoredFile file,
      @Nullable LiveStream live,
      boolean restart,
      boolean altered)
      implements Ready {}

  /**
   * A PUT.
   *
   * @param offset the first OFFSET: all before it is durable
   * @param writer takes the bytes; none where nothing is left to send
   * @param size where it is known
   */
  record ReadyPut(
      UUID session,
      long offset,
      String module,
      long workerGeneration,
      Upload.@Nullable Writer writer,
      OptionalLong size,
      boolean streamConsumer)
      implements Ready {}
}
