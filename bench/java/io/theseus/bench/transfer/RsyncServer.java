package io.theseus.bench.transfer;

import io.theseus.bench.Lab;
import io.theseus.bench.LoadRun;
import io.theseus.bench.Pattern;
import io.theseus.bench.transfer.TransferCase.Way;
import io.theseus.testing.Content;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * rsync's daemon and its own client, for one file over one connection. The client's side is in
 * memory. Of a PUT rsync syncs the file before its rename; the folder is synced here, within the
 * time.
 */
final class RsyncServer extends ServerProcess implements Load {
  static final String NAME = "rsync";

  /** It is slower than the others: fewer repeats last as long. */
  private static final int FEWER = 4;

  private final Lab lab;
  private final int port;

  RsyncServer(Lab lab) throws IOException {
    this(lab, Lab.freePort());
  }

  private RsyncServer(Lab lab, int port) throws IOException {
    super(lab, NAME, command(lab, port), () -> Lab.accepts(port));
    this.lab = lab;
    this.port = port;
  }

  private static ProcessBuilder command(Lab lab, int port) throws IOException {
    Path directory = lab.directory().resolve(NAME);
    Configuration configuration =
        Configuration.of(
            directory,
            "rsyncd.conf",
            Map.of(
                "PORT",
                port,
                "DIRECTORY",
                directory,
                "SITE",
                lab.site(),
                "USER",
                System.getProperty("user.name", "root")));
    return new ProcessBuilder(NAME, "--daemon", "--no-detach", "--config=" + configuration.file());
  }

  @Override
  public boolean forks() {
    return true;
  }

  @Override
  public Load load() {
    return this;
  }

  @Override
  public LoadRun run(TransferCase what, String folder) throws IOException {
    if (what.way() == Way.PUT && !Files.exists(here(0))) {
      Pattern.write(here(0), 0, what.bytes());
    }
    int times = Math.max(1, what.repeat() / FEWER);
    long begun = System.nanoTime();
    for (int i = 0; i < times; i++) {
      lab.load(command(what, folder, 0));
      if (what.way() == Way.PUT) {
        try (FileChannel channel = FileChannel.open(lab.site().resolve(folder))) {
          channel.force(true);
        }
      }
    }
    double seconds = (System.nanoTime() - begun) / 1e9;
    while (process().descendants().findAny().isPresent()) {
      // what a child has used is known when it has ended
      Lab.pause();
    }
    return new LoadRun(times, times * what.bytes(), seconds);
  }

  @Override
  public List<String> command(TransferCase what, String folder) {
    return command(what, folder, 0);
  }

  private List<String> command(TransferCase what, String folder, int index) {
    String there =
        "rsync://127.0.0.1:%d/site/%s/%s".formatted(port, folder, TransferCase.fileName(index));
    List<String> rsync = new ArrayList<>(List.of(NAME, "--whole-file", "--ignore-times"));
    if (what.way() == Way.PUT) {
      rsync.addAll(List.of("--fsync", here(index).toString(), there));
    } else {
      rsync.addAll(List.of(there, here(index).toString()));
    }
    return rsync;
  }

  private Path here(int index) {
    return lab.memory().resolve("rsync-" + TransferCase.fileName(index));
  }

  @Override
  public String fetch(TransferCase what, String folder, int index) throws IOException {
    Files.deleteIfExists(here(index));
    lab.load(command(what, folder, index));
    try {
      return Content.sha256HexOf(here(index));
    } finally {
      Files.delete(here(index));
    }
  }
}
