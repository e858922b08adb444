package io.theseus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that are written all or none. */
class NewFilesTest {
  @TempDir Path directory;

  @Test
  void shouldWriteThemForTheirOwnerAlone() throws Exception {
    Path file = directory.resolve("sub/key");
    new NewFiles().add(file, "secret\n").write();
    assertThat(file).hasContent("secret\n");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file.getParent())))
        .isEqualTo("rwx------");
  }

  @Test
  void shouldLeaveNoneWhereOneCannotBeWritten() throws Exception {
    Path first = directory.resolve("first");
    Path wall = Files.writeString(directory.resolve("wall"), "no folder");
    NewFiles files = new NewFiles().add(first, "1").add(wall.resolve("second"), "2");
    assertThatThrownBy(files::write).isInstanceOf(IOException.class);
    assertThat(first).doesNotExist();
  }

  @Test
  void shouldLeaveWhatIsThereAsItIs() throws Exception {
    Path first = directory.resolve("first");
    Path second = Files.writeString(directory.resolve("second"), "older");
    NewFiles files = new NewFiles().add(first, "1").add(second, "2");
    assertThatThrownBy(files::write)
        .isInstanceOf(CommandException.class)
        .hasMessageContaining("second");
    assertThat(first).doesNotExist();
    assertThat(second).hasContent("older");
  }
}
