package io.theseus.cli;

import io.theseus.access.Certificates;
import io.theseus.access.Scope;
import io.theseus.access.Tokens;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code theseus keygen lab}: all that nodes and a client need to speak TLS with each other. */
@Command(
    name = "lab",
    description = {
      "Makes a certificate authority, for each host a certificate, a key and a configuration, and"
          + " a token for clients.",
      "",
      "Nodes speak TLS with clients and with each other, and serve nobody without the token."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "Examples:",
      "  theseus keygen lab lab                                    one node on this host",
      "  theseus keygen lab lab --host localhost --host localhost  two nodes on this host",
      "  theseus keygen lab keys --host a.example --host b.example --host c.example",
    })
final class KeygenLabCommand implements Callable<Integer> {
  private static final int PACKETS = 7411;
  private static final int TLS = 7421;
  private static final int REMOTING = 25511;
  private static final int MOST_DAYS = 3650;
  private static final Duration AUTHORITY = Duration.ofDays(MOST_DAYS);
  private static final String HOST = "[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?|::1";

  @Parameters(paramLabel = "DIR", description = "The directory for all of it.")
  private Path directory = Path.of("");

  @Option(
      names = "--host",
      paramLabel = "NAME",
      description = {
        "A name or address by which a node is reached; once for each node.",
        "Default: localhost."
      })
  private List<String> hosts = List.of("localhost");

  @Option(
      names = "--days",
      paramLabel = "N",
      defaultValue = "365",
      description = "How long the nodes' certificates are valid. Default: ${DEFAULT-VALUE}.")
  private int days;

  @Spec
  @SuppressWarnings("NullAway.Init") // set by picocli
  private CommandSpec spec;

  private final Streams streams;

  KeygenLabCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() {
    check();
    Instant now = Instant.now();
    Certificates.Made authority = Certificates.authority("Theseus lab", now, AUTHORITY);
    String token = Tokens.make();
    NewFiles files = new NewFiles();
    files.add(file("ca.pem"), authority.certificatePem());
    files.add(file("ca-key.pem"), authority.keyPem());
    for (int number = 1; number <= hosts.size(); number++) {
      Certificates.Made made =
          Certificates.node(
              authority, "node" + number, names(number), now, now.plus(Duration.ofDays(days)));
      files.add(file("node" + number + ".pem"), made.certificatePem());
      files.add(file("node" + number + "-key.pem"), made.keyPem());
      files.add(file("node" + number + ".conf"), configuration(number));
    }
    files.add(file("token"), token + "\n");
    files.add(
        file("tokens"),
        "# name, SHA-256 of the token, scopes; `theseus keygen token` makes more\n"
            + Tokens.line(
                "lab", token, Set.of(Scope.READ, Scope.WRITE), Optional.empty(), List.of())
            + "\n");
    return Keygen.write(spec, streams, files, this::next);
  }

  private void check() {
    for (String host : hosts) {
      if (!host.matches(HOST)) {
        throw new ParameterException(
            spec.commandLine(),
            "--host: '" + host + "' (expected: a name or an address, without brackets or port)");
      }
    }
    if (days < 1 || days > MOST_DAYS) {
      throw new ParameterException(
          spec.commandLine(), "--days: " + days + " (expected: 1 to " + MOST_DAYS + ")");
    }
  }

  private Path file(String name) {
    return directory.resolve(name);
  }

  private String host(int number) {
    return hosts.get(number - 1);
  }

  private List<String> names(int number) {
    Set<String> names = new LinkedHashSet<>();
    names.add(host(number));
    names.addAll(List.of("localhost", "127.0.0.1", "::1"));
    return List.copyOf(names);
  }

  /** Nodes on the same host have ports of their own: the next node + 1. */
  private int port(int first, int number) {
    return first + (int) hosts.subList(0, number - 1).stream().filter(host(number)::equals).count();
  }

  private String address(int first, int number) {
    String host = host(number);
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port(first, number);
  }

  private String each(IntFunctionOfNumber text) {
    return IntStream.rangeClosed(1, hosts.size())
        .mapToObj(number -> '"' + text.of(number) + '"')
        .collect(Collectors.joining(", ", "[", "]"));
  }

  private interface IntFunctionOfNumber {
    String of(int number);
  }

  private String configuration(int number) {
    String node = "node" + number;
    List<String> lines = new ArrayList<>();
    lines.add("# Made by `theseus keygen lab`: theseus node --config " + file(node + ".conf"));
    lines.add("# What is not named here is as in application.conf.");
    lines.add("");
    lines.add("theseus {");
    lines.add("  node.id = " + quoted(node));
    lines.add("  data-dir = " + quoted("data/" + node));
    lines.add("");
    lines.add("  packets {");
    lines.add("    port = " + port(PACKETS, number));
    lines.add("    tls {");
    lines.add("      certificate = " + quoted(file(node + ".pem")));
    lines.add("      key = " + quoted(file(node + "-key.pem")));
    lines.add("      host = " + quoted(host(number)));
    lines.add("      port = " + port(TLS, number));
    lines.add("      advertise = " + quoted(address(TLS, number)));
    lines.add("    }");
    lines.add("  }");
    lines.add("");
    lines.add("  access {");
    lines.add("    tokens = " + quoted(file("tokens")));
    lines.add("    anonymous = nothing");
    lines.add("  }");
    lines.add("");
    lines.add("  cluster {");
    lines.add("    host = " + quoted(host(number)));
    lines.add("    port = " + port(REMOTING, number));
    if (hosts.size() > 1) {
      lines.add("    nodes = " + each(other -> "node" + other));
      lines.add("    seed-nodes = " + each(other -> address(REMOTING, other)));
    }
    lines.add("    tls {");
    lines.add("      certificate = " + quoted(file(node + ".pem")));
    lines.add("      key = " + quoted(file(node + "-key.pem")));
    lines.add("      ca = " + quoted(file("ca.pem")));
    lines.add("    }");
    lines.add("  }");
    lines.add("}");
    return String.join("\n", lines) + "\n";
  }

  private static String quoted(Object text) {
    return '"' + text.toString().replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }

  private void next(NewFiles files) throws IOException {
    streams.out().println("Made in " + Display.name(directory.toString()) + ":");
    streams
        .out()
        .println(
            "  "
                + files.names().stream()
                    .map(each -> String.valueOf(each.getFileName()))
                    .collect(Collectors.joining(" ")));
    streams.out().println("Keep ca-key.pem off the nodes: who has it can be any of them.");
    streams.out().println("Next:");
    Stream<List<String>> nodes =
        IntStream.rangeClosed(1, hosts.size())
            .mapToObj(
                number ->
                    List.of(
                        "theseus", "node", "--config", file("node" + number + ".conf").toString()));
    Stream<List<String>> client =
        Stream.of(
            List.of(
                "theseus",
                "ls",
                "--server",
                address(TLS, 1),
                "--ca",
                file("ca.pem").toString(),
                "--token-file",
                file("token").toString()));
    Stream.concat(nodes, client)
        .forEach(command -> streams.out().println("  " + Display.commandLine(command)));
  }
}
