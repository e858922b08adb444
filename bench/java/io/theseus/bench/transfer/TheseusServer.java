package io.theseus.bench.transfer;

import io.theseus.admin.jmx.RunFile;
import io.theseus.client.ClientSettings;
import io.theseus.client.Consumer;
import io.theseus.client.GetRequest;
import io.theseus.client.NodeAddress;
import io.theseus.client.TheseusClient;
import io.theseus.client.TransferException;
import io.theseus.client.TransferListener;
import io.theseus.testing.Program;
import io.theseus.wire.FileName;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A node of ours, from the packaged program, with the settings that it has by itself. */
final class TheseusServer implements Server {
  static final String NAME = "theseus";

  private final Lab lab;
  private final List<String> command;
  private final Process process;
  private final LoadClient client;
  private final TheseusClient library;

  TheseusServer(Lab lab) throws IOException {
    this.lab = lab;
    Path directory = Files.createDirectories(lab.directory().resolve(NAME));
    Path data = directory.resolve("data");
    // as ./theseus starts a node
    ProcessBuilder builder =
        Program.command(
            directory,
            List.of("-XX:+ExitOnOutOfMemoryError"),
            List.of(
                "node",
                "--root",
                lab.site().toString(),
                "--set",
                "data-dir=" + data,
                "--set",
                "packets.port=0",
                "--set",
                "cluster.port=0"));
    command = List.copyOf(builder.command());
    process = lab.serve(NAME, builder);
    try {
      lab.await(NAME, process, () -> RunFile.read(RunFile.in(data)).isPresent());
    } catch (IOException e) {
      lab.end(process);
      throw e;
    }
    NodeAddress address = NodeAddress.parse(RunFile.read(RunFile.in(data)).orElseThrow().packets());
    client = new LoadClient(lab, "theseus", address.port(), false);
    library = new TheseusClient(ClientSettings.builder(address).build());
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public ProcessHandle process() {
    return process.toHandle();
  }

  @Override
  public List<String> started() {
    return command;
  }

  @Override
  public LoadRun load(TransferCase what, String folder) throws IOException {
    return client.run(what, folder);
  }

  @Override
  public List<String> loadCommand(TransferCase what, String folder) {
    return client.command(what, folder);
  }

  @Override
  public String fetch(TransferCase what, String folder, int index) throws IOException {
    try {
      return library
          .get(
              GetRequest.of(new FileName(folder + "/" + TransferCase.fileName(index))),
              Consumer.stream(OutputStream.nullOutputStream()),
              TransferListener.NONE)
          .sha256();
    } catch (TransferException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    library.close();
    lab.end(process);
  }
}
