package io.theseus.module;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModuleStoreTest {
  private final ModuleKey key = ModuleKey.make();
  private Path directory;
  private ModuleStore store;

  @BeforeEach
  void open(@TempDir Path temporary) throws Exception {
    directory = temporary.resolve("modules");
    store = ModuleStore.open(directory);
  }

  private VerifiedModule module(String version) throws Exception {
    Zips zip = new Zips();
    zip.add(ModuleDescriptor.ENTRY, TestModules.DESCRIPTOR.replace("1.2", version));
    zip.add("example/Burst.class", "");
    ModuleArchive signed = ModuleArchive.read(zip.bytes()).sign(key, Optional.empty());
    return ModuleKeys.of(key.open()).verify(signed, Instant.EPOCH);
  }

  @Test
  void shouldKeepModulesForItsOwnerAlone() throws Exception {
    VerifiedModule module = module("1.2");
    String sha256 = module.archive().sha256();
    store.put(module);
    store.put(module);

    Path file = directory.resolve(sha256 + ".jar");
    assertThat(file).hasBinaryContent(module.archive().bytes());
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory)))
        .isEqualTo("rwx------");
    ModuleStore again = ModuleStore.open(directory);
    assertThat(again.list()).containsExactly(sha256);
    assertThat(again.get(sha256).orElseThrow().archive().bytes())
        .isEqualTo(module.archive().bytes());
    assertThat(again.get("0".repeat(64))).isEmpty();
  }

  @Test
  void shouldRefuseAFileThatWasChanged() throws Exception {
    VerifiedModule module = module("1.2");
    VerifiedModule other = module("1.3");
    store.put(module);
    store.put(other);
    String sha256 = module.archive().sha256();
    Path file = directory.resolve(sha256 + ".jar");

    Files.write(file, other.archive().bytes());
    assertThatThrownBy(() -> store.get(sha256))
        .isInstanceOf(ModuleException.class)
        .hasMessage(
            "module file \""
                + file
                + "\" was changed: its SHA-256 is "
                + other.archive().sha256()
                + " (expected: the one in its name)");
    Files.write(file, new byte[10]);
    assertThatThrownBy(() -> store.get(sha256))
        .hasMessageStartingWith("module file \"" + file + "\" was changed: no end record");

    store.put(module);
    assertThat(store.get(sha256)).isPresent();
  }

  @Test
  void shouldRemoveWhatNothingRefersTo() throws Exception {
    VerifiedModule kept = module("1.2");
    VerifiedModule removed = module("1.3");
    store.put(kept);
    store.put(removed);
    Files.writeString(directory.resolve("lab.key"), "");

    assertThat(store.retain(List.of(kept.archive().sha256()), Instant.MAX))
        .containsExactly(removed.archive().sha256());
    assertThat(store.list()).containsExactly(kept.archive().sha256());
    assertThat(directory.resolve("lab.key")).exists();
  }

  @Test
  void shouldRemoveWhatIsNotWhole() throws Exception {
    Path fresh = Files.writeString(directory.resolve(".x.new"), "");
    ModuleStore.open(directory);
    assertThat(fresh).doesNotExist();
  }

  @Test
  void shouldLookForNoOtherFiles() {
    assertThatThrownBy(() -> store.get("../lab"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("SHA-256: \"../lab\" (expected: 64 hex digits)");
  }
}
