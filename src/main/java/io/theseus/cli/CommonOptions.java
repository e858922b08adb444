package io.theseus.cli;

import io.theseus.client.ClientSettings;
import io.theseus.client.ClientTls;
import io.theseus.client.NodeAddress;
import io.theseus.client.PacketTrace;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of every command that talks to a node. */
final class CommonOptions {
  @Option(
      names = {"-s", "--server"},
      paramLabel = "NODES",
      defaultValue = "${env:THESEUS_SERVER:-127.0.0.1}",
      description = {
        "The nodes to ask, in this order: host:port,host:port; port 7411 where none is given, 7421"
            + " with TLS.",
        "Default: the variable THESEUS_SERVER, or 127.0.0.1."
      })
  String servers = "";

  @Option(
      names = "--tls",
      description = {
        "Speak TLS, and trust the authorities that this Java trusts. Also: THESEUS_TLS=1."
      })
  boolean tls;

  @Option(
      names = "--ca",
      paramLabel = "FILE",
      description = {
        "Speak TLS, and trust the authorities in this file (PEM) alone.",
        "Also: the variable THESEUS_CA."
      })
  @Nullable Path authorities;

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      description = {
        "A file with the token that the nodes ask for; only its owner may read it (mode 0600).",
        "Also: the variable THESEUS_TOKEN_FILE, or the token itself in THESEUS_TOKEN."
      })
  @Nullable Path tokenFile;

  @Option(
      names = "--retry-for",
      paramLabel = "TIME",
      converter = Durations.class,
      description = {
        "How long to try without a byte of progress, like 30s, 10m or 2h.",
        "Default: 3s for the first connection, 2m for a lost one."
      })
  @Nullable Duration retryFor;

  @Option(
      names = "--attempts",
      paramLabel = "N",
      description = "How many times to reconnect without a byte of progress. Default: any number.")
  @Nullable Integer attempts;

  @Option(
      names = "--json",
      description = "One line of JSON for each result on standard output, and nothing else there.")
  boolean json;

  @Option(
      names = {"-q", "--quiet"},
      description = "No progress and no summary; failures are still told.")
  boolean quiet;

  @Option(
      names = "--trace",
      description = "Show every packet on standard error, a line each: < received, > sent.")
  boolean trace;

  @Option(
      names = "--verbose",
      description = "Show the stack trace of a failure. Also: THESEUS_DEBUG=1.")
  boolean verbose;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help and exit.")
  boolean help;

  /** Settings of the client library; refuses bad values with an IllegalArgumentException. */
  ClientSettings.Builder settings(Streams streams, PacketTrace tracer) {
    Map<String, String> environment = streams.environment();
    Path ca = either(authorities, environment.get("THESEUS_CA"));
    boolean encrypted =
        tls || ca != null || environment.getOrDefault("THESEUS_TLS", "").equals("1");
    List<NodeAddress> addresses =
        NodeAddress.parseList(
            servers, encrypted ? NodeAddress.DEFAULT_TLS_PORT : NodeAddress.DEFAULT_PORT);
    if (addresses.isEmpty()) {
      throw new IllegalArgumentException("--server: none (expected: at least one host:port)");
    }
    ClientSettings.Builder builder = ClientSettings.builder(addresses);
    if (retryFor != null) {
      builder.firstConnectLimit(retryFor).reconnectLimit(retryFor);
    }
    if (attempts != null) {
      builder.reconnectAttempts(attempts);
    }
    if (trace) {
      builder.trace(tracer);
    }
    if (encrypted) {
      builder.tls(clientTls(ca));
    }
    Path file = either(tokenFile, environment.get("THESEUS_TOKEN_FILE"));
    String token = file != null ? TokenText.read(file) : environment.get("THESEUS_TOKEN");
    if (token != null && !token.isEmpty()) {
      builder.token(token);
    }
    return builder;
  }

  private static @Nullable Path either(@Nullable Path option, @Nullable String variable) {
    return option != null || variable == null || variable.isEmpty() ? option : Path.of(variable);
  }

  private static ClientTls clientTls(@Nullable Path ca) {
    try {
      return ca == null ? ClientTls.trustingSystem() : ClientTls.trusting(ca);
    } catch (IOException e) {
      throw new IllegalArgumentException("--ca: " + e.getMessage(), e);
    }
  }

  boolean debug(Streams streams) {
    return verbose || streams.environment().getOrDefault("THESEUS_DEBUG", "0").equals("1");
  }
}
