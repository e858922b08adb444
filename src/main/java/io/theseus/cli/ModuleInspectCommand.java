package io.theseus.cli;

import io.theseus.module.Component;
import io.theseus.module.ModuleArchive;
import io.theseus.module.ModuleException;
import io.theseus.module.ModuleKey;
import io.theseus.module.ModuleKeys;
import io.theseus.module.ModuleLoader;
import io.theseus.module.VerifiedModule;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code theseus module inspect}: what a jar is, and whether it would be accepted. */
@Command(
    name = "inspect",
    description = {
      "Shows what a module is, who signed it, and whether a node with these keys would accept it. None of"
          + " its code runs.",
      "",
      "Exit code 17 where it would not be accepted; the reason is shown."
    },
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  theseus module inspect my-channel.jar",
      "  theseus module inspect my-channel.jar --keys keys/module.pub",
      "  theseus module inspect my-channel.jar --json | jq -r .accepted",
    })
final class ModuleInspectCommand extends JsonCommand {
  @Parameters(paramLabel = "JAR", description = "The module.")
  private Path jar = Path.of("");

  @Option(
      names = "--keys",
      paramLabel = "FILE",
      split = ",",
      description =
          "Public keys that are pinned, as in theseus.modules.keys. Default: the lab key of the node"
              + " in --data-dir.")
  private List<Path> keyFiles = List.of();

  @Option(
      names = "--data-dir",
      paramLabel = "DIR",
      defaultValue = "data",
      description = "The data directory of a node on this host. Default: ${DEFAULT-VALUE}.")
  private Path dataDir = Path.of("");

  ModuleInspectCommand(Streams streams) {
    super(streams);
  }

  @Override
  ExitCode run() throws IOException, ModuleException {
    ModuleArchive module = ModuleFiles.read(jar);
    Optional<String> refusal = refusal(module);
    if (json) {
      streams.out().println(line(module, refusal));
    } else {
      describe(module, refusal);
    }
    return refusal.isEmpty() ? ExitCode.OK : ExitCode.BAD_MODULE;
  }

  private Optional<String> refusal(ModuleArchive module) throws IOException, ModuleException {
    if (keyFiles.isEmpty() && !Files.exists(labKey())) {
      return Optional.of(
          "no key to check it by: "
              + Texts.quote(labKey().toString())
              + " is not there (expected: the lab key of a node, or --key FILE)");
    }
    ModuleKeys keys = keys();
    try {
      VerifiedModule verified = keys.verify(module, Instant.now());
      ModuleLoader.load(verified).close();
      return Optional.empty();
    } catch (ModuleException e) {
      return Optional.of(e.getMessage());
    }
  }

  private ModuleKeys keys() throws IOException, ModuleException {
    if (!keyFiles.isEmpty()) {
      return ModuleKeys.read(keyFiles);
    }
    return ModuleKeys.of(ModuleKey.read(labKey()).open());
  }

  private Path labKey() {
    return dataDir.resolve("modules").resolve(ModuleKeys.LAB_KEY);
  }

  private static JsonLine line(ModuleArchive module, Optional<String> refusal) {
    return new JsonLine()
        .put("module", module.descriptor().module())
        .put("name", module.descriptor().name())
        .put("version", module.descriptor().version().text())
        .put("spi", module.descriptor().spi())
        .put(
            "components",
            module.descriptor().components().stream()
                .map(
                    each ->
                        Map.of(
                            "kind", each.kind().label(),
                            "name", each.name(),
                            "class", each.className()))
                .toList())
        .put("sha256", module.sha256())
        .put("key", module.signer())
        .put("notAfter", module.notAfter())
        .put("accepted", refusal.isEmpty())
        .put("reason", refusal);
  }

  private void describe(ModuleArchive module, Optional<String> refusal) {
    row("module", module.descriptor().module());
    for (Component each : module.descriptor().components()) {
      row(each.kind().label(), each.name() + ", class " + each.className());
    }
    row("spi", String.valueOf(module.descriptor().spi()));
    row("sha-256", module.sha256());
    row(
        "signed",
        module
            .signer()
            .map(key -> "by key " + key + module.notAfter().map(at -> ", until " + at).orElse(""))
            .orElse("no"));
    row("accepted", refusal.map(reason -> "no: " + Display.name(reason)).orElse("yes"));
  }

  private void row(String what, String value) {
    streams.out().printf("%-9s %s%n", what, value);
  }
}
