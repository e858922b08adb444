package io.theseus.node;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigOriginFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueFactory;
import io.theseus.wire.Texts;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The layers that settings are read from. Later ones win: the bundled {@code application.conf}, a
 * file, system properties, {@code key=value} pairs, the served directory.
 */
public final class SettingsSource {
  /** The resource with every key and its default. */
  static final String BUNDLED = "application.conf";

  private static final String ROOT = "theseus.";

  /** Objects whose keys are names that the user chooses, or keys of Akka's. */
  private static final List<String> OPEN = List.of("theseus.live", "theseus.dispatchers.control");

  private @Nullable Path file;
  private @Nullable Path servedRoot;
  private final List<String> pairs = new ArrayList<>();

  private SettingsSource() {}

  /** The defaults alone. */
  public static SettingsSource defaults() {
    return new SettingsSource();
  }

  /** Adds a file of the user's. */
  public SettingsSource file(Path file) {
    this.file = file;
    return this;
  }

  /** Adds {@code key=value}; the key may leave out {@code theseus.}. */
  public SettingsSource set(String pair) {
    pairs.add(pair);
    return this;
  }

  /** Serves a directory: {@code theseus.store.root}. */
  public SettingsSource root(Path directory) {
    this.servedRoot = directory;
    return this;
  }

  /**
   * Reads and checks all layers.
   *
   * @throws ConfigException naming the key, the value and what was expected
   */
  public NodeSettings read() {
    return NodeSettings.from(config());
  }

  /** All layers, resolved, without unknown keys. */
  Config config() {
    Config known = bundled().withFallback(ConfigFactory.defaultReferenceUnresolved());
    Config given = pairs().withFallback(properties()).withFallback(fromFile());
    Config all;
    try {
      all = given.withFallback(known).resolve();
    } catch (com.typesafe.config.ConfigException e) {
      throw new ConfigException(Texts.escape(String.valueOf(e.getMessage())));
    }
    refuseUnknown(all, known.resolve());
    return all;
  }

  private static Config bundled() {
    return ConfigFactory.parseResources(
        SettingsSource.class.getClassLoader(),
        BUNDLED,
        ConfigParseOptions.defaults().setAllowMissing(false));
  }

  private Config fromFile() {
    Path path = file;
    if (path == null) {
      return ConfigFactory.empty();
    }
    if (!Files.isRegularFile(path)) {
      throw new ConfigException(
          "--config: " + Texts.quote(path.toString()) + " (expected: a file that exists)");
    }
    try {
      return ConfigFactory.parseFile(
          new File(path.toString()), ConfigParseOptions.defaults().setAllowMissing(false));
    } catch (com.typesafe.config.ConfigException e) {
      throw new ConfigException("--config: " + Texts.escape(String.valueOf(e.getMessage())));
    }
  }

  private static Config properties() {
    ConfigFactory.invalidateCaches();
    return ConfigFactory.systemProperties();
  }

  private Config pairs() {
    Config all = ConfigFactory.empty();
    Path root = servedRoot;
    if (root != null) {
      all =
          ConfigFactory.empty()
              .withValue(
                  "theseus.store.root",
                  value(root.toAbsolutePath().normalize().toString(), "--root"));
    }
    for (int i = pairs.size() - 1; i >= 0; i--) {
      all = all.withFallback(pair(pairs.get(i)));
    }
    return all;
  }

  private static Config pair(String pair) {
    int equals = pair.indexOf('=');
    if (equals <= 0) {
      throw new ConfigException(
          "--set: " + Texts.quote(pair) + " (expected: key=value, as packets.port=7500)");
    }
    String key = pair.substring(0, equals).strip();
    String text = pair.substring(equals + 1).strip();
    if (!key.startsWith(ROOT) && !key.startsWith("akka.")) {
      key = ROOT + key;
    }
    try {
      // Brackets and quotes are the syntax of the file; anything else is taken as it stands, so
      // that
      // addresses and paths need no quoting twice.
      if (text.startsWith("[") || text.startsWith("{") || text.startsWith("\"")) {
        return ConfigFactory.parseString(
            key + " = " + text, ConfigParseOptions.defaults().setOriginDescription("--set"));
      }
      return ConfigFactory.empty().withValue(key, value(text, "--set"));
    } catch (com.typesafe.config.ConfigException e) {
      throw new ConfigException(
          "--set: " + Texts.quote(pair) + " (expected: key=value, as packets.port=7500)");
    }
  }

  private static ConfigValue value(String text, String origin) {
    return ConfigValueFactory.fromAnyRef(text).withOrigin(ConfigOriginFactory.newSimple(origin));
  }

  private static Set<String> keys(Config known) {
    Set<String> keys = new TreeSet<>();
    keys.add("theseus");
    if (known.root().get("theseus") instanceof ConfigObject object) {
      collect(object, List.of("theseus"), keys);
    }
    return keys;
  }

  private static void collect(ConfigObject object, List<String> path, Set<String> keys) {
    for (Map.Entry<String, ConfigValue> entry : object.entrySet()) {
      List<String> here = new ArrayList<>(path);
      here.add(entry.getKey());
      String joined = ConfigUtil.joinPath(here);
      keys.add(joined);
      if (entry.getValue() instanceof ConfigObject inner && !OPEN.contains(joined)) {
        collect(inner, here, keys);
      }
    }
  }

  private static void refuseUnknown(Config all, Config defaults) {
    ConfigReader reader = new ConfigReader(all);
    Set<String> known = keys(defaults);
    for (String key : known) {
      if (defaults.getValue(key) instanceof ConfigObject
          && !(all.getValue(key) instanceof ConfigObject)) {
        throw reader.refuse(key, "an object { ... }");
      }
    }
    for (String key : keys(all)) {
      if (!known.contains(key)) {
        String near = nearest(key, known).map(each -> "; the nearest is " + each).orElse("");
        throw new ConfigException(
            Texts.escape(key)
                + ": unknown (expected: a key of application.conf"
                + near
                + ")"
                + ConfigReader.origin(all, key));
      }
    }
  }

  private static Optional<String> nearest(String key, Set<String> known) {
    String best = null;
    int bestDistance = Math.max(3, key.length() / 2);
    for (String each : known) {
      int distance = distance(key, each);
      if (distance < bestDistance) {
        best = each;
        bestDistance = distance;
      }
    }
    return Optional.ofNullable(best);
  }

  /** Levenshtein's distance. */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int changed = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(changed, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[b.length()];
  }
}
