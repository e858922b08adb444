package io.theseus.peer;

import io.theseus.wire.ErrorCode;
import java.nio.ByteBuffer;

/** Who pulls a session's bytes; told on the connection's thread, which it must not keep. */
public interface Intake {
  /**
   * Bytes that were asked for, in order.
   *
   * @param offset of the first
   * @param bytes direct; left alone by others until {@code release}
   * @param release to be called once, by any thread: while too much is held, nothing more is read
   */
  void data(long offset, ByteBuffer bytes, Runnable release);

  /** CRC32C of whole blocks as the other end has them; not only of what was asked for. */
  void sums(int firstBlock, int[] sums);

  /** Nothing more comes: the other end says why. */
  void failed(ErrorCode code, String reason);

  /** Nothing more comes: the connection is lost, or never was. */
  void lost(String reason);
}
