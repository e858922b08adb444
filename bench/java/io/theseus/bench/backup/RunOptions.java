package io.theseus.bench.backup;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What each benchmark of copies can be told. */
final class RunOptions {
  private static final int LEAST_ROUNDS = 5;
  private static final Path COMMITTED = Path.of("bench/results");

  /** Where benchmarks run, and where results go that are not to be committed. */
  static final Path OTHERS = Path.of("target/bench");

  @Option(
      names = "--quick",
      description = "Shows that everything runs, with small files and one round: says nothing.")
  private boolean quick;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      description = "How often each contender runs, 1 to 100. Default: 5; with --quick 1")
  private int rounds;

  @Option(
      names = "--results",
      paramLabel = "DIR",
      description =
          "Where the results go. Default: bench/results for a whole run, target/bench for any"
              + " other one")
  private @Nullable Path results;

  @Option(names = "--help", usageHelp = true, description = "Shows this.")
  @SuppressWarnings("unused") // picocli looks at it
  private boolean help;

  @Spec(Spec.Target.MIXEE)
  private @Nullable CommandSpec spec;

  boolean quick() {
    return quick;
  }

  int rounds() {
    int times = rounds == 0 ? quick ? 1 : LEAST_ROUNDS : rounds;
    if (times < 1 || times > 100) {
      throw wrong("--rounds: " + rounds + " (expected: 1 to 100)");
    }
    return times;
  }

  /**
   * Where the results go.
   *
   * @param allCases whether no case is left out
   */
  Path results(boolean allCases) {
    if (results != null) {
      return results;
    }
    return !quick && allCases && rounds() >= LEAST_ROUNDS ? COMMITTED : OTHERS;
  }

  /** A wrong option. */
  ParameterException wrong(String message) {
    if (spec == null) {
      throw new IllegalStateException("not called by picocli");
    }
    return new ParameterException(spec.commandLine(), message);
  }
}
