package io.theseus.steps;

import io.theseus.os.Native;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The named points at which a process can be killed by a test; one object for each node.
 *
 * <p>Names are {@code area.event}, such as {@code put.marked}, in the order in which they are
 * passed; {@code docs/architecture.md} lists them. Outside tests a point does nothing.
 */
@FunctionalInterface
public interface Steps {
  /**
   * The environment variable that halts a process: {@code name}, {@code name:count}, or {@code
   * @file}, a file that says it and may be written while the process runs.
   */
  String HALT_AT = "THESEUS_HALT_AT";

  /** Does nothing at any point. */
  Steps NONE = name -> {};

  /** Passes a point. May not return, or throw, in tests. */
  void at(String name);

  /**
   * Kills this process, as by {@code kill -9}, at the {@code count}th passing of a point.
   *
   * @param setting {@code name}, {@code name:count} or {@code @file}; empty for none
   */
  static Steps haltingAt(String setting) {
    if (setting.isEmpty()) {
      return NONE;
    }
    if (setting.startsWith("@")) {
      return new HaltFile(Path.of(setting.substring(1)), Steps::haltingAt);
    }
    int colon = setting.lastIndexOf(':');
    String wanted = colon < 0 ? setting : setting.substring(0, colon);
    int count = colon < 0 ? 1 : Integer.parseInt(setting.substring(colon + 1));
    AtomicInteger passed = new AtomicInteger();
    return name -> {
      if (name.equals(wanted) && passed.incrementAndGet() == count) {
        Native.killSelf();
      }
    };
  }
}
