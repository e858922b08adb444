package io.theseus.bench.backup;

import io.theseus.bench.LoadRun;
import java.io.IOException;
import java.util.List;

/** Who takes files, and keeps them in one or more places. */
interface Contender {
  /** As results name it. */
  String name();

  /** Whether it is faster in its second run, as what is compiled while it runs. */
  default boolean warmsUp() {
    return true;
  }

  /** All processes but the client's. */
  List<ProcessHandle> servers();

  /** Uploads, or copies, all files of a case. */
  LoadRun put(BackupCase what, String prefix) throws IOException;

  /**
   * Looks at what was kept, in every place.
   *
   * @throws IOException where a place has too little of it, or other bytes
   */
  void check(BackupCase what, String prefix) throws IOException;

  /** Removes it everywhere. */
  void remove(BackupCase what, String prefix) throws IOException;

  /** The command line of the client, for people. */
  String load(BackupCase what);
}
