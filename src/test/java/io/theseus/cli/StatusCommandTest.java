package io.theseus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.admin.NodeStatus;
import io.theseus.admin.NodeStatus.Cluster;
import io.theseus.admin.NodeStatus.Member;
import io.theseus.admin.NodeStatus.Part;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class StatusCommandTest {
  private static final Member FIRST =
      new Member("node1", "127.0.0.1:25511", "up", true, List.of("backup", "control"));

  @Test
  void shouldShowWhatIsNotNormalFirstWithItsReason() {
    String text =
        StatusCommand.describe(
            status(
                List.of(
                    Part.normal("cluster"),
                    new Part("disk", "full", "uploads are refused: \u001b[31m7 bytes free"))));

    assertThat(text.lines().toList())
        .startsWith(
            "node node1: not everything is normal",
            "  disk       full: uploads are refused: \\u001B[31m7 bytes free",
            "  cluster    normal",
            "",
            "  version    0.1.0, process 17",
            "  up         1 d 1 h, since 2026-11-21T10:00:00Z",
            "  roles      backup, control",
            "  packets    127.0.0.1:7411");
  }

  @Test
  void shouldShowMembersAndSessions() {
    assertThat(StatusCommand.describe(status(List.of(Part.normal("cluster")))).lines())
        .contains(
            "node node1: all is normal",
            "  files      /srv/files (2.0 GiB free)",
            "  quota      1 MiB of 3.0 GiB, 1,234 of 10,000 files",
            "  sessions   3 kept, 2 live",
            "  transfers  1,200 of 1,234 downloads and 0 of 0 uploads completed, 5.0 GiB sent, 0 bytes received",
            "  copies     1 of each upload, on 2 backups; 1,100 uploads are short of copies",
            "  errors     1 bad-packet, 3 timeout",
            "  code       burst@1.2 (0123456789ab); 1,200 sessions have yet to follow",
            "  member     node1 127.0.0.1:25511 up, leader, this node",
            "  member     node2 127.0.0.1:25512 up, can't be reached");
  }

  private static NodeStatus status(List<Part> parts) {
    return new NodeStatus(
        "node1",
        "0.1.0",
        17,
        "2026-11-21T10:00:00Z",
        90_061,
        Map.of("packets", "127.0.0.1:7411"),
        List.of("control", "backup"),
        "/data",
        "/srv/files",
        2L << 30,
        new NodeStatus.Quota(1 << 20, 3L << 30, 1_234, 10_000),
        Map.of("live", 2L, "kept", 3L),
        Map.of("downloads-begun", 1_234L, "downloads-completed", 1_200L, "bytes-sent", 5L << 30),
        Map.of("timeout", 3L, "bad-packet", 1L),
        Map.of("timeout", 3L),
        new Cluster(
            FIRST.address(),
            FIRST.address(),
            "",
            List.of(FIRST, new Member("node2", "127.0.0.1:25512", "up", false, List.of()))),
        new NodeStatus.Code("burst@1.2 (0123456789ab)", "", false, true, "current", 1200),
        new NodeStatus.Backups(1, 2, 1_100),
        new NodeStatus.Files(
            false,
            5_000,
            3,
            12,
            3L << 30,
            -1,
            "",
            false,
            0,
            0,
            "2026-11-20T10:00:00Z",
            0,
            List.of(),
            0,
            ""),
        Map.of("packets", "2027-11-21T10:00:00Z"),
        parts);
  }
}
