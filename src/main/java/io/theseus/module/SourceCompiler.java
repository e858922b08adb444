package io.theseus.module;

import io.theseus.wire.Texts;
import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import javax.tools.JavaCompiler;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.StandardLocation;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;

/**
 * Makes a module of one Java source: compiled in memory against {@link io.theseus.channel} and the
 * Java platform, nothing else, for the oldest Java that a node runs on.
 *
 * <p>The module's name is that of the class in kebab case ({@code MaxMin} is {@code max-min}), its
 * components are the public classes in the file that implement a kind. They are found by the
 * compiler: no code of theirs runs.
 */
public final class SourceCompiler {
  private static final int MOST_BYTES = 1 << 20;
  private static final List<String> OPTIONS =
      List.of("--release", "17", "-g", "-Xlint:all,-processing", "-encoding", "UTF-8");
  private static final String SUFFIX = ".java";

  /**
   * What came out.
   *
   * @param warnings as the compiler shows them; empty where there are none
   */
  public record Compiled(ModuleArchive module, String warnings) {}

  private final JavaCompiler compiler;

  private SourceCompiler(JavaCompiler compiler) {
    this.compiler = compiler;
  }

  /**
   * The compiler of this Java.
   *
   * @throws ModuleException where it has none, with the remedy
   */
  public static SourceCompiler ofThisJava() throws ModuleException {
    return of(ToolProvider.getSystemJavaCompiler());
  }

  static SourceCompiler of(@Nullable JavaCompiler compiler) throws ModuleException {
    if (compiler == null) {
      throw new ModuleException(
          "the Java in "
              + Texts.quote(System.getProperty("java.home", ""))
              + " has no compiler (expected: a JDK, 17 or later; Debian: apt-get install"
              + " openjdk-17-jdk-headless; or set JAVA_HOME to one)");
    }
    return new SourceCompiler(compiler);
  }

  /**
   * Compiles a file.
   *
   * @throws ModuleException what the compiler says of it, or why it is no module
   */
  public Compiled compile(Path file, ModuleVersion version) throws IOException, ModuleException {
    if (Files.size(file) > MOST_BYTES) {
      throw new ModuleException(
          Texts.quote(file.toString())
              + ": "
              + Files.size(file)
              + " bytes (expected: one Java source of at most "
              + MOST_BYTES
              + ")");
    }
    String source = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    return compile(file.toString(), source, version);
  }

  /**
   * Compiles a source.
   *
   * @param shown the name of its file, for messages; its last part is that of the class
   */
  public Compiled compile(String shown, String source, ModuleVersion version)
      throws IOException, ModuleException {
    String fileName = shown.substring(shown.lastIndexOf('/') + 1);
    if (!fileName.endsWith(SUFFIX)) {
      throw new ModuleException(
          Texts.quote(shown)
              + ": no Java source (expected: a file NAME"
              + SUFFIX
              + ", or a jar NAME.jar)");
    }
    String className = fileName.substring(0, fileName.length() - SUFFIX.length());
    StringWriter said = new StringWriter();
    ComponentFinder finder = new ComponentFinder();
    try (StandardJavaFileManager standard =
            compiler.getStandardFileManager(null, Locale.getDefault(), StandardCharsets.UTF_8);
        MemoryFiles files = new MemoryFiles(standard)) {
      standard.setLocation(StandardLocation.CLASS_PATH, List.of());
      JavaCompiler.CompilationTask task =
          compiler.getTask(
              said, files, null, OPTIONS, null, List.of(new Source(shown, fileName, source)));
      task.setProcessors(List.of(finder));
      if (!task.call()) {
        throw new ModuleException("does not compile:\n" + said.toString().strip());
      }
      return new Compiled(
          ModuleArchive.build(
              descriptor(className, version, finder.found(), shown), files.classes()),
          said.toString().strip());
    } catch (IllegalArgumentException e) {
      throw new ModuleException(Texts.quote(shown) + ": " + e.getMessage());
    }
  }

  /** The name of the module that a source is, by the name of its file. */
  public static String moduleName(Path file) {
    String name = String.valueOf(file.getFileName());
    return kebab(name.endsWith(SUFFIX) ? name.substring(0, name.length() - SUFFIX.length()) : name);
  }

  private static ModuleDescriptor descriptor(
      String className, ModuleVersion version, List<ComponentFinder.Found> found, String shown)
      throws ModuleException {
    Optional<String> unusable =
        found.stream().map(ComponentFinder.Found::refusal).flatMap(Optional::stream).findFirst();
    if (unusable.isPresent()) {
      throw new ModuleException(Texts.quote(shown) + ": " + unusable.get());
    }
    if (found.isEmpty()) {
      throw new ModuleException(
          Texts.quote(shown)
              + ": no component (expected: a public class that implements DataChannel,"
              + " NetworkFunction, AdmissionPolicy, FairnessPolicy or BackupPolicy)");
    }
    String name = kebab(className);
    List<Component> components = new ArrayList<>();
    for (ComponentFinder.Found each : found) {
      components.add(
          new Component(
              each.kind(), found.size() == 1 ? name : kebab(each.simpleName()), each.binaryName()));
    }
    return new ModuleDescriptor(name, version, io.theseus.channel.Spi.VERSION, components);
  }

  /** {@code MaxMin} as {@code max-min}, {@code HTTPFilter} as {@code http-filter}. */
  static String kebab(String className) {
    return className
        .replaceAll("(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-")
        .replace('_', '-')
        .toLowerCase(Locale.ROOT);
  }

  /** The source, under the name by which the user knows it. */
  private static final class Source extends SimpleJavaFileObject {
    private final String shown;
    private final String content;

    Source(String shown, String fileName, String content) {
      super(URI.create("source:///" + fileName.replaceAll("[^A-Za-z0-9._]", "_")), Kind.SOURCE);
      this.shown = shown;
      this.content = content;
    }

    @Override
    public String getName() {
      return shown;
    }

    @Override
    public boolean isNameCompatible(String simpleName, Kind kind) {
      return kind == Kind.SOURCE
          && shown.substring(shown.lastIndexOf('/') + 1).equals(simpleName + SUFFIX);
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return content;
    }
  }
}
