package io.theseus.module;

import io.theseus.wire.Texts;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PublicKey;
import java.time.Instant;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * A module as a jar in memory: read once, checked as a whole, and everything comes from these bytes
 * from then on. That says nothing of who made it: {@link ModuleKeys#verify} does.
 */
public final class ModuleArchive {
  /** The largest jar, and the most that its contents may have together. */
  public static final int MOST_BYTES = 16 << 20;

  private static final int MOST_ENTRIES = 4096;

  /** Packages that are the platform's or this program's. */
  private static final List<String> TAKEN =
      List.of(
          "java/",
          "javax/",
          "jdk/",
          "sun/",
          "com/sun/",
          "io/theseus/",
          "akka/",
          "scala/",
          "io/netty/");

  private static final List<String> ARCHIVES = List.of(".jar", ".zip", ".war", ".ear", ".jmod");
  private static final String CLASS = ".class";
  private static final String MANIFEST = "META-INF/MANIFEST.MF";
  private static final byte[] ZIP_MAGIC = {'P', 'K', 3, 4};

  /** The first moment that a zip file can name: a jar depends on nothing but its contents. */
  private static final LocalDateTime TIME = LocalDateTime.of(1980, 1, 1, 0, 0);

  private final byte[] jar;
  private final int endRecord;
  private final Map<String, byte[]> contents;
  private final ModuleDescriptor descriptor;
  private final @Nullable ModuleSignature signature;
  private final String sha256;

  private ModuleArchive(byte[] jar) throws ModuleException {
    if (jar.length > MOST_BYTES) {
      throw tooLarge(jar.length);
    }
    this.jar = jar;
    this.endRecord = StrictZip.endRecord(jar);
    this.signature = ModuleSignature.read(jar, endRecord).orElse(null);
    this.contents = new StrictZip(jar, MOST_ENTRIES, MOST_BYTES).contents();
    for (Map.Entry<String, byte[]> each : contents.entrySet()) {
      checkContent(each.getKey(), each.getValue());
    }
    byte[] json = contents.get(ModuleDescriptor.ENTRY);
    if (json == null) {
      throw new ModuleException("no entry " + ModuleDescriptor.ENTRY + " (expected: a module)");
    }
    this.descriptor = ModuleDescriptor.parse(json);
    for (Component each : descriptor.components()) {
      if (!contents.containsKey(each.entry())) {
        throw new ModuleException(
            "class: " + each.className() + " has no entry (expected: " + each.entry() + ")");
      }
    }
    this.sha256 = ModuleKeys.sha256(jar);
  }

  private static void checkContent(String name, byte[] content) throws ModuleException {
    String lower = name.toLowerCase(Locale.ROOT);
    if (ARCHIVES.stream().anyMatch(lower::endsWith)
        || (content.length >= ZIP_MAGIC.length
            && java.util.Arrays.equals(
                content, 0, ZIP_MAGIC.length, ZIP_MAGIC, 0, ZIP_MAGIC.length))) {
      throw new ModuleException(
          "entry " + Texts.quote(name) + ": an archive (expected: none in a module)");
    }
    if (lower.endsWith(CLASS)) {
      if (lower.startsWith("meta-inf/")) {
        throw new ModuleException(
            "entry "
                + Texts.quote(name)
                + ": a class of another Java version (expected: classes outside META-INF)");
      }
      for (String taken : TAKEN) {
        if (lower.startsWith(taken)) {
          throw new ModuleException(
              "entry "
                  + Texts.quote(name)
                  + ": a class in a package of the platform or of this program (expected: packages"
                  + " of the module's own)");
        }
      }
    }
  }

  private static ModuleException tooLarge(long length) {
    return new ModuleException("jar: " + length + " bytes (expected: at most " + MOST_BYTES + ")");
  }

  /** The module in these bytes, of which it keeps a copy. */
  public static ModuleArchive read(byte[] jar) throws ModuleException {
    return new ModuleArchive(jar.clone());
  }

  /** The module in this file, which is read once. */
  public static ModuleArchive read(Path file) throws IOException, ModuleException {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] jar = in.readNBytes(MOST_BYTES + 1);
      if (jar.length > MOST_BYTES) {
        throw tooLarge(Files.size(file));
      }
      return new ModuleArchive(jar);
    }
  }

  /**
   * Makes the jar of a module, not signed: the same bytes for the same contents, whichever Java
   * makes it, since nothing is compressed.
   *
   * @param files by the name of their entry; without the descriptor and the manifest
   * @throws ModuleException where nobody would accept it
   */
  public static ModuleArchive build(ModuleDescriptor descriptor, Map<String, byte[]> files)
      throws ModuleException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(out, StandardCharsets.UTF_8)) {
      zip.setMethod(ZipOutputStream.STORED);
      put(zip, MANIFEST, "Manifest-Version: 1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      put(zip, ModuleDescriptor.ENTRY, descriptor.toJson());
      for (Map.Entry<String, byte[]> each : new TreeMap<>(files).entrySet()) {
        put(zip, each.getKey(), each.getValue());
      }
    } catch (IOException e) {
      throw new UncheckedIOException("in memory", e);
    }
    return new ModuleArchive(out.toByteArray());
  }

  private static void put(ZipOutputStream zip, String name, byte[] content) throws IOException {
    ZipEntry entry = new ZipEntry(name);
    CRC32 crc = new CRC32();
    crc.update(content);
    entry.setSize(content.length);
    entry.setCrc(crc.getValue());
    entry.setTimeLocal(TIME);
    zip.putNextEntry(entry);
    zip.write(content);
    zip.closeEntry();
  }

  /** The same module, signed; a signature that it has is replaced. */
  public ModuleArchive sign(ModuleKey key, Optional<Instant> notAfter) throws ModuleException {
    return new ModuleArchive(ModuleSignature.sign(jar, endRecord, key, notAfter));
  }

  /** What it says of itself. */
  public ModuleDescriptor descriptor() {
    return descriptor;
  }

  /** SHA-256 of the jar, its signature included, in 64 hex digits. */
  public String sha256() {
    return sha256;
  }

  /** The id of the key that it says to be signed by; nobody has checked that here. */
  public Optional<String> signer() {
    return signature().map(ModuleSignature::keyId);
  }

  /** The moment at which its signature expires, where it says one. */
  public Optional<Instant> notAfter() {
    return signature().flatMap(ModuleSignature::notAfter);
  }

  Optional<ModuleSignature> signature() {
    return Optional.ofNullable(signature);
  }

  boolean isSignedBy(PublicKey key) {
    return signature != null && signature.isOf(jar, endRecord, key);
  }

  /** The names of all files in it. */
  public List<String> names() {
    return List.copyOf(contents.keySet());
  }

  /** What a file in it holds; not to be changed. Null where there is none of this name. */
  byte @Nullable [] content(String name) {
    return contents.get(name);
  }

  /** The jar, a copy. */
  public byte[] bytes() {
    return jar.clone();
  }

  /** {@code name@version} and where it is from. */
  @Override
  public String toString() {
    return descriptor.module() + " (sha256 " + sha256 + ")";
  }
}
