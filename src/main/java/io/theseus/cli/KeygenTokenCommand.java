package io.theseus.cli;

import io.theseus.access.Scope;
import io.theseus.access.Tokens;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code theseus keygen token}: a token for a client, and its line for the nodes. */
@Command(
    name = "token",
    description = {
      "Makes a token for a client, into a file that only you can read, and prints the line for the"
          + " nodes' file of tokens (theseus.access.tokens), which holds its hash alone."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "Examples:",
      "  theseus keygen token alice >> tokens",
      "  theseus keygen token backup --scopes read --until 2027-06-30 >> tokens",
      "  theseus keygen token camera --scopes write --prefix camera/ -o camera-token >> tokens",
    })
final class KeygenTokenCommand implements Callable<Integer> {
  @Parameters(paramLabel = "NAME", description = "Whose it is, for messages and logs.")
  private String name = "";

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = "The file for the token. Default: NAME.token.")
  private @Nullable Path output;

  @Option(
      names = "--scopes",
      paramLabel = "SCOPE",
      split = ",",
      description = "What it is for: read (get, stat, ls), write (put, rm). Default: both.")
  private Set<Scope> scopes = Set.of(Scope.READ, Scope.WRITE);

  @Option(
      names = "--prefix",
      paramLabel = "PREFIX",
      description = "The beginning of the names that it is for; as often as needed. Default: all.")
  private List<String> prefixes = List.of();

  @Option(
      names = "--until",
      paramLabel = "TIME",
      description = "Its last day, like 2027-06-30, or a time, 2027-06-30T12:00:00Z.")
  private Optional<String> until = Optional.empty();

  @Spec
  @SuppressWarnings("NullAway.Init") // set by picocli
  private CommandSpec spec;

  private final Streams streams;

  KeygenTokenCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() {
    String token = Tokens.make();
    String line;
    try {
      line = Tokens.line(name, token, scopes, until, prefixes);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
    Path file = output == null ? Path.of(name + ".token") : output;
    NewFiles files = new NewFiles().add(file, token + "\n");
    return Keygen.write(
        spec,
        streams,
        files,
        made -> {
          streams.out().println(line);
          streams
              .err()
              .println(
                  "The token is in "
                      + Display.name(file.toString())
                      + ": --token-file for its client. The line above is for the nodes.");
        });
  }
}
