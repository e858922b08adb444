package io.theseus.testing;

import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.steps.Steps;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** {@code java -jar target/theseus.jar ...}, as the launcher starts it. */
public final class Program {
  /** Flags of the JVM, for short-lived processes on a busy machine: start fast. */
  public static final List<String> START_FAST =
      List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");

  private Program() {}

  /** The same and more, for whoever starts the jar by its launcher: in one environment variable. */
  public static String startFast() throws IOException {
    List<String> flags = new ArrayList<>(List.of("-Xmx320m"));
    flags.addAll(START_FAST);
    List<String> archive = ClassArchive.flags(javaCommand(), jar());
    if (archive.stream().noneMatch(each -> each.contains(" "))) {
      flags.addAll(archive);
    }
    return String.join(" ", flags);
  }

  /**
   * A command of the program, whose outputs the caller directs.
   *
   * @param directory where it works, and keeps what a user's processes share
   * @param flags of the JVM
   */
  public static ProcessBuilder command(Path directory, List<String> flags, List<String> arguments)
      throws IOException {
    List<String> command = new ArrayList<>(javaCommand());
    command.addAll(ClassArchive.flags(javaCommand(), jar()));
    command.addAll(flags);
    command.addAll(List.of("-jar", jar().toString()));
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
    // not among the nodes that `theseus status` of this user shows, nor among this user's transfers
    builder.environment().put("XDG_RUNTIME_DIR", directory.resolve("runtime").toString());
    builder.environment().put("XDG_STATE_HOME", directory.resolve("state").toString());
    builder.environment().remove(Steps.HALT_AT);
    return builder;
  }

  private static List<String> javaCommand() throws IOException {
    return warnsOfUnsafe()
        // as the launcher does: Java warns of what Netty and Akka use, on the node's standard error
        ? List.of(java(), "--sun-misc-unsafe-memory-access=allow")
        : List.of(java());
  }

  /** The java that processes run on: system property {@code process.java}, or that of the tests. */
  private static String java() {
    String given = System.getProperty("process.java", "");
    return given.isEmpty()
        ? Path.of(System.getProperty("java.home"), "bin", "java").toString()
        : given;
  }

  private static boolean warnsOfUnsafe() throws IOException {
    Path release = Path.of(java()).toRealPath().resolveSibling("../release").normalize();
    return Files.exists(release)
        && Files.readAllLines(release).stream()
            .filter(line -> line.startsWith("JAVA_VERSION=\""))
            .anyMatch(line -> Integer.parseInt(line.replaceAll("\\D+(\\d+).*", "$1")) >= 23);
  }

  /** The program that is tested. */
  public static Path jar() {
    Path jar = Path.of(System.getProperty("process.jar", "target/theseus.jar")).toAbsolutePath();
    assertThat(jar).as("the packaged program, built by `mvn package`").isRegularFile();
    return jar;
  }
}
