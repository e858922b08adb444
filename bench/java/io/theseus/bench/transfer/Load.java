package io.theseus.bench.transfer;

import io.theseus.bench.LoadRun;
import java.io.IOException;
import java.util.List;

/** A client that moves the files of a case, and times it. */
interface Load {
  /**
   * Moves all files of a case as often as it says.
   *
   * @param folder of the files, below the site
   */
  LoadRun run(TransferCase what, String folder) throws IOException;

  /** The command line of {@link #run}, for people. */
  List<String> command(TransferCase what, String folder);
}
