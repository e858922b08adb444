package io.theseus.cli;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Model.UsageMessageSpec;

/**
 * The manual page, in the man macros of roff (man(7)), made from the commands themselves.
 *
 * <p>One page has all of them: a command is a subsection with its synopsis, options and examples.
 */
final class ManPage {
  private final StringBuilder page = new StringBuilder();

  private ManPage() {}

  /** The page of a command and those below it. */
  static String of(CommandSpec root, String version) {
    ManPage man = new ManPage();
    man.write(root, version);
    return man.page.toString();
  }

  private void write(CommandSpec root, String version) {
    String name = root.name();
    UsageMessageSpec usage = root.usageMessage();
    line(
        ".TH "
            + name.toUpperCase(java.util.Locale.ROOT)
            + " 1 \"\" \""
            + name
            + " "
            + version
            + "\"");
    line(".SH NAME");
    text(name + " - " + lowerFirst(String.join(" ", usage.description())));
    line(".SH SYNOPSIS");
    line(".B " + escape(name));
    text("COMMAND [OPTION]... [ARGUMENT]...");
    line(".SH DESCRIPTION");
    text(String.join(" ", usage.description()));
    line(".SH COMMANDS");
    commandsBelow(root);
    line(".SH EXIT STATUS");
    for (Map.Entry<String, String> code : ExitCode.help().entrySet()) {
      item("\\fB" + escape(code.getKey()) + "\\fR", List.of(code.getValue()));
    }
    line(".SH ENVIRONMENT");
    item("\\fBTHESEUS_SERVER\\fR", List.of("The nodes to ask where --server is not given."));
    item("\\fBTHESEUS_TOKEN\\fR", List.of("The token to show to a node."));
    item("\\fBTHESEUS_JAVA_OPTS\\fR", List.of("Options for Java, separated by spaces."));
    item("\\fBTHESEUS_DEBUG\\fR", List.of("1: stack traces of failures, as by --verbose."));
  }

  private void commandsBelow(CommandSpec parent) {
    Set<CommandLine> commands = new LinkedHashSet<>(parent.subcommands().values());
    for (CommandLine command : commands) {
      command(command.getCommandSpec());
      commandsBelow(command.getCommandSpec());
    }
  }

  private void command(CommandSpec command) {
    line(".SS " + quoted(command.qualifiedName()));
    line(".PP");
    line(".nf");
    String synopsis =
        new Help(command, Help.defaultColorScheme(Ansi.OFF)).synopsis(0).stripTrailing();
    synopsis.lines().forEach(each -> line("\\fB" + escape(each) + "\\fR"));
    line(".fi");
    for (String paragraph : command.usageMessage().description()) {
      if (!paragraph.isEmpty()) {
        line(".PP");
        text(plain(paragraph));
      }
    }
    for (PositionalParamSpec parameter : command.positionalParameters()) {
      if (!parameter.hidden()) {
        item("\\fI" + escape(parameter.paramLabel()) + "\\fR", descriptions(parameter));
      }
    }
    for (OptionSpec option : command.options()) {
      if (!option.hidden() && !option.usageHelp() && !option.versionHelp()) {
        item(names(option), descriptions(option));
      }
    }
    String[] footer = command.usageMessage().footer();
    if (footer.length > 0) {
      line(".PP");
      line(".nf");
      String heading = String.format(command.usageMessage().footerHeading()).strip();
      if (!heading.isEmpty()) {
        text(heading);
      }
      for (String each : footer) {
        line(each.isEmpty() ? "" : escape(plain(each)));
      }
      line(".fi");
    }
  }

  private static String names(OptionSpec option) {
    StringBuilder text = new StringBuilder();
    for (String name : option.names()) {
      text.append(text.isEmpty() ? "" : ", ").append("\\fB").append(escape(name)).append("\\fR");
    }
    if (option.arity().max() > 0) {
      text.append("=\\fI").append(escape(option.paramLabel())).append("\\fR");
    }
    return text.toString();
  }

  private static List<String> descriptions(ArgSpec argument) {
    return List.of(argument.description());
  }

  private void item(String tag, List<String> descriptions) {
    line(".TP");
    line(tag);
    for (int i = 0; i < descriptions.size(); i++) {
      if (i > 0) {
        line(".br");
      }
      text(plain(descriptions.get(i)));
    }
  }

  private void text(String text) {
    line(escape(text));
  }

  private void line(String line) {
    page.append(line).append('\n');
  }

  /** Without picocli's markup. */
  private static String plain(String text) {
    return Ansi.OFF.string(text.replace("%n", " ").replace("%%", "%"));
  }

  private static String quoted(String text) {
    return '"' + escape(text) + '"';
  }

  /** Text that roff prints as it stands. */
  private static String escape(String text) {
    String escaped = text.replace("\\", "\\e").replace("-", "\\-");
    return escaped.startsWith(".") || escaped.startsWith("'") ? "\\&" + escaped : escaped;
  }

  private static String lowerFirst(String text) {
    String sentence = text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
    return sentence.substring(0, 1).toLowerCase(java.util.Locale.ROOT) + sentence.substring(1);
  }
}
