package io.theseus.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** What a measurement was made on. */
public final class Machine {
  private Machine() {}

  /** A line each, without names of machines or people. */
  public static List<String> facts() {
    return List.of(
        "processors: " + processors() + " × " + valueOf("model name"),
        "memory: " + memory(),
        "kernel: " + System.getProperty("os.name") + " " + System.getProperty("os.version"),
        "Java: " + System.getProperty("java.vm.name") + " " + Runtime.version());
  }

  /** Of the machine; this process may be pinned to fewer. */
  private static long processors() {
    try {
      return Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
          .filter(line -> line.matches("processor\\s*:.*"))
          .count();
    } catch (IOException e) {
      return Runtime.getRuntime().availableProcessors();
    }
  }

  private static String memory() {
    String text = field(Path.of("/proc/meminfo"), "MemTotal");
    return text.endsWith(" kB")
        ? String.format(
            Locale.ROOT,
            "%.1f GiB",
            Long.parseLong(text.substring(0, text.length() - 3)) / (1024.0 * 1024))
        : text;
  }

  private static String valueOf(String key) {
    return field(Path.of("/proc/cpuinfo"), key);
  }

  /** The first value of a key in one of the kernel's files of `key: value`. */
  private static String field(Path file, String key) {
    try {
      return Files.readAllLines(file).stream()
          .filter(line -> line.startsWith(key) && line.contains(":"))
          .map(line -> line.substring(line.indexOf(':') + 1).trim())
          .findFirst()
          .orElse("unknown");
    } catch (IOException e) {
      return "unknown";
    }
  }
}
