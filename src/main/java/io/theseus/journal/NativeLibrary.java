package io.theseus.journal;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;
import java.util.Optional;
import org.fusesource.leveldbjni.internal.NativeDB;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads leveldbjni's library from a private directory that is gone again right after.
 *
 * <p>Left alone, hawtjni extracts it to a file in the shared temporary directory, makes it
 * executable by a {@code chmod} process, and leaves it there when the process is killed. It also
 * picks by word size alone, so that an ARM64 machine would be given the library for x86-64. A
 * library path set by {@code -Dlibrary.leveldbjni.path} is respected.
 */
final class NativeLibrary {
  private static final Logger log = LoggerFactory.getLogger(NativeLibrary.class);
  private static final String PATH_PROPERTY = "library.leveldbjni.path";

  /** Static as the library is the process's. */
  private static boolean loaded;

  private NativeLibrary() {}

  /**
   * Loads the library once for this process.
   *
   * @param fallback a directory of ours, tried where the temporary directory allows no execution
   * @return why it can't be loaded, or nothing where it is
   */
  static synchronized Optional<String> load(Path fallback) {
    Optional<String> failure = loaded ? Optional.empty() : loadOnce(fallback);
    loaded = failure.isEmpty();
    return failure;
  }

  private static Optional<String> loadOnce(Path fallback) {
    Optional<String> resource = resource();
    if (resource.isEmpty()) {
      return Optional.of(
          "no library for " + System.getProperty("os.name") + " " + System.getProperty("os.arch"));
    }
    if (System.getProperty(PATH_PROPERTY) != null) {
      return tryLoad();
    }
    Path temporary = Path.of(System.getProperty("java.io.tmpdir", "/tmp"));
    Optional<String> failure = loadFrom(temporary, resource.get());
    return failure.isEmpty() ? failure : loadFrom(fallback, resource.get());
  }

  private static Optional<String> loadFrom(Path parent, String resource) {
    Path directory = null;
    Path file = null;
    try (InputStream in = NativeDB.class.getClassLoader().getResourceAsStream(resource)) {
      if (in == null) {
        return Optional.of("no " + resource + " in leveldbjni");
      }
      // 0700 by its contract
      directory = Files.createTempDirectory(parent, "theseus-leveldb-");
      file = directory.resolve(System.mapLibraryName("leveldbjni"));
      Files.copy(in, file);
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r-x------"));
      // first by the JVM's own loader: hawtjni answers a failure by extracting again, elsewhere
      System.load(file.toString());
      System.setProperty(PATH_PROPERTY, directory.toString());
      return tryLoad();
    } catch (IOException | UnsatisfiedLinkError | UnsupportedOperationException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    } finally {
      System.clearProperty(PATH_PROPERTY);
      delete(file);
      delete(directory);
    }
  }

  private static Optional<String> tryLoad() {
    try {
      NativeDB.LIBRARY.load();
      return Optional.empty();
    } catch (UnsatisfiedLinkError e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  private static void delete(@Nullable Path file) {
    if (file == null) {
      return;
    }
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      log.warn("journal: {} can't be deleted: {}", file, e.getMessage());
    }
  }

  /** What leveldbjni-all has for this machine; only Linux, where a loaded file may be deleted. */
  private static Optional<String> resource() {
    String system = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
    String machine = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
    if (!system.startsWith("linux")) {
      return Optional.empty();
    }
    return switch (machine) {
      case "amd64", "x86_64" -> Optional.of("META-INF/native/linux64/libleveldbjni.so");
      case "i386", "i686", "x86" -> Optional.of("META-INF/native/linux32/libleveldbjni.so");
      default -> Optional.empty();
    };
  }
}
