package io.theseus.cli;

import io.theseus.client.ClientSettings;
import io.theseus.client.NodeAddress;
import io.theseus.client.PacketTrace;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of every command that talks to a node. */
final class CommonOptions {
  @Option(
      names = {"-s", "--server"},
      paramLabel = "NODES",
      defaultValue = "${env:THESEUS_SERVER:-127.0.0.1:7411}",
      description = {
        "The nodes to ask, in this order: host:port,host:port; port 7411 where none is given.",
        "Default: the variable THESEUS_SERVER, or 127.0.0.1:7411."
      })
  String servers = "";

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
    List<NodeAddress> addresses = NodeAddress.parseList(servers);
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
    String token = streams.environment().get("THESEUS_TOKEN");
    if (token != null && !token.isEmpty()) {
      builder.token(token);
    }
    return builder;
  }

  boolean debug(Streams streams) {
    return verbose || streams.environment().getOrDefault("THESEUS_DEBUG", "0").equals("1");
  }
}
