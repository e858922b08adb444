package io.theseus.client;

import io.theseus.wire.Texts;
import java.util.ArrayList;
import java.util.List;

/** Where a node is reached: {@code host:port}, IPv6 in brackets. The name is looked up late. */
public record NodeAddress(String host, int port) {
  /** The packet port of a node with default settings. */
  public static final int DEFAULT_PORT = 7411;

  /** The same for TLS. */
  public static final int DEFAULT_TLS_PORT = 7421;

  private static final int MAX_PORT = 65_535;

  public NodeAddress {
    if (host.isEmpty() || host.indexOf(' ') >= 0) {
      throw new IllegalArgumentException("host: " + Texts.quote(host) + " (expected: a name)");
    }
    if (port < 1 || port > MAX_PORT) {
      throw new IllegalArgumentException("port: " + port + " (expected: 1 to " + MAX_PORT + ")");
    }
  }

  /** Reads {@code host:port}, {@code host}, {@code [v6]:port} or {@code [v6]}. */
  public static NodeAddress parse(String text) {
    return parse(text, DEFAULT_PORT);
  }

  private static NodeAddress parse(String text, int defaultPort) {
    String trimmed = text.trim();
    String host = trimmed;
    int port = defaultPort;
    int colon = trimmed.lastIndexOf(':');
    boolean bracketed = trimmed.startsWith("[");
    if (colon >= 0 && (!bracketed || trimmed.charAt(colon - 1) == ']')) {
      if (!bracketed && trimmed.indexOf(':') != colon) {
        throw bad(text);
      }
      host = trimmed.substring(0, colon);
      try {
        port = Integer.parseInt(trimmed.substring(colon + 1));
      } catch (NumberFormatException e) {
        throw bad(text);
      }
    }
    if (bracketed) {
      if (!host.endsWith("]")) {
        throw bad(text);
      }
      host = host.substring(1, host.length() - 1);
    }
    if (host.isEmpty() || host.indexOf(' ') >= 0 || port < 1 || port > MAX_PORT) {
      throw bad(text);
    }
    return new NodeAddress(host, port);
  }

  /** Reads a comma separated list; empty parts are left out. */
  public static List<NodeAddress> parseList(String text) {
    return parseList(text, DEFAULT_PORT);
  }

  /** The same, with another port where none is given. */
  public static List<NodeAddress> parseList(String text, int defaultPort) {
    List<NodeAddress> addresses = new ArrayList<>();
    for (String part : text.split(",", -1)) {
      if (!part.isBlank()) {
        addresses.add(parse(part, defaultPort));
      }
    }
    return List.copyOf(addresses);
  }

  @Override
  public String toString() {
    return host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port;
  }

  private static IllegalArgumentException bad(String text) {
    return new IllegalArgumentException(
        "address: "
            + Texts.quote(text)
            + " (expected: host:port, IPv6 in brackets, port 1 to "
            + MAX_PORT
            + ")");
  }
}
