package io.theseus.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigResolveOptions;
import io.theseus.journal.JournalSettings.Engine;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JournalSettingsTest {
  private static final Config SHIPPED =
      ConfigFactory.parseResources("reference.conf").resolve(resolvingTheRest());

  private static ConfigResolveOptions resolvingTheRest() {
    return ConfigResolveOptions.defaults().setAllowUnresolved(true);
  }

  @Test
  void shouldShipTheseDefaults() {
    assertThat(JournalSettings.from(SHIPPED))
        .isEqualTo(
            new JournalSettings(
                Path.of("data/journal").toAbsolutePath(),
                Engine.AUTO,
                65_536,
                1 << 20,
                32 << 20,
                4 << 20));
  }

  @Test
  void shouldShipPluginsThatExist() throws ClassNotFoundException {
    assertThat(Class.forName(SHIPPED.getString("theseus.journal.plugin.class")))
        .isEqualTo(LevelDbJournal.class);
    assertThat(Class.forName(SHIPPED.getString("theseus.journal.snapshots.class")))
        .isEqualTo(LevelDbSnapshotStore.class);
    assertThat(SHIPPED.getString("theseus.journal.plugin.plugin-dispatcher"))
        .isEqualTo("theseus.journal.dispatcher");
    assertThat(SHIPPED.getString("theseus.journal.dispatcher.executor"))
        .isEqualTo("thread-pool-executor");
  }

  @ParameterizedTest
  @CsvSource({
    "engine,       fast,    'theseus.journal.engine: fast (expected: auto, native or java)'",
    "queue,        0,       theseus.journal.queue: 0 (expected: 1 to 16777216)",
    "batch,        12,      theseus.journal.batch: 12 (expected: 1024 to 67108864)",
    "write-buffer, 1 KiB,   theseus.journal.write-buffer: 1024 (expected: 65536 to 268435456)",
  })
  void shouldRefuse(String key, String value, String message) {
    Config config =
        ConfigFactory.parseString("theseus.journal." + key + " = \"" + value + "\"")
            .withFallback(SHIPPED);
    assertThatThrownBy(() -> JournalSettings.from(config))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(message);
  }
}
