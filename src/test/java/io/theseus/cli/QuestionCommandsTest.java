package io.theseus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** ls, stat, rm and what all commands have in common. */
final class QuestionCommandsTest {
  private static final String MODIFIED = "2026-01-02T03:04:05.678Z";
  private static final ObjectMapper JSON = new ObjectMapper();

  private FolderServer server;
  private Shell shell;

  @BeforeEach
  void start(@TempDir Path temporary) {
    server = new FolderServer();
    shell = new Shell(server, temporary);
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @Test
  void shouldListEveryPage() {
    for (int i = 0; i < 10; i++) {
      server.add("f/" + i, new byte[i], MODIFIED);
    }
    server.add("g", new byte[0], MODIFIED);

    assertThat(shell.run("ls", "f/").lines())
        .containsExactly("f/0", "f/1", "f/2", "f/3", "f/4", "f/5", "f/6", "f/7", "f/8", "f/9");
    assertThat(shell.run("ls").lines()).hasSize(11).contains("g");
    assertThat(shell.run("ls", "nothing").lines()).isEmpty();
  }

  @Test
  void shouldListInLongForm() {
    server.add("a", new byte[2048], MODIFIED);
    server.extraLines.add("unknown - - live");

    assertThat(shell.run("ls", "-l").lines())
        .containsExactly(
            "        2048  2026-01-02T03:04:05.678Z  id-1                                  a",
            "           -  -                         -                                     live");
    assertThat(shell.run("ls", "-l", "--human").lines().get(0)).startsWith("     2.0 KiB  2026");
  }

  @Test
  void shouldListAsJson() throws IOException {
    server.add("a", new byte[7], MODIFIED);
    server.extraLines.add("unknown - - live");

    Shell.Ran ran = shell.run("ls", "--json");

    JsonNode file = JSON.readTree(ran.lines().get(0));
    assertThat(file.get("name").asText()).isEqualTo("a");
    assertThat(file.get("size").asLong()).isEqualTo(7);
    assertThat(file.get("modified").asText()).isEqualTo(MODIFIED);
    assertThat(file.get("identity").asText()).isEqualTo("id-1");
    JsonNode live = JSON.readTree(ran.lines().get(1));
    assertThat(live.get("size").isNull()).isTrue();
    assertThat(live.get("identity").isNull()).isTrue();
  }

  @Test
  void shouldEscapeNamesOnATerminalOnly() {
    server.add("a\u202Egpj.exe", new byte[7], MODIFIED);

    assertThat(shell.run("ls").lines()).containsExactly("a\u202Egpj.exe");
    shell.outIsTerminal = true;
    assertThat(shell.run("ls").lines()).containsExactly("a\\u202Egpj.exe");
  }

  @Test
  void shouldSayThatAListMayBeIncomplete() {
    server.add("a", new byte[7], MODIFIED);
    server.unreachable = "10.0.0.9:7411";

    Shell.Ran ran = shell.run("ls");

    assertThat(ran.exit()).isEqualTo(ExitCode.SOME_FAILED.number());
    assertThat(ran.lines()).containsExactly("a");
    assertThat(ran.err()).contains("node 10.0.0.9:7411 can't be reached, names may be missing");
  }

  @Test
  void shouldStat() throws IOException {
    server.add("d/a", new byte[2048], MODIFIED);
    String sha256 = FolderServer.sha256(new byte[2048]);

    assertThat(shell.run("stat", "d/a").lines())
        .containsExactly(
            "name      d/a",
            "size      2,048 bytes (2.0 KiB)",
            "modified  " + MODIFIED,
            "identity  id-1",
            "sha-256   " + sha256);
    JsonNode json = JSON.readTree(shell.run("stat", "d/a", "--json").out());
    assertThat(json.get("sha256").asText()).isEqualTo(sha256);
    assertThat(json.get("size").asLong()).isEqualTo(2048);
  }

  @Test
  void shouldRemove() throws IOException {
    FolderServer.Entry entry = server.add("a", new byte[7], MODIFIED);

    Shell.Ran wrong = shell.run("rm", "a", "--if-identity", "other");
    assertThat(wrong.exit()).isEqualTo(ExitCode.PRECONDITION.number());
    assertThat(server.files).containsKey("a");

    Shell.Ran ran = shell.run("rm", "a", "--if-identity", entry.identity());
    assertThat(ran.exit()).isZero();
    assertThat(ran.err()).contains("Deleted a (identity id-1).");
    assertThat(server.files).isEmpty();

    Shell.Ran again = shell.run("rm", "a", "--json");
    assertThat(again.exit()).isEqualTo(ExitCode.NOT_FOUND.number());
    JsonNode json = JSON.readTree(again.out());
    assertThat(json.get("command").asText()).isEqualTo("rm");
    assertThat(json.get("outcome").asText()).isEqualTo("failed");
    assertThat(json.get("failure").asText()).isEqualTo("not-found");
    assertThat(json.get("exitCode").asInt()).isEqualTo(3);
  }

  @Test
  void shouldGiveEveryRefusalItsOwnExitCode() {
    check("busy: no (expected: later)", ExitCode.BUSY);
    check("denied: no (expected: a token)", ExitCode.DENIED);
    check("no-space: no (expected: less)", ExitCode.NO_SPACE);
    check("incompatible: no (expected: a file)", ExitCode.INCOMPATIBLE);
    check("version: 1 (expected: 7)", ExitCode.PROTOCOL);
    check("internal: oops (expected: luck)", ExitCode.INTERNAL);
    check("new-code: what (expected: that)", ExitCode.INTERNAL);
    check("superseded: gone (expected: here)", ExitCode.BUSY);
  }

  private void check(String refusal, ExitCode expected) {
    server.refusals.put("STAT a", refusal);
    Shell.Ran ran = shell.run("stat", "a", "--retry-for", "0s");
    assertThat(ran.exit()).as(refusal + " -> " + ran.err()).isEqualTo(expected.number());
    assertThat(ran.err()).contains(refusal.substring(0, refusal.indexOf('(')).trim());
    assertThat(ran.err()).doesNotContain("Exception");
  }

  @Test
  void shouldRefuseBadArgumentsInOneSentence() {
    bad("--server: none", "ls", "--server", ",");
    bad("address: \"a:b:c\" (expected: host:port", "ls", "--server", "a:b:c");
    bad("a size like 4096, 64K, 32M or 1G", "get", "a", "--window", "lots");
    bad("a time like 250ms, 90s, 5m or 2h", "get", "a", "--retry-for", "1 year");
    bad("NAME: ", "stat", "../etc/passwd");
    bad("-o -: with -r", "get", "-r", "a", "-o", "-");
    bad("-o -: with --continue", "get", "a", "-c", "-o", "-");
    bad("-o -: with --json", "get", "a", "--json", "-o", "-");
    bad("NAME: missing", "put", "-");
    bad("NAME: '' with -r", "get", "-r", "");
    bad("--if-absent: with --if-identity", "put", "a", "--if-absent", "--if-identity", "x");
    bad("--limit-rate: 0", "get", "a", "--limit-rate", "0");
    bad("COMMAND: missing");
    assertThat(shell.run("stot", "a").err()).contains("Did you mean: ").contains("stat");
  }

  private void bad(String message, String... arguments) {
    Shell.Ran ran = shell.runExactly(arguments);
    assertThat(ran.exit()).as(ran.err()).isEqualTo(ExitCode.USAGE.number());
    assertThat(ran.err()).contains(message).contains("Try: theseus");
    assertThat(ran.err().lines().count()).as(ran.err()).isLessThanOrEqualTo(3);
    assertThat(ran.out()).isEmpty();
  }
}
