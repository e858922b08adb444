package io.theseus.cli;

import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.admin.Operations.ActView;
import io.theseus.admin.Operations.Order;
import io.theseus.admin.jmx.RunFile;
import io.theseus.admin.jmx.StatusClient;
import io.theseus.module.ModuleException;
import io.theseus.module.ModuleKey;
import io.theseus.module.ModuleVersion;
import io.theseus.module.SourceCompiler;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import javax.tools.ToolProvider;

/**
 * The code that the demonstration pushes into a cluster: a data channel, which goes in small steps
 * instead of large ones, and the example of a backup policy.
 */
final class DemoModules {
  private static final String VERSION = "1.0.0";
  private static final String STEPS =
      """
      import io.theseus.channel.DataChannel;
      import io.theseus.channel.Progress;
      import io.theseus.channel.Range;

      /** Moves its data in steps of 256 KiB. */
      public final class Steps implements DataChannel {
        private static final int STEP = 256 << 10;

        @Override
        public Range next(Progress progress) {
          long left = progress.end() - progress.position();
          return new Range(progress.position(), (int) Math.min(STEP, left));
        }
      }
      """;

  /** The data channel, as transfers name it. */
  static final String CHANNEL = "steps@" + VERSION;

  private static final String POLICY = "examples/pinned/Pinned.java";

  private final Operations operations;
  private final Path labKey;

  /** Those of a node's cluster. */
  DemoModules(RunFile node) {
    this.operations = StatusClient.operations(node);
    this.labKey = Path.of(node.labKey());
  }

  /** Whether this Java can compile them. */
  static boolean arePossible() {
    return ToolProvider.getSystemJavaCompiler() != null;
  }

  /** Writes the source of the data channel. */
  static Path writeChannel(Path directory) throws IOException {
    return Files.writeString(directory.resolve("Steps.java"), STEPS);
  }

  /** Writes the source of the policy, which wants copies on a node. */
  static Path writePolicy(Path directory, String node) throws IOException {
    try (InputStream in = DemoModules.class.getClassLoader().getResourceAsStream(POLICY)) {
      if (in == null) {
        throw new IOException(POLICY + " is not in the jar");
      }
      String example = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      String source = example.replaceFirst("List\\.of\\(\"[^)]*\\)", "List.of(\"" + node + "\")");
      return Files.writeString(directory.resolve("Pinned.java"), source);
    }
  }

  ActView upgrade(Path source) throws IOException {
    try {
      byte[] jar =
          SourceCompiler.ofThisJava()
              .compile(source, new ModuleVersion(VERSION))
              .module()
              .sign(ModuleKey.read(labKey), Optional.empty())
              .bytes();
      return operations.upgrade(jar, Optional.empty(), order());
    } catch (ModuleException | OperationException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  ActView undo() throws IOException {
    try {
      return operations.undo(order());
    } catch (OperationException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  /** How far an act is. */
  ActView act(ActView begun) throws IOException {
    try {
      return operations.act(begun.id()).orElse(begun);
    } catch (OperationException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  private static Order order() {
    return new Order("demo", Set.of(), Optional.of(Duration.ZERO));
  }
}
