package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.theseus.module.ModuleKey;
import io.theseus.steps.Steps;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whose modules a node accepts. */
class ModuleKeysNodeTest {
  private Path directory;
  private SettingsSource source;

  @BeforeEach
  void configure(@TempDir Path temporary) {
    directory = temporary;
    source =
        SettingsSource.defaults()
            .set("data-dir=" + temporary.resolve("data"))
            .set("packets.port=0")
            .set("cluster.port=0");
  }

  @Test
  void shouldMakeALabKeyOnLoopback() throws Exception {
    try (Services services = Services.open(source.read(), Steps.NONE)) {
      ModuleKey key = ModuleKey.read(directory.resolve("data/modules/lab.key"));
      assertThat(services.moduleKeys().ids()).containsExactly(key.id());
    }
  }

  @Test
  void shouldPinWhatIsConfigured() throws Exception {
    ModuleKey key = ModuleKey.make();
    Path open = Files.writeString(directory.resolve("key.pub"), key.openPem());
    try (Services services = Services.open(source.set("modules.keys=" + open).read(), Steps.NONE)) {
      assertThat(services.moduleKeys().ids()).containsExactly(key.id());
      assertThat(directory.resolve("data/modules/lab.key")).doesNotExist();
    }
  }

  @Test
  void shouldNotStartWithoutItsKeys() throws Exception {
    Path missing = directory.resolve("missing.pub");
    NodeSettings settings = source.set("modules.keys=" + missing).read();
    assertThatThrownBy(() -> Services.open(settings, Steps.NONE))
        .isInstanceOf(StartException.class)
        .hasMessage("theseus.modules.keys: \"" + missing + "\" (expected: a file)");

    Files.writeString(missing, "nothing");
    assertThatThrownBy(() -> Services.open(settings, Steps.NONE))
        .isInstanceOf(StartException.class)
        .hasMessage(
            "theseus.modules.keys: key: \""
                + missing
                + "\" (expected: a file in PEM, -----BEGIN PUBLIC KEY-----)");
  }
}
