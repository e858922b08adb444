package io.theseus.bench.transfer;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** nginx: GET, and PUT by WebDAV, which the load client makes durable. */
final class NginxServer implements Server {
  static final String NAME = "nginx";

  private final Lab lab;
  private final List<String> command;
  private final Process process;
  private final LoadClient client;
  private final HttpClient http = HttpClient.newHttpClient();

  NginxServer(Lab lab) throws IOException {
    this.lab = lab;
    Path directory = lab.directory().resolve(NAME);
    Files.createDirectories(lab.directory().resolve("nginx-uploads"));
    int port = Lab.freePort();
    Configuration configuration =
        Configuration.of(
            directory,
            "nginx.conf",
            Map.of("PORT", port, "USER", System.getProperty("user.name", "root")));
    // Debian keeps it where only root looks for programs
    Path program = Path.of("/usr/sbin/nginx");
    command =
        List.of(
            Files.isExecutable(program) ? program.toString() : NAME,
            "-p",
            directory.toString(),
            "-c",
            configuration.file().getFileName().toString());
    process = lab.serve(NAME, command.toArray(String[]::new));
    client = new LoadClient(lab, "http", port, /* fsync= */ true);
    try {
      lab.awaitPort(NAME, process, port);
    } catch (IOException e) {
      lab.end(process);
      throw e;
    }
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
    URI address =
        URI.create(
            "http://127.0.0.1:%d/%s/%s"
                .formatted(client.port(), folder, TransferCase.fileName(index)));
    MessageDigest digest = Pattern.sha256();
    try {
      HttpResponse<InputStream> response =
          http.send(
              HttpRequest.newBuilder(address).build(), HttpResponse.BodyHandlers.ofInputStream());
      try (InputStream in = new DigestInputStream(response.body(), digest)) {
        in.transferTo(java.io.OutputStream.nullOutputStream());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  @Override
  public void close() {
    lab.end(process);
  }
}
