package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.node.Finding.Level;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine.Help.Ansi;

class DoctorTest {
  private static NodeSettings settings(Path data, String... pairs) {
    SettingsSource source =
        SettingsSource.defaults()
            .set("data-dir=" + data)
            .set("packets.port=0")
            .set("cluster.port=0");
    Stream.of(pairs).forEach(source::set);
    return source.read();
  }

  private static Finding of(List<Finding> findings, String check) {
    return findings.stream()
        .filter(finding -> finding.check().equals(check))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void shouldFindASoundDirectoryWellAndLeaveNothingInIt(@TempDir Path data) {
    List<Finding> findings = new DiskCheckup(settings(data)).findings();

    assertThat(findings).extracting(Finding::level).doesNotContain(Level.NO);
    assertThat(findings)
        .extracting(Finding::check)
        .containsExactly(
            "data directory", "fsync", "attributes", "clock", "staging", "space", "inodes");
    assertThat(of(findings, "fsync").text()).matches("median \\d+\\.\\d\\d ms, worst of 20 .*");
    assertThat(data).isEmptyDirectory();
  }

  @Test
  void shouldSayWhereADirectoryWillBeMade(@TempDir Path parent) {
    List<Finding> findings = new DiskCheckup(settings(parent.resolve("a/b"))).findings();

    assertThat(of(findings, "data directory").text())
        .isEqualTo(parent.resolve("a/b") + ", will be made in " + parent);
    assertThat(parent).isEmptyDirectory();
  }

  @Test
  void shouldRefuseADataDirectoryThatIsAFile(@TempDir Path parent) throws Exception {
    Path file = Files.writeString(parent.resolve("file"), "x");

    assertThat(of(new DiskCheckup(settings(file)).findings(), "data directory"))
        .isEqualTo(
            Finding.no(
                "data directory",
                "\"" + file + "\" is no directory",
                "name another theseus.data-dir"));
    assertThat(file).hasContent("x");
  }

  @Test
  void shouldWarnOfAClockThatWasSetBack(@TempDir Path data) throws Exception {
    Path lock = Files.writeString(data.resolve("lock"), "");
    Files.setLastModifiedTime(
        lock, java.nio.file.attribute.FileTime.from(java.time.Instant.now().plusSeconds(3600)));

    Finding clock = of(new DiskCheckup(settings(data)).findings(), "clock");

    assertThat(clock.level()).isEqualTo(Level.WARNING);
    assertThat(clock.text()).contains(", and there are files of ").endsWith(": it was set back");
  }

  @Test
  void shouldRefuseADiskWithoutRoom(@TempDir Path data) {
    Finding space =
        of(new DiskCheckup(settings(data, "store.rest-bytes=900000 TiB")).findings(), "space");

    assertThat(space.level()).isEqualTo(Level.NO);
    assertThat(space.text()).endsWith("all of which theseus.store.rest-bytes keeps free");
  }

  @Test
  void shouldJudgeWhatTheMachineHas() {
    assertThat(DiskCheckup.inodes(0, 0).level()).isEqualTo(Level.OK);
    assertThat(DiskCheckup.inodes(9_999, 100_000).level()).isEqualTo(Level.WARNING);
    assertThat(DiskCheckup.inodes(10_000, 100_000).level()).isEqualTo(Level.OK);
    assertThat(MachineCheckup.descriptors(new Descriptors(255)))
        .isEqualTo(
            Finding.no("descriptors", "255 may be open (expected: >= 256)", Descriptors.REMEDY));
    assertThat(MachineCheckup.descriptors(new Descriptors(1024)))
        .isEqualTo(
            Finding.warning(
                "descriptors", "1024 may be open, enough for 640 connections", Descriptors.REMEDY));
    assertThat(MachineCheckup.descriptors(new Descriptors(20_000)).level()).isEqualTo(Level.OK);
    assertThat(MachineCheckup.names("ANSI_X3.4-1968").remedy()).contains("LC_ALL=C.UTF-8");
    assertThat(MachineCheckup.names("utf-8").level()).isEqualTo(Level.OK);
    assertThat(MachineCheckup.memory(1L << 30, 1L << 30).remedy())
        .endsWith("THESEUS_JAVA_OPTS=-Xmx512m");
    assertThat(MachineCheckup.memory(1L << 30, 4L << 30).level()).isEqualTo(Level.OK);
    assertThat(MachineCheckup.memory(128L << 20, 4L << 30).level()).isEqualTo(Level.WARNING);
  }

  @Test
  void shouldNameWhoHasAPort(@TempDir Path data) throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      int port = taken.getLocalPort();

      Finding clients =
          of(new MachineCheckup(settings(data, "packets.port=" + port)).findings(), "clients");

      assertThat(clients.level()).isEqualTo(Level.NO);
      assertThat(clients.text())
          .isEqualTo(
              "127.0.0.1:"
                  + port
                  + " is in use by \"java\", process "
                  + ProcessHandle.current().pid());
      assertThat(clients.remedy())
          .isEqualTo("stop that, or choose another port: --set packets.port=PORT");
    }
  }

  @Test
  void shouldRefuseAnAddressThatIsNotOfThisMachine(@TempDir Path data) {
    Finding clients =
        of(
            new MachineCheckup(
                    settings(
                        data,
                        "packets.host=192.0.2.1",
                        "packets.unencrypted=anywhere",
                        "access.anonymous=read"))
                .findings(),
            "clients");

    assertThat(clients.level()).isEqualTo(Level.NO);
    assertThat(clients.remedy())
        .isEqualTo("set theseus.packets.host to an address of this machine");
  }

  @Test
  void shouldShowRemediesUnderWhatTheyAreFor() {
    List<Finding> findings =
        List.of(
            Finding.ok("names", "UTF-8"),
            Finding.warning("user", "root", "be another"),
            Finding.no("space", "none", "make room"));

    assertThat(DoctorCommand.describe(findings, Ansi.OFF))
        .isEqualTo(
            """
              ok       names  UTF-8
              warning  user   root
                              -> be another
              no       space  none
                              -> make room

            A node can't run here as it should: 1 to mend, 1 warning.
            """);
    assertThat(DoctorCommand.describe(findings.subList(0, 1), Ansi.OFF))
        .endsWith("\nA node can run here.\n");
    assertThat(DoctorCommand.json(findings.subList(2, 3), false))
        .isEqualTo(
            "{\"ok\":false,\"checks\":[{\"check\":\"space\",\"level\":\"no\",\"text\":\"none\","
                + "\"remedy\":\"make room\"}]}\n");
  }
}
