package io.theseus.node;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import io.theseus.wire.Texts;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;

/** Reads checked values out of a resolved config; every refusal says where the value came from. */
final class ConfigReader {
  private final Config config;

  ConfigReader(Config config) {
    this.config = config;
  }

  String string(String key) {
    return get(key, "text", () -> config.getString(key));
  }

  /** A list of texts, or one text with commas, as {@code --set} gives it. */
  List<String> strings(String key) {
    return get(
        key,
        "a list of texts",
        () -> {
          if (config.getValue(key).valueType() == ConfigValueType.STRING) {
            return Arrays.stream(config.getString(key).split(","))
                .map(String::strip)
                .filter(text -> !text.isEmpty())
                .toList();
          }
          return List.copyOf(config.getStringList(key));
        });
  }

  int integer(String key, int least, int most) {
    String expected = least + " to " + most;
    long value = get(key, expected, () -> config.getLong(key));
    if (value < least || value > most) {
      throw refuse(key, expected);
    }
    return (int) value;
  }

  long number(String key, long least) {
    String expected = "at least " + least;
    long value = get(key, expected, () -> config.getLong(key));
    if (value < least) {
      throw refuse(key, expected);
    }
    return value;
  }

  int port(String key) {
    return integer(key, 0, 65_535);
  }

  long bytes(String key, long least, long most) {
    String expected = most == Long.MAX_VALUE ? "at least " + size(least) : size(least, most);
    long value = get(key, expected, () -> config.getBytes(key));
    if (value < least || value > most) {
      throw refuse(key, expected);
    }
    return value;
  }

  Duration duration(String key, Duration least, Duration most) {
    String expected = time(least) + " to " + time(most);
    Duration value = get(key, expected, () -> config.getDuration(key));
    if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
      throw refuse(key, expected);
    }
    return value;
  }

  <E extends Enum<E>> E oneOf(String key, Class<E> type) {
    List<String> names =
        Arrays.stream(type.getEnumConstants())
            .map(each -> each.name().toLowerCase(Locale.ROOT))
            .toList();
    String value = string(key);
    int index = names.indexOf(value.toLowerCase(Locale.ROOT));
    if (index < 0) {
      throw refuse(key, String.join(", ", names));
    }
    return type.getEnumConstants()[index];
  }

  Config config(String key) {
    return get(key, "an object { ... }", () -> config.getConfig(key));
  }

  /** A refusal of the value at a key. */
  ConfigException refuse(String key, String expected) {
    return new ConfigException(
        key + ": " + shown(key) + " (expected: " + expected + ")" + origin(config, key));
  }

  private <T> T get(String key, String expected, Supplier<T> read) {
    try {
      return read.get();
    } catch (com.typesafe.config.ConfigException e) {
      throw refuse(key, expected);
    }
  }

  private String shown(String key) {
    try {
      ConfigValue value = config.getValue(key);
      return value.valueType() == ConfigValueType.STRING
          ? Texts.quote((String) value.unwrapped())
          : Texts.escape(value.render(com.typesafe.config.ConfigRenderOptions.concise()));
    } catch (com.typesafe.config.ConfigException e) {
      return "nothing";
    }
  }

  /** Where a value was written, in brackets; empty for the defaults. */
  static String origin(Config config, String key) {
    try {
      ConfigValue value = config.getValue(key);
      String described = value.origin().description();
      if (described.contains(SettingsSource.BUNDLED)) {
        return "";
      }
      return " [" + (described.startsWith("--set") ? "--set" : described) + "]";
    } catch (com.typesafe.config.ConfigException e) {
      return "";
    }
  }

  private static String size(long least, long most) {
    return size(least) + " to " + size(most);
  }

  static String size(long bytes) {
    if (bytes > 0 && bytes % (1L << 40) == 0) {
      return (bytes >> 40) + " TiB";
    }
    if (bytes > 0 && bytes % (1L << 30) == 0) {
      return (bytes >> 30) + " GiB";
    }
    if (bytes > 0 && bytes % (1L << 20) == 0) {
      return (bytes >> 20) + " MiB";
    }
    if (bytes > 0 && bytes % (1L << 10) == 0) {
      return (bytes >> 10) + " KiB";
    }
    return bytes + (bytes == 0 ? "" : " B");
  }

  static String time(Duration time) {
    if (time.isZero()) {
      return "0";
    }
    if (time.toNanosPart() % 1_000_000_000 != 0) {
      return time.toMillis() + "ms";
    }
    if (time.toSeconds() % 86_400 == 0) {
      return time.toDays() + "d";
    }
    if (time.toSeconds() % 3_600 == 0) {
      return time.toHours() + "h";
    }
    return time.toSeconds() + "s";
  }
}
