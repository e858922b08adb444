package io.theseus.bench.transfer;

import io.theseus.bench.Lab;
import io.theseus.bench.Pattern;
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
import java.util.Map;

/** nginx: GET, and PUT by WebDAV, which the load client makes durable. */
final class NginxServer extends ServerProcess {
  static final String NAME = "nginx";

  private final LoadClient load;
  private final HttpClient http;

  NginxServer(Lab lab) throws IOException {
    this(lab, Lab.freePort(), Lab.freePort());
  }

  private NginxServer(Lab lab, int port, int tlsPort) throws IOException {
    super(lab, NAME, command(lab, port, tlsPort), () -> Lab.accepts(port));
    load = new LoadClient(lab, "http", port, tlsPort, /* fsync= */ true);
    http = HttpClient.newBuilder().sslContext(lab.trust()).build();
  }

  private static ProcessBuilder command(Lab lab, int port, int tlsPort) throws IOException {
    Path directory = lab.directory().resolve(NAME);
    Files.createDirectories(lab.directory().resolve("nginx-uploads"));
    Configuration configuration =
        Configuration.of(
            directory,
            "nginx.conf",
            Map.of(
                "PORT",
                port,
                "TLS_PORT",
                tlsPort,
                "CERTIFICATE",
                lab.certificate(),
                "KEY",
                lab.key(),
                "USER",
                System.getProperty("user.name", "root")));
    // Debian keeps it where only root looks for programs
    Path program = Path.of("/usr/sbin/nginx");
    return new ProcessBuilder(
        Files.isExecutable(program) ? program.toString() : NAME,
        "-p",
        directory.toString(),
        "-c",
        configuration.file().getFileName().toString());
  }

  @Override
  public LoadClient load() {
    return load;
  }

  @Override
  public String fetch(TransferCase what, String folder, int index) throws IOException {
    URI address =
        URI.create(
            "%s://localhost:%d/%s/%s"
                .formatted(
                    what.tls() ? "https" : "http",
                    what.tls() ? load.tlsPort() : load.port(),
                    folder,
                    TransferCase.fileName(index)));
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
}
