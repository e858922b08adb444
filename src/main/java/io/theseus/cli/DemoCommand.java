package io.theseus.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code theseus demo}: shows on this host what the whole is for. */
@Command(
    name = "demo",
    description = {
      "Shows how transfers change their code and their copies, and survive kill -9 of a node.",
      "",
      "Starts three nodes of its own on this host, on free ports, gets and puts a file at once,"
          + " pushes new code into both in the middle and takes it back, moves the copy of what is"
          + " put from one node to another, kills a node with kill -9, starts it again, and compares"
          + " what came with what was sent. It takes half a minute. Nothing is left behind; a node"
          + " that runs already isn't touched."
    },
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  theseus demo",
      "  theseus demo --size 2G --rate 200M       longer, faster",
      "  theseus demo --dir /var/tmp --keep       elsewhere, to look at what is left",
    })
final class DemoCommand implements Callable<Integer> {
  @Option(
      names = "--size",
      paramLabel = "SIZE",
      converter = Sizes.class,
      defaultValue = "192M",
      description = "Of each of the two files, at least 16M. Default: ${DEFAULT-VALUE}.")
  long sizeBytes;

  @Option(
      names = "--rate",
      paramLabel = "SIZE",
      converter = Sizes.class,
      defaultValue = "20M",
      description = "Bytes a second of each transfer, slow enough to watch. ${DEFAULT-VALUE}.")
  long rateBytes;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "What the files' content is made from. Default: another one each time.")
  @Nullable Long seed;

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description = "Where the demo's directory is made. Default: the system's temporary one.")
  @Nullable Path parent;

  @Option(names = "--keep", description = "Leave the demo's directory, to look at it.")
  boolean keep;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help and exit.")
  boolean help;

  @Spec @Nullable CommandSpec spec;

  private final Streams streams;

  DemoCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() {
    if (sizeBytes < Demo.LEAST_BYTES || rateBytes < 1 << 20) {
      throw new ParameterException(
          java.util.Objects.requireNonNull(spec).commandLine(),
          "--size: "
              + sizeBytes
              + ", --rate: "
              + rateBytes
              + " (expected: at least 16M, and at least 1M)");
    }
    try {
      Path place =
          parent == null ? Path.of(System.getProperty("java.io.tmpdir")) : parent.toAbsolutePath();
      if (!Files.isDirectory(place)) {
        streams.err().println("demo: --dir: " + place + " (expected: a folder that is there)");
        return ExitCode.LOCAL_IO.number();
      }
      long used = Demo.COPIES * sizeBytes;
      long free = place.toFile().getUsableSpace();
      if (free < used + Demo.SPARE_BYTES) {
        streams
            .err()
            .println(
                "demo: "
                    + place
                    + " has "
                    + Display.size(free)
                    + " free (expected: "
                    + Display.size(used + Demo.SPARE_BYTES)
                    + "). Use --dir for another place, or a smaller --size.");
        return ExitCode.LOCAL_IO.number();
      }
      Path directory = Files.createTempDirectory(place, "theseus-demo-");
      long chosen = seed == null ? System.nanoTime() & 0xFFFF_FFFFL : seed;
      return new Demo(streams, directory, sizeBytes, rateBytes, chosen, keep).run().number();
    } catch (IOException e) {
      streams.err().println("demo: " + Failure.reason(e));
      return ExitCode.LOCAL_IO.number();
    }
  }
}
