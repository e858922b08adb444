package io.theseus.bench.transfer;

import io.theseus.admin.jmx.RunFile;
import io.theseus.bench.Lab;
import io.theseus.client.ClientSettings;
import io.theseus.client.ClientTls;
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
final class TheseusServer extends ServerProcess {
  static final String NAME = "theseus";

  private final LoadClient load;
  private final TheseusClient library;
  private final TheseusClient overTls;

  TheseusServer(Lab lab) throws IOException {
    this(lab, Lab.freePort());
  }

  private TheseusServer(Lab lab, int tlsPort) throws IOException {
    super(lab, NAME, command(lab, tlsPort), () -> RunFile.read(runFile(lab)).isPresent());
    NodeAddress address = NodeAddress.parse(RunFile.read(runFile(lab)).orElseThrow().packets());
    load = new LoadClient(lab, "theseus", address.port(), tlsPort, /* fsync= */ false);
    library = new TheseusClient(ClientSettings.builder(address).build());
    overTls =
        new TheseusClient(
            ClientSettings.builder(NodeAddress.parse("localhost:" + tlsPort))
                .tls(ClientTls.trusting(lab.certificate()))
                .build());
  }

  private static Path data(Lab lab) {
    return lab.directory().resolve(NAME).resolve("data");
  }

  private static Path runFile(Lab lab) {
    return RunFile.in(data(lab));
  }

  /** As ./theseus starts a node. */
  private static ProcessBuilder command(Lab lab, int tlsPort) throws IOException {
    return Program.command(
        Files.createDirectories(lab.directory().resolve(NAME)),
        List.of("-XX:+ExitOnOutOfMemoryError", "-XX:MetaspaceSize=128m"),
        List.of(
            "node",
            "--root",
            lab.site().toString(),
            "--set",
            "data-dir=" + data(lab),
            "--set",
            "packets.port=0",
            "--set",
            "packets.tls.port=" + tlsPort,
            "--set",
            "packets.tls.certificate=" + lab.certificate(),
            "--set",
            "packets.tls.key=" + lab.key(),
            "--set",
            "cluster.port=0"));
  }

  @Override
  public LoadClient load() {
    return load;
  }

  @Override
  public String fetch(TransferCase what, String folder, int index) throws IOException {
    try {
      return (what.tls() ? overTls : library)
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
    overTls.close();
    super.close();
  }
}
