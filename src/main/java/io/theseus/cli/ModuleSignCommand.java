package io.theseus.cli;

import io.theseus.module.ModuleArchive;
import io.theseus.module.ModuleException;
import io.theseus.module.ModuleKey;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code theseus module sign}: says who answers for a module. */
@Command(
    name = "sign",
    description = {
      "Signs all bytes of a module, in place; a signature that it has is replaced. It stays a jar:"
          + " the signature is its comment."
    },
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  theseus module sign my-channel.jar --key keys/module.key",
      "  theseus module sign my-channel.jar --key data/modules/lab.key     for a node on this host",
      "  theseus module sign my-channel.jar --key keys/module.key --expires 2027-06-30",
    })
final class ModuleSignCommand extends JsonCommand {
  private static final LocalTime LAST_SECOND = LocalTime.of(23, 59, 59);

  @Parameters(paramLabel = "JAR", description = "The module.")
  private Path jar = Path.of("");

  @Option(
      names = "--key",
      required = true,
      paramLabel = "FILE",
      description = "The private key, of `theseus module keygen` or a node's lab key.")
  private Path keyFile = Path.of("");

  @Option(
      names = "--expires",
      paramLabel = "TIME",
      description =
          "The last day on which nodes accept it, like 2027-06-30, or a time, 2027-06-30T12:00:00Z."
              + " What they have accepted stays.")
  private Optional<String> expires = Optional.empty();

  ModuleSignCommand(Streams streams) {
    super(streams);
  }

  @Override
  ExitCode run() throws IOException, ModuleException {
    Optional<Instant> notAfter = expires.map(this::moment);
    ModuleKey key = ModuleKey.read(keyFile);
    ModuleArchive signed = ModuleFiles.read(jar).sign(key, notAfter);
    ModuleFiles.write(jar, signed.bytes());
    if (json) {
      streams
          .out()
          .println(
              new JsonLine()
                  .put("module", signed.descriptor().module())
                  .put("jar", jar.toString())
                  .put("sha256", signed.sha256())
                  .put("key", key.id())
                  .put("notAfter", signed.notAfter()));
      return ExitCode.OK;
    }
    streams
        .out()
        .println(
            signed.descriptor().module()
                + " signed by key "
                + key.id()
                + signed.notAfter().map(until -> ", until " + until).orElse(""));
    return ExitCode.OK;
  }

  private Instant moment(String text) {
    try {
      return text.contains("T")
          ? Instant.parse(text).truncatedTo(ChronoUnit.SECONDS)
          : LocalDate.parse(text).atTime(LAST_SECOND).toInstant(ZoneOffset.UTC);
    } catch (DateTimeException e) {
      throw bad(
          new IllegalArgumentException(
              "--expires: "
                  + Texts.quote(text)
                  + " (expected: a last day, 2027-06-30, or a time, 2027-06-30T12:00:00Z)",
              e));
    }
  }
}
