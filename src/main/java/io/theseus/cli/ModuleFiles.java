package io.theseus.cli;

import io.theseus.module.ModuleArchive;
import io.theseus.module.ModuleException;
import io.theseus.module.ModuleVersion;
import io.theseus.module.SourceCompiler;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;

/** Where modules come from and go to: sources, compiled on the way, and jars. */
final class ModuleFiles {
  private static final String SOURCE = ".java";
  private static final String JAR = ".jar";

  private ModuleFiles() {}

  static boolean isJar(Path given) {
    return given.toString().endsWith(JAR);
  }

  /** The module in a jar. */
  static ModuleArchive read(Path jar) throws IOException, ModuleException {
    try {
      return ModuleArchive.read(jar);
    } catch (ModuleException e) {
      throw new ModuleException(Display.name(jar.toString()) + ": " + e.getMessage());
    }
  }

  /** The module of a source, not signed; what the compiler warns of is printed. */
  static ModuleArchive compile(Path source, ModuleVersion version, PrintStream warnings)
      throws IOException, ModuleException {
    SourceCompiler.Compiled compiled = SourceCompiler.ofThisJava().compile(source, version);
    if (!compiled.warnings().isEmpty()) {
      warnings.println(compiled.warnings());
    }
    return compiled.module();
  }

  /** A Java source, or the only one in a directory. */
  static Path source(Path given) throws IOException, CommandException {
    if (!Files.isDirectory(given)) {
      return given;
    }
    try (Stream<Path> files = Files.list(given)) {
      List<Path> sources = files.filter(each -> each.toString().endsWith(SOURCE)).sorted().toList();
      if (sources.size() == 1) {
        return sources.get(0);
      }
      throw new CommandException(
          ExitCode.USAGE,
          Display.name(given.toString())
              + ": "
              + sources.size()
              + " Java sources (expected: one file NAME.java, which is the module)",
          "");
    }
  }

  /** Writes beside and moves into place, so that nobody ever sees a part of it. */
  static void write(Path file, byte[] content) throws IOException {
    Path fresh = Files.createTempFile(file.toAbsolutePath().resolveSibling(""), ".theseus", ".new");
    try {
      Files.write(fresh, content);
      Files.setPosixFilePermissions(
          fresh, java.nio.file.attribute.PosixFilePermissions.fromString("rw-r--r--"));
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(fresh);
    }
  }
}
