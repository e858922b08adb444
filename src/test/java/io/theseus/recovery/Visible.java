package io.theseus.recovery;

import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.testing.Content;
import io.theseus.testing.NodeProcess;
import io.theseus.testing.PacketSocket;
import io.theseus.testing.PacketSocket.Packet;
import io.theseus.testing.PacketSocket.Refused;
import io.theseus.testing.PacketSocket.Said;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/** What the names of a node show: on its disk, and to its clients. */
final class Visible {
  private Visible() {}

  /** All visible files, by name, as SHA-256. */
  static Map<String, String> onDisk(NodeProcess node) {
    Map<String, String> found = new TreeMap<>();
    try (Stream<Path> paths = Files.walk(node.files())) {
      for (Path path : paths.filter(each -> !each.startsWith(node.staging())).toList()) {
        if (!Files.isDirectory(path)) {
          found.put(node.files().relativize(path).toString(), Content.sha256HexOf(path));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return found;
  }

  /** Parts of uploads in staging. */
  static List<String> parts(NodeProcess node) {
    try (Stream<Path> paths = Files.list(node.staging())) {
      return paths
          .map(each -> String.valueOf(each.getFileName()))
          .filter(each -> !each.equals("lock"))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The SHA-256 that STAT says; empty where there is no such name. */
  static Optional<String> stat(NodeProcess node, String name) {
    Packet answer = ask(node, "STAT " + name + "\n");
    if (answer instanceof Refused refused) {
      assertThat(refused.text()).startsWith("not-found: ");
      return Optional.empty();
    }
    return Optional.of(((Said) answer).field("SHA-256"));
  }

  /** Names and sizes that LIST says. */
  static Map<String, Long> list(NodeProcess node) {
    Said answer = (Said) ask(node, "LIST \n");
    assertThat(answer.field("More")).isEqualTo("no");
    Map<String, Long> found = new TreeMap<>();
    answer
        .body()
        .lines()
        .forEach(
            line -> {
              String[] fields = line.split(" ", 4);
              found.put(fields[3], Long.valueOf(fields[0]));
            });
    return found;
  }

  private static Packet ask(NodeProcess node, String command) {
    try {
      return PacketSocket.ask(node.address(), command);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
