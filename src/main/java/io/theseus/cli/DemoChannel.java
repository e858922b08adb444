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
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import javax.tools.ToolProvider;

/** The data channel that the demonstration pushes into transfers: small steps instead of large. */
final class DemoChannel {
  private static final String NAME = "Steps";
  private static final String VERSION = "1.0.0";
  private static final String SOURCE =
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

  private final Operations operations;
  private final Path labKey;
  private final Path source;

  /**
   * That of a node.
   *
   * @param source where it was written to
   */
  DemoChannel(RunFile node, Path source) {
    this.operations = StatusClient.operations(node);
    this.labKey = Path.of(node.labKey());
    this.source = source;
  }

  /** Writes its source. */
  static Path write(Path directory) throws IOException {
    return Files.writeString(directory.resolve(NAME + ".java"), SOURCE);
  }

  /** Whether this Java can compile it. */
  boolean isPossible() {
    return ToolProvider.getSystemJavaCompiler() != null;
  }

  /** As transfers name it. */
  String module() {
    return "steps@" + VERSION;
  }

  ActView upgrade() throws IOException {
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
