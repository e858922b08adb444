package io.theseus.names;

import io.theseus.steps.Steps;
import io.theseus.store.FileStore;
import io.theseus.store.VersionClock;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.Executor;

/** Names for tests. */
public final class TestNames {
  private TestNames() {}

  /** Those of a node that is alone. */
  public static Names alone(FileStore store, Executor disk) {
    return new Names(
        new NamesSettings("test", Set.of("test"), Duration.ofDays(1), Path.of("none")),
        store,
        new VersionClock("test", Clock.systemUTC()),
        disk,
        Steps.NONE,
        () -> new Place("test", "", ""));
  }
}
