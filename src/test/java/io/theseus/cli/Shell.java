package io.theseus.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Runs command lines in this process and remembers what they printed. */
final class Shell {
  final Map<String, String> environment = new HashMap<>();
  private final String server;
  byte[] in = new byte[0];
  boolean terminal;
  boolean outIsTerminal;

  /** What one command left. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Ran(int exit, byte[] data, String err) {
    String out() {
      return new String(data, StandardCharsets.UTF_8);
    }

    List<String> lines() {
      return out().lines().toList();
    }
  }

  Shell(FolderServer server, Path home) {
    this(server.address(), home);
  }

  Shell(String server, Path home) {
    this.server = server;
    environment.put("XDG_STATE_HOME", home.toString());
  }

  /** Runs {@code theseus} with these arguments against the server. */
  Ran run(String... arguments) {
    String[] all = Arrays.copyOf(arguments, arguments.length + 2);
    all[arguments.length] = "--server";
    all[arguments.length + 1] = server;
    return runExactly(all);
  }

  /** Runs {@code theseus} with these arguments. */
  Ran runExactly(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Streams streams = streams(out, err);
    int exit = Theseus.commandLine(streams).execute(arguments);
    streams.out().flush();
    return new Ran(exit, out.toByteArray(), err.toString(StandardCharsets.UTF_8));
  }

  /** What a command that is run otherwise writes to. */
  Streams streams(ByteArrayOutputStream out, ByteArrayOutputStream err) {
    PrintStream errors = new PrintStream(err, true, StandardCharsets.UTF_8);
    PrintStream prints = new PrintStream(out, true, StandardCharsets.UTF_8);
    return new Streams(
        new ByteArrayInputStream(in),
        out,
        prints,
        errors,
        outIsTerminal,
        terminal,
        true,
        () -> 100,
        Map.copyOf(environment));
  }
}
