package io.theseus.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.IntSupplier;

/**
 * The standard streams of this process, and what is at their other end.
 *
 * @param in standard input
 * @param data standard output for bytes: a failed write throws, as it does not from a PrintStream
 * @param out standard output for text
 * @param err standard error
 * @param outIsTerminal whether a person reads standard output
 * @param errIsTerminal whether a person reads standard error, on something that can draw
 * @param unicode whether standard error can show more than ASCII
 * @param columns how wide that terminal is now
 * @param environment the environment variables
 */
public record Streams(
    InputStream in,
    OutputStream data,
    PrintStream out,
    PrintStream err,
    boolean outIsTerminal,
    boolean errIsTerminal,
    boolean unicode,
    IntSupplier columns,
    Map<String, String> environment) {

  /** Those of this process. */
  public static Streams system() {
    Map<String, String> environment = System.getenv();
    boolean outIsTerminal = isTerminal(1);
    boolean errIsTerminal =
        isTerminal(2) && !environment.getOrDefault("TERM", "dumb").equals("dumb");
    Charset terminal = terminalCharset();
    OutputStream data = new FileOutputStream(FileDescriptor.out);
    return new Streams(
        new FileInputStream(FileDescriptor.in),
        data,
        // names are UTF-8 for whoever reads them by program, whatever the locale
        print(data, outIsTerminal ? terminal : StandardCharsets.UTF_8, false),
        print(
            new FileOutputStream(FileDescriptor.err),
            isTerminal(2) ? terminal : StandardCharsets.UTF_8,
            true),
        outIsTerminal,
        errIsTerminal,
        terminal.equals(StandardCharsets.UTF_8),
        new TerminalWidth(environment),
        environment);
  }

  private static PrintStream print(OutputStream out, Charset charset, boolean flushing) {
    return new PrintStream(new BufferedOutputStream(out, 1 << 13), flushing, charset);
  }

  private static Charset terminalCharset() {
    String name = System.getProperty("native.encoding", "UTF-8");
    return Charset.isSupported(name) ? Charset.forName(name) : StandardCharsets.UTF_8;
  }

  /**
   * Whether a descriptor is a terminal. Java tells only of standard input and output together, and
   * differently from version to version; the descriptor's link in /proc tells of each. Where there
   * is no /proc, plain lines do.
   */
  private static boolean isTerminal(int descriptor) {
    try {
      String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
      return target.startsWith("/dev/pts/")
          || target.startsWith("/dev/tty")
          || target.equals("/dev/console");
    } catch (IOException | UnsupportedOperationException e) {
      return false;
    }
  }
}
