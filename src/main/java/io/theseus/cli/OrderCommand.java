package io.theseus.cli;

import io.theseus.admin.Operations;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine.Option;

/** What the commands of {@code theseus admin} share that change something: who wants it. */
abstract class OrderCommand extends AdminCommand {
  /** The longest name that the history takes. */
  private static final int MOST_WHO = 64;

  @Option(
      names = "--who",
      paramLabel = "NAME",
      description = "Who wants it, for the history and the log; USER@HOST where it isn't given.")
  private Optional<String> who = Optional.empty();

  OrderCommand(Streams streams) {
    super(streams);
  }

  final Operations.Order order() {
    return order(List.of(), Optional.empty());
  }

  final Operations.Order order(List<String> without, Optional<Duration> watch) {
    return new Operations.Order(
        who.orElseGet(OrderCommand::userAtHost), Set.copyOf(without), watch);
  }

  private static String userAtHost() {
    String all = Texts.escape(System.getProperty("user.name", "?") + "@" + host());
    return all.length() <= MOST_WHO ? all : all.substring(0, MOST_WHO);
  }

  /** As the kernel says it: asking Java asks a name server. */
  private static String host() {
    try {
      return Files.readString(Path.of("/proc/sys/kernel/hostname"), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      return "localhost";
    }
  }
}
