package io.theseus.store;

import com.sun.jna.Memory;
import io.theseus.os.Native;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Locale;

/** What a live stream reads from: one thread reads, any thread may close. */
abstract class LiveInput implements Closeable {
  /**
   * Waits for bytes.
   *
   * @return their number; 0 where there are none yet, -1 at the end
   * @throws IOException where the source ended otherwise, saying how
   */
  abstract int read(byte[] into, int at, int most) throws IOException;

  /** Makes a read that waits come back soon. */
  abstract void cancel();

  /** Gives everything back; by the thread that reads. */
  @Override
  public abstract void close();

  static LiveInput ofFifo(Path path) throws IOException {
    if (!Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
        .isOther()) {
      throw new IOException(path.getFileName() + " is no FIFO (expected: mkfifo)");
    }
    return new Fifo(Native.openNonBlocking(path));
  }

  static LiveInput ofCommand(List<String> command) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
    try {
      return new Command(command.get(0), builder.start());
    } catch (IOException e) {
      throw new IOException(Refusals.reason(e) + " (expected: a program and its arguments)", e);
    }
  }

  /** Reads a FIFO without ever waiting in the kernel for longer than a cancel may take. */
  private static final class Fifo extends LiveInput {
    private static final int POLL_MILLIS = 100;
    private static final int BUFFER_BYTES = 64 << 10;

    private final int fd;
    private final Memory buffer = new Memory(BUFFER_BYTES);

    Fifo(int fd) {
      this.fd = fd;
    }

    @Override
    int read(byte[] into, int at, int most) throws IOException {
      if (!Native.awaitInput(fd, POLL_MILLIS)) {
        return 0;
      }
      int n = Native.read(fd, buffer, Math.min(most, BUFFER_BYTES));
      if (n > 0) {
        buffer.read(0, into, at, n);
      }
      return n == 0 ? -1 : Math.max(n, 0);
    }

    @Override
    void cancel() {
      // a read comes back by itself
    }

    @Override
    public void close() {
      Native.close(fd);
      buffer.close();
    }
  }

  /** Reads a command's standard output, and its exit code at the end. */
  private static final class Command extends LiveInput {
    private static final int MOST_LINE_CHARS = 200;

    private final String program;
    private final Process process;
    private final InputStream output;
    private final Thread errors;
    private volatile String lastError = "";

    Command(String program, Process process) {
      this.program = program;
      this.process = process;
      this.output = process.getInputStream();
      this.errors = new Thread(this::readErrors, "live-errors-" + program);
      errors.setDaemon(true);
      errors.start();
    }

    @Override
    int read(byte[] into, int at, int most) throws IOException {
      int n = output.read(into, at, most);
      if (n >= 0) {
        return n;
      }
      int code = await();
      if (code != 0) {
        throw new IOException(
            program
                + " ended with exit code "
                + code
                + (lastError.isEmpty() ? "" : ": " + lastError)
                + " (expected: 0)");
      }
      return -1;
    }

    private int await() throws IOException {
      try {
        int code = process.waitFor();
        errors.join();
        return code;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      }
    }

    private void readErrors() {
      try (BufferedReader reader =
          new BufferedReader(
              new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8))) {
        StringBuilder line = new StringBuilder();
        for (int c = reader.read(); c >= 0; c = reader.read()) {
          if (c == '\n') {
            keep(line);
            line.setLength(0);
          } else if (line.length() < MOST_LINE_CHARS) {
            line.append((char) c);
          }
        }
        keep(line);
      } catch (IOException e) {
        // the process was ended: its last words don't matter
        lastError = e.toString().toLowerCase(Locale.ROOT);
      }
    }

    private void keep(CharSequence line) {
      String text = line.toString().strip();
      if (!text.isEmpty()) {
        lastError = text;
      }
    }

    @Override
    void cancel() {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }

    @Override
    public void close() {
      cancel();
      try {
        output.close();
      } catch (IOException e) {
        // it was only read
        lastError = e.toString();
      }
    }
  }
}
