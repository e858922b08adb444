package io.theseus.node;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options that say which settings a node has. */
final class SettingsOptions {
  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "Settings that differ from application.conf.")
  private Optional<Path> config = Optional.empty();

  @Option(
      names = "--set",
      paramLabel = "key=value",
      description = "One setting; as often as you like. `theseus.` may be left out of the key.")
  private List<String> pairs = List.of();

  @Option(
      names = "--root",
      paramLabel = "DIR",
      description = "The directory to serve (theseus.store.root).")
  private Optional<Path> root = Optional.empty();

  /** All layers, as given. */
  SettingsSource source() {
    SettingsSource source = SettingsSource.defaults();
    config.ifPresent(source::file);
    pairs.forEach(source::set);
    root.ifPresent(source::root);
    return source;
  }
}
