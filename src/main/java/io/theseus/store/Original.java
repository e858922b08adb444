package io.theseus.store;

import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;

/** What is copied to other nodes: an upload while it is received, or a file that has its name. */
public interface Original {
  /** Of the upload, or of the one that the file came by. */
  UUID session();

  /** Under which it is, or will be, visible. */
  FileName name();

  /** Bytes, where known. */
  OptionalLong size();

  /** The time that the file has, or shall have. */
  Optional<Instant> modified();

  /** Bytes that survive a power cut. */
  long durable();

  /**
   * The CRC32C of the last block of {@link Source#BLOCK_BYTES}, where it is not whole; 0 where it
   * is, or nobody knows. Once it is known that nothing more comes.
   */
  int lastSum();

  /**
   * What is there, to be read while more may come; may wait for the disk.
   *
   * @throws ProtocolException where it is not there any more
   */
  Source source() throws ProtocolException;
}
