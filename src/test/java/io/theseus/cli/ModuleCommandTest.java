package io.theseus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code theseus module}, from a skeleton to a module that is accepted. */
class ModuleCommandTest {
  private Path directory;
  private Shell shell;

  @BeforeEach
  void open(@TempDir Path temporary) {
    directory = temporary;
    shell = new Shell("127.0.0.1:1", temporary);
  }

  private Shell.Ran module(String... arguments) {
    return shell.runExactly(
        Stream.concat(Stream.of("module"), Stream.of(arguments)).toArray(String[]::new));
  }

  private String at(String name) {
    return directory.resolve(name).toString();
  }

  private void done(String... arguments) {
    Shell.Ran ran = module(arguments);
    assertThat(ran.exit()).as(ran.err() + ran.out()).isZero();
    assertThat(ran.err()).isEmpty();
  }

  private void failed(ExitCode exit, String message, String... arguments) {
    Shell.Ran ran = module(arguments);
    assertThat(ran.err()).startsWith("theseus module " + arguments[0] + ": ").contains(message);
    assertThat(ran.exit()).isEqualTo(exit.number());
    assertThat(ran.out()).isEmpty();
  }

  private void built() {
    done("new", at("my-channel"));
    done("build", at("my-channel"), "--version", "1.0", "-o", at("a.jar"));
    done("keygen", at("keys"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"channel", "function", "admission", "fairness", "backup"})
  void shouldBeginWithWhatWorks(String kind) throws Exception {
    done("new", at("dir/my-own-2"), "--kind", kind);

    try (Stream<Path> files = Files.list(directory.resolve("dir/my-own-2"))) {
      assertThat(files.map(each -> each.getFileName().toString()))
          .containsExactlyInAnyOrder("MyOwn2.java", "get.transfer", "put.transfer", "README.md");
    }
    Shell.Ran ran = module("test", at("dir/my-own-2"));
    assertThat(ran.exit()).as(ran.out() + ran.err()).isZero();
    assertThat(ran.lines())
        .containsExactly("my-own2: 1 component on 8 transfers: all rules are kept");
  }

  @Test
  void shouldBuildSignAndInspect() throws Exception {
    built();
    assertThat(
            PosixFilePermissions.toString(
                Files.getPosixFilePermissions(directory.resolve("keys/module.key"))))
        .isEqualTo("rw-------");
    byte[] first = Files.readAllBytes(directory.resolve("a.jar"));
    done("build", at("my-channel/MyChannel.java"), "--version", "1.0", "-o", at("a.jar"));
    assertThat(directory.resolve("a.jar")).hasBinaryContent(first);

    Shell.Ran unsigned = module("inspect", at("a.jar"), "--keys", at("keys/module.pub"));
    assertThat(unsigned.exit()).isEqualTo(ExitCode.BAD_MODULE.number());
    assertThat(unsigned.lines())
        .startsWith(
            "module    my-channel@1.0", "channel   my-channel, class MyChannel", "spi       1")
        .contains("signed    no")
        .anyMatch(each -> each.startsWith("accepted  no: signature: none (expected: one by a"));

    done("sign", at("a.jar"), "--key", at("keys/module.key"), "--expires", "2090-06-30");
    Shell.Ran signed = module("inspect", at("a.jar"), "--keys", at("keys/module.pub"));
    assertThat(signed.exit()).isZero();
    assertThat(signed.lines())
        .contains("accepted  yes")
        .anyMatch(
            each -> each.matches("signed    by key [0-9a-f]{16}, until 2090-06-30T23:59:59Z"));

    Shell.Ran json = module("inspect", at("a.jar"), "--json", "--data-dir", at("data"));
    assertThat(json.exit()).isEqualTo(17);
    assertThat(json.out())
        .contains(
            "\"module\":\"my-channel@1.0\"",
            "\"accepted\":false",
            "\"reason\":\"no key to check it by: ");
  }

  @Test
  void shouldTakeALabKey() throws Exception {
    built();
    Files.createDirectories(directory.resolve("data/modules"));
    Files.copy(directory.resolve("keys/module.key"), directory.resolve("data/modules/lab.key"));
    done("sign", at("a.jar"), "--key", at("data/modules/lab.key"));
    done("inspect", at("a.jar"), "--data-dir", at("data"));
  }

  @Test
  void shouldSayWhichRuleIsBroken() throws Exception {
    done("new", at("wrong"));
    Path source = directory.resolve("wrong/Wrong.java");
    Files.writeString(
        source, Files.readString(source).replace("(int) Math.min(left, MOST)", "MOST"));

    Shell.Ran ran = module("test", source.toString());

    assertThat(ran.exit()).isEqualTo(ExitCode.BAD_MODULE.number());
    assertThat(ran.lines())
        .contains(
            "wrong, an upload of one byte: next at 0: end: 1048576 (expected: at most 1)",
            "wrong: 1 component on 6 transfers: 4 broken rules");
    assertThat(module("test", source.toString(), "--json").out())
        .contains("\"violations\":[\"wrong, a download that went back: next at ");
  }

  @Test
  void shouldSayInWhatItHangs() throws Exception {
    done("new", at("hanging"));
    Path source = directory.resolve("hanging/Hanging.java");
    Files.writeString(
        source,
        Files.readString(source)
            .replace(
                "long left =",
                "while (progress.position() > 0) { Thread.onSpinWait(); }\n    long left ="));
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Streams streams = shell.streams(new ByteArrayOutputStream(), err);
    var line =
        new picocli.CommandLine(new ModuleTestCommand(streams, java.time.Duration.ofSeconds(2)));

    assertThat(line.execute(source.toString())).isEqualTo(ExitCode.BAD_MODULE.number());
    assertThat(err.toString(StandardCharsets.UTF_8))
        .contains("after 2 s it is still in: next at ")
        .contains("(expected: that each call returns at once)");
  }

  @Test
  void shouldShowWhatTheCompilerShows() throws Exception {
    done("new", at("wrong"));
    Path source = directory.resolve("wrong/Wrong.java");
    Files.writeString(source, Files.readString(source).replace("long left", "lung left"));

    Shell.Ran ran = module("build", at("wrong"), "--version", "1", "-o", at("a.jar"));

    assertThat(ran.exit()).isEqualTo(17);
    assertThat(ran.err())
        .startsWith(
            "theseus module build: does not compile:\n" + source + ":11: error: cannot find")
        .contains("    lung left = progress.end() - progress.position();\n    ^\n");
    assertThat(directory.resolve("a.jar")).doesNotExist();
  }

  @Test
  void shouldSayWhatIsWrong() throws Exception {
    built();
    String jar = at("a.jar");
    String key = at("keys/module.key");
    failed(ExitCode.PRECONDITION, "exists already", "new", at("my-channel"));
    failed(ExitCode.PRECONDITION, "exists already", "keygen", at("keys"));
    failed(ExitCode.USAGE, "NAME: \"My\" (expected: 1 to 64 of a-z 0-9", "new", at("My"));
    failed(
        ExitCode.USAGE,
        "NAME: \"range\" makes class Range, which there is already (expected: another name)",
        "new",
        at("range"));
    failed(ExitCode.USAGE, "--kind", "new", at("b"), "--kind", "pipe");
    failed(
        ExitCode.USAGE,
        "version: \"1.x\" (expected: 1 to 4 numbers",
        "build",
        at("my-channel"),
        "--version",
        "1.x",
        "-o",
        jar);
    failed(
        ExitCode.USAGE,
        "0 Java sources (expected: one file NAME.java",
        "build",
        at("keys"),
        "--version",
        "1",
        "-o",
        jar);
    failed(ExitCode.LOCAL_IO, "no such file", "inspect", at("b.jar"));
    failed(
        ExitCode.BAD_MODULE,
        "keys/module.pub: no end record (expected: a jar",
        "inspect",
        at("keys/module.pub"));
    failed(
        ExitCode.USAGE,
        "--expires: \"soon\" (expected: a last day",
        "sign",
        jar,
        "--key",
        key,
        "--expires",
        "soon");
    failed(
        ExitCode.BAD_MODULE,
        "(expected: a file in PEM, -----BEGIN PRIVATE KEY-----)",
        "sign",
        jar,
        "--key",
        Files.copy(directory.resolve("keys/module.pub"), directory.resolve("p")).toString());
    Path transfer = Files.writeString(directory.resolve("t"), "GET a\npacket 1 1\n");
    failed(
        ExitCode.BAD_MODULE,
        "\"t\": packet: offset 1 (expected: 0 to 0)",
        "test",
        jar,
        "--transfer",
        transfer.toString());
    Shell.Ran none = module();
    assertThat(none.exit()).isEqualTo(ExitCode.USAGE.number());
    assertThat(none.err())
        .contains("what to do: missing (expected: new, test, build, keygen, sign, inspect)");
    Shell.Ran json = module("inspect", at("b.jar"), "--json");
    assertThat(json.out()).contains("\"failure\":\"local-io\"");
  }

  @ParameterizedTest
  @ValueSource(strings = {"new", "test", "build", "keygen", "sign", "inspect"})
  void shouldTeachWithExamples(String command) {
    Shell.Ran ran = module(command, "--help");

    assertThat(ran.exit()).isZero();
    List<String> lines = ran.lines();
    assertThat(lines.get(0)).startsWith("Usage: theseus module " + command);
    assertThat(lines).contains("Examples:");
    assertThat(lines).filteredOn(line -> line.startsWith("  theseus ")).hasSizeBetween(2, 7);
    assertThat(lines).allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(100));
  }
}
