package io.theseus.bench.transfer;

import java.io.IOException;
import java.util.List;

/** A server under test, running: its process, and the clients that speak with it. */
interface Server extends AutoCloseable {
  /** As results name it, and its directory of uploads. */
  String name();

  /** Its process; children are counted with it. */
  ProcessHandle process();

  /** Whether it serves each connection by a child, which ends with it. */
  default boolean forks() {
    return false;
  }

  /** How it was started, for people. */
  List<String> started();

  /** Who loads it. */
  Load load();

  /**
   * The SHA-256 of a file as it comes out of a client that keeps the bytes, not counted in time.
   */
  String fetch(TransferCase what, String folder, int index) throws IOException;

  @Override
  void close() throws IOException;
}
