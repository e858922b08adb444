package io.theseus.node;

import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Says who has a port, as far as this process may know (proc(5)), and which setting moves ours. */
public final class PortInUse {
  private static final String IN_USE = "Address already in use";
  private static final String LISTENING = "0A";

  private PortInUse() {}

  /** Whether a failure is a port in use. */
  public static boolean isCause(@Nullable Throwable failure) {
    for (Throwable t = failure; t != null; t = t.getCause()) {
      // BindException from Java's own sockets, an IOException of Netty's from epoll
      if (t instanceof IOException && String.valueOf(t.getMessage()).contains(IN_USE)) {
        return true;
      }
    }
    return false;
  }

  /** The message for a listener that could not be bound. */
  public static String message(String host, int port, String setting) {
    return message(Path.of("/proc"), host, port, setting);
  }

  static String message(Path proc, String host, int port, String setting) {
    return setting
        + ": "
        + port
        + " (expected: a free port): "
        + NodeSettings.address(host, port)
        + " is in use by "
        + owner(proc, port)
        + ". Stop that, or choose another port: --set "
        + (setting.startsWith("theseus.") ? setting.substring("theseus.".length()) : setting)
        + "=PORT";
  }

  /** Who listens on a port, in words. */
  static String owner(int port) {
    return owner(Path.of("/proc"), port);
  }

  private static String owner(Path proc, int port) {
    Set<String> inodes = new HashSet<>();
    inodes.addAll(listening(proc.resolve("net/tcp"), port));
    inodes.addAll(listening(proc.resolve("net/tcp6"), port));
    if (inodes.isEmpty()) {
      return "another program (its name can't be found out)";
    }
    return holder(proc, inodes)
        .orElse("another program (its name is hidden: it runs as another user)");
  }

  /** Inodes of sockets that listen on a port: the tenth column of /proc/net/tcp. */
  private static List<String> listening(Path table, int port) {
    String suffix = String.format(Locale.ROOT, ":%04X", port);
    try {
      return Files.readAllLines(table, StandardCharsets.US_ASCII).stream()
          .skip(1)
          .map(line -> line.strip().split("\\s+"))
          .filter(
              columns ->
                  columns.length > 9 && columns[1].endsWith(suffix) && columns[3].equals(LISTENING))
          .map(columns -> columns[9])
          .toList();
    } catch (IOException e) {
      return List.of();
    }
  }

  private static Optional<String> holder(Path proc, Set<String> inodes) {
    Set<String> links = new HashSet<>();
    inodes.forEach(inode -> links.add("socket:[" + inode + "]"));
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(proc, "[0-9]*")) {
      for (Path process : processes) {
        if (holds(process, links)) {
          return Optional.of(Texts.quote(name(process)) + ", process " + process.getFileName());
        }
      }
    } catch (IOException e) {
      // as if hidden
    }
    return Optional.empty();
  }

  private static boolean holds(Path process, Set<String> links) {
    try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(process.resolve("fd"))) {
      for (Path descriptor : descriptors) {
        if (Files.isSymbolicLink(descriptor)
            && links.contains(Files.readSymbolicLink(descriptor).toString())) {
          return true;
        }
      }
    } catch (IOException | java.nio.file.DirectoryIteratorException e) {
      // another user's, or just ended
    }
    return false;
  }

  private static String name(Path process) {
    try {
      return Files.readString(process.resolve("comm")).strip();
    } catch (IOException e) {
      return "?";
    }
  }
}
