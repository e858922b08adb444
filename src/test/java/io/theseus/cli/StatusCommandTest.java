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
            "  sessions   3 kept, 2 live",
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
        Map.of("open", 7L, "refused", 1L),
        Map.of("live", 2L, "kept", 3L),
        new Cluster(
            FIRST.address(),
            FIRST.address(),
            "",
            List.of(FIRST, new Member("node2", "127.0.0.1:25512", "up", false, List.of()))),
        Map.of("packets", "2027-11-21T10:00:00Z"),
        parts);
  }
}
