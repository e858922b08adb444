package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataDirectoryTest {
  /** Run by another JVM: locks a directory, says so, and keeps it until its input ends. */
  public static final class Holder {
    private Holder() {}

    public static void main(String[] args) throws Exception {
      try (DataDirectory held = DataDirectory.open(Path.of(args[0]), "other")) {
        System.out.println("holds " + held.path());
        int unused = System.in.read();
      } catch (StartException e) {
        System.out.println(e.getMessage());
      }
    }
  }

  @Test
  void shouldCreateItForTheOwnerAlone(@TempDir Path temporary) throws Exception {
    Path path = temporary.resolve("a/data");
    try (DataDirectory directory = DataDirectory.open(path, "node1")) {
      for (Path each : new Path[] {path, directory.run()}) {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(each)))
            .isEqualTo("rwx------");
      }
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path.resolve("lock"))))
          .isEqualTo("rw-------");
    }
  }

  @Test
  void shouldBeFreeAgainWhenClosed(@TempDir Path path) throws Exception {
    DataDirectory.open(path, "node1").close();
    DataDirectory.open(path, "node1").close();
  }

  @Test
  void shouldRefuseASecondNodeInThisProcess(@TempDir Path path) throws Exception {
    try (DataDirectory directory = DataDirectory.open(path, "node1")) {
      for (int i = 0; i < 2; i++) {
        assertThatExceptionOfType(StartException.class)
            .isThrownBy(() -> DataDirectory.open(path.resolve("../" + path.getFileName()), "n2"))
            .withMessage(
                "theseus.data-dir: \""
                    + path.resolve("../" + path.getFileName())
                    + "\" is in use by node \"node1\", process "
                    + ProcessHandle.current().pid()
                    + " (expected: one node for each directory): stop that node, or give this one"
                    + " another theseus.data-dir");
      }
      // and the refusals did not drop the lock of the first
      assertThat(answerOfAnotherProcess(path))
          .contains("is in use by node \"node1\", process " + ProcessHandle.current().pid());
      assertThat(directory.path()).isEqualTo(path);
    }
  }

  @Test
  void shouldRefuseASecondProcessNamingTheFirst(@TempDir Path path) throws Exception {
    Process holder = holder(path);
    try (BufferedReader output = holder.inputReader(StandardCharsets.UTF_8)) {
      assertThat(output.readLine()).isEqualTo("holds " + path);
      assertThatExceptionOfType(StartException.class)
          .isThrownBy(() -> DataDirectory.open(path, "node1"))
          .withMessage(
              "theseus.data-dir: \""
                  + path
                  + "\" is in use by node \"other\", process "
                  + holder.pid()
                  + " (expected: one node for each directory): stop that node, or give this one"
                  + " another theseus.data-dir");
    } finally {
      holder.destroyForcibly().waitFor();
    }
    // kill -9 leaves no lock behind
    DataDirectory.open(path, "node1").close();
  }

  @Test
  void shouldRefuseAFileInItsPlace(@TempDir Path temporary) throws IOException {
    Path file = Files.writeString(temporary.resolve("data"), "");

    assertThatExceptionOfType(StartException.class)
        .isThrownBy(() -> DataDirectory.open(file, "node1"))
        .withMessage(
            "theseus.data-dir: \""
                + file
                + "\" (expected: a directory that can be written): it is not a directory");
  }

  private static String answerOfAnotherProcess(Path path) throws IOException, InterruptedException {
    Process process = holder(path);
    try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
      return output.readLine();
    } finally {
      process.destroyForcibly();
      assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
    }
  }

  private static Process holder(Path path) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            Holder.class.getName(),
            path.toString())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }
}
