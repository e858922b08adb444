package io.theseus.node;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.theseus.cli.ExitCode;
import io.theseus.node.Finding.Level;
import io.theseus.wire.Texts;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code theseus doctor}: what this machine and data directory can do for a node. */
@Command(
    name = "doctor",
    description = {
      "Shows what this machine and the data directory can do for a node, with a remedy for what"
          + " they can't.",
      "",
      "A node may run meanwhile. A temporary file in each directory is all that is written."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "Exit codes: 0 a node can run here (there may be warnings), 16 something is in its way.",
      "",
      "Examples:",
      "  theseus doctor",
      "  theseus doctor --config /etc/theseus.conf     as the user who runs the node",
      "  theseus doctor --json",
    })
public final class DoctorCommand implements Callable<Integer> {
  private static final ObjectMapper JSON = new ObjectMapper();

  @Mixin private final SettingsOptions options = new SettingsOptions();

  @Option(names = "--json", description = "One JSON object, for scripts.")
  private boolean json;

  @Spec
  @SuppressWarnings("NullAway.Init") // set by picocli
  private CommandSpec spec;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    List<Finding> findings = findings();
    boolean can = findings.stream().noneMatch(finding -> finding.level() == Level.NO);
    out.print(json ? json(findings, can) : describe(findings, Ansi.AUTO));
    out.flush();
    return (can ? ExitCode.OK : ExitCode.CANT_START).number();
  }

  private List<Finding> findings() {
    NodeSettings settings;
    try {
      settings = options.source().read();
    } catch (ConfigException e) {
      return List.of(
          Finding.no("settings", String.valueOf(e.getMessage()), "correct it, and ask again"));
    }
    List<Finding> findings = new ArrayList<>();
    findings.add(Finding.ok("settings", "of node " + settings.id()));
    findings.addAll(new MachineCheckup(settings).findings());
    findings.addAll(new DiskCheckup(settings).findings());
    return findings;
  }

  /** For a person; a remedy stands below what it is for. */
  static String describe(List<Finding> findings, Ansi ansi) {
    StringBuilder text = new StringBuilder();
    int width = findings.stream().mapToInt(finding -> finding.check().length()).max().orElse(0);
    int warnings = 0;
    int nos = 0;
    for (Finding finding : findings) {
      text.append("  ")
          .append(ansi.string(level(finding.level())))
          .append("  ")
          .append(pad(finding.check(), width))
          .append("  ")
          .append(Texts.escape(finding.text()))
          .append('\n');
      if (!finding.remedy().isEmpty()) {
        text.append(" ".repeat(width + 13)).append("-> ").append(finding.remedy()).append('\n');
      }
      warnings += finding.level() == Level.WARNING ? 1 : 0;
      nos += finding.level() == Level.NO ? 1 : 0;
    }
    text.append('\n')
        .append(nos == 0 ? "A node can run here" : "A node can't run here as it should");
    if (nos + warnings > 0) {
      text.append(": ")
          .append(nos > 0 ? nos + " to mend" : "")
          .append(nos > 0 && warnings > 0 ? ", " : "")
          .append(warnings > 0 ? warnings + (warnings == 1 ? " warning" : " warnings") : "");
    }
    return text.append(".\n").toString();
  }

  private static String level(Level level) {
    return switch (level) {
      case OK -> "@|green ok     |@";
      case WARNING -> "@|yellow warning|@";
      case NO -> "@|bold,red no     |@";
    };
  }

  private static String pad(String text, int width) {
    return text + " ".repeat(width - text.length());
  }

  static String json(List<Finding> findings, boolean can) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("ok", can);
    List<Map<String, String>> checks = new ArrayList<>();
    for (Finding finding : findings) {
      Map<String, String> check = new LinkedHashMap<>();
      check.put("check", finding.check());
      check.put("level", finding.level().label());
      check.put("text", finding.text());
      check.put("remedy", finding.remedy());
      checks.add(check);
    }
    object.put("checks", checks);
    try {
      return JSON.writeValueAsString(object) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
