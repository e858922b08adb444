package io.theseus.bench.transfer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** A peer's configuration: a file of {@code bench/peers} whose words between @ are filled in. */
record Configuration(Path file) {
  /** Where they are kept, and results take them from. */
  static final Path PEERS = Path.of("bench/peers");

  static Configuration of(Path directory, String name, Map<String, Object> values)
      throws IOException {
    String text = Files.readString(PEERS.resolve(name));
    for (Map.Entry<String, Object> each : values.entrySet()) {
      String word = "@" + each.getKey() + "@";
      if (!text.contains(word)) {
        throw new IllegalStateException(name + ": there is no " + word);
      }
      text = text.replace(word, each.getValue().toString());
    }
    Files.createDirectories(directory);
    return new Configuration(Files.writeString(directory.resolve(name), text));
  }
}
