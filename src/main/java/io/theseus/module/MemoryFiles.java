package io.theseus.module;

import io.theseus.channel.Spi;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardLocation;

/** What the compiler may see beside the Java platform, and where its classes go: memory. */
final class MemoryFiles extends ForwardingJavaFileManager<JavaFileManager> {
  private static final String SPI = Spi.class.getPackageName();
  private static final String CLASS = ".class";

  /** A class in memory. */
  private static final class ClassFile extends SimpleJavaFileObject {
    private final String binaryName;
    private final ByteArrayOutputStream content = new ByteArrayOutputStream();

    ClassFile(String binaryName) {
      super(URI.create("memory:///" + binaryName.replace('.', '/') + CLASS), Kind.CLASS);
      this.binaryName = binaryName;
    }

    @Override
    public InputStream openInputStream() {
      return new ByteArrayInputStream(content.toByteArray());
    }

    @Override
    public OutputStream openOutputStream() {
      return content;
    }
  }

  private final List<JavaFileObject> spi = new ArrayList<>();
  private final Map<String, ClassFile> compiled = new TreeMap<>();

  MemoryFiles(JavaFileManager platform) throws IOException {
    super(platform);
    for (String name : spiClasses()) {
      ClassFile file = new ClassFile(SPI + "." + name.substring(0, name.length() - CLASS.length()));
      try (InputStream in = Spi.class.getResourceAsStream(name)) {
        if (in == null) {
          throw new IOException("class " + name + ": not there (expected: in " + SPI + ")");
        }
        in.transferTo(file.content);
      }
      spi.add(file);
    }
  }

  /** The classes that were made, by the name of their entry in a jar. */
  Map<String, byte[]> classes() {
    Map<String, byte[]> files = new TreeMap<>();
    compiled.forEach(
        (name, file) -> files.put(name.replace('.', '/') + CLASS, file.content.toByteArray()));
    return files;
  }

  @Override
  public Iterable<JavaFileObject> list(
      Location location, String packageName, Set<JavaFileObject.Kind> kinds, boolean recurse)
      throws IOException {
    if (location == StandardLocation.CLASS_PATH) {
      return packageName.equals(SPI) && kinds.contains(JavaFileObject.Kind.CLASS) ? spi : List.of();
    }
    return super.list(location, packageName, kinds, recurse);
  }

  @Override
  public String inferBinaryName(Location location, JavaFileObject file) {
    return file instanceof ClassFile ours ? ours.binaryName : super.inferBinaryName(location, file);
  }

  @Override
  public boolean isSameFile(FileObject one, FileObject other) {
    return one.toUri().equals(other.toUri());
  }

  @Override
  public JavaFileObject getJavaFileForOutput(
      Location location, String className, JavaFileObject.Kind kind, FileObject sibling) {
    return compiled.computeIfAbsent(className, ClassFile::new);
  }

  /** The classes of the package, in this program's jar or directory; without its annotations. */
  private static List<String> spiClasses() throws IOException {
    String file = Spi.class.getSimpleName() + CLASS;
    URL url = Spi.class.getResource(file);
    if (url == null) {
      throw new IOException("class " + file + ": not there (expected: in " + SPI + ")");
    }
    List<String> names;
    if (url.openConnection() instanceof JarURLConnection jar) {
      String prefix = jar.getEntryName().substring(0, jar.getEntryName().length() - file.length());
      names =
          jar.getJarFile().stream()
              .map(each -> each.getName())
              .filter(each -> each.startsWith(prefix))
              .map(each -> each.substring(prefix.length()))
              .toList();
    } else {
      try (Stream<Path> files = Files.list(Path.of(url.toURI()).resolveSibling(""))) {
        names = files.map(each -> String.valueOf(each.getFileName())).toList();
      } catch (URISyntaxException e) {
        throw new IOException(url + " (expected: a file)", e);
      }
    }
    return names.stream()
        .filter(each -> each.endsWith(CLASS) && !each.startsWith("package-info"))
        .sorted()
        .toList();
  }
}
