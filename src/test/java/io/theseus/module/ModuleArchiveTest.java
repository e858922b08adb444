package io.theseus.module;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.jar.JarInputStream;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What is a module's jar, and what is refused. */
class ModuleArchiveTest {
  private static final int MIB = 1 << 20;

  @Test
  void shouldReadAModule() throws Exception {
    ModuleArchive module = ModuleArchive.read(TestModules.zip().bytes());

    assertThat(module.descriptor())
        .isEqualTo(
            new ModuleDescriptor(
                "burst",
                new ModuleVersion("1.2"),
                1,
                List.of(new Component(ComponentKind.CHANNEL, "burst", "example.Burst"))));
    assertThat(module.names()).containsExactly(ModuleDescriptor.ENTRY, "example/Burst.class");
    assertThat(module.signer()).isEmpty();
  }

  @Test
  void shouldReadWhatOtherToolsWrite(@TempDir Path directory) throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    // as the JDK's jar: deflated, sizes behind the content, directories, a marked first entry
    try (ZipOutputStream zip = new ZipOutputStream(out)) {
      ZipEntry folder = new ZipEntry("META-INF/");
      folder.setExtra(new byte[] {(byte) 0xFE, (byte) 0xCA, 0, 0});
      folder.setMethod(ZipEntry.STORED);
      folder.setSize(0);
      folder.setCrc(0);
      zip.putNextEntry(folder);
      zip.putNextEntry(new ZipEntry(ModuleDescriptor.ENTRY));
      zip.write(TestModules.DESCRIPTOR.getBytes(StandardCharsets.UTF_8));
      ZipEntry timed = new ZipEntry("example/Burst.class");
      timed.setLastModifiedTime(java.nio.file.attribute.FileTime.fromMillis(1_700_000_000_000L));
      zip.putNextEntry(timed);
      zip.write(new byte[1000]);
    }
    Path file = Files.write(directory.resolve("burst.jar"), out.toByteArray());

    ModuleArchive module = ModuleArchive.read(file);

    assertThat(module.content("example/Burst.class")).isEqualTo(new byte[1000]);
    assertThat(module.bytes()).isEqualTo(out.toByteArray());
  }

  @Test
  void shouldMakeTheSameJarOfTheSameContents() throws Exception {
    ModuleDescriptor descriptor = ModuleArchive.read(TestModules.zip().bytes()).descriptor();
    Map<String, byte[]> files =
        Map.of("example/Burst.class", new byte[] {1}, "a.txt", new byte[] {2}, "z", new byte[0]);
    byte[] jar = ModuleArchive.build(descriptor, files).bytes();

    assertThat(ModuleArchive.build(descriptor, new java.util.HashMap<>(files)).bytes())
        .isEqualTo(jar);
    assertThat(ModuleKeys.sha256(jar))
        .as("the same on every Java")
        .isEqualTo("a1a7519ce9b03635ffbd51601fde2695d6c75c4e5e2d12c2ef792d27a73fb79d");
    try (JarInputStream in = new JarInputStream(new ByteArrayInputStream(jar))) {
      assertThat(in.getManifest()).isNotNull();
    }
    List<String> names = new ArrayList<>();
    try (ZipInputStream in = new ZipInputStream(new ByteArrayInputStream(jar))) {
      for (ZipEntry each = in.getNextEntry(); each != null; each = in.getNextEntry()) {
        names.add(each.getName());
      }
    }
    assertThat(names)
        .containsExactly(
            "META-INF/MANIFEST.MF", ModuleDescriptor.ENTRY, "a.txt", "example/Burst.class", "z");
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        refused("nothing", zip -> zip.entries.clear(), "no entry META-INF/theseus/module.json"),
        refused(
            "bytes before",
            zip -> zip.before = new byte[3],
            "entry \"META-INF/theseus/module.json\": begins at 3 (expected: 0, behind the one"
                + " before)"),
        refused(
            "bytes between",
            zip -> zip.last().gap = new byte[2],
            "entry \"example/Burst.class\": begins at"),
        refused(
            "bytes before the directory",
            zip -> zip.beforeDirectory = new byte[2],
            "entries: end at"),
        refused(
            "bytes behind the directory",
            zip -> zip.beforeEnd = new byte[20],
            "directory: ends at"),
        refused("bytes behind", zip -> zip.behind = new byte[1], "end record: 1 bytes behind it"),
        refused("much behind", zip -> zip.behind = new byte[70_000], "no end record"),
        refused(
            "a comment",
            zip -> zip.comment = "hello".getBytes(StandardCharsets.US_ASCII),
            "comment: \"hello\" (expected: theseus-signature: 1 KEY-ID SIGNATURE NOT-AFTER, or no"
                + " comment)"),
        refused(
            "an entry twice",
            zip -> zip.add("example/Burst.class", "other"),
            "entry \"example/Burst.class\": a second time (expected: each name once, whatever its"
                + " case)"),
        refused(
            "an entry twice in other case",
            zip -> zip.add("example/burst.CLASS", "other"),
            "entry \"example/burst.CLASS\": a second time"),
        refused(
            "a directory of the same name",
            zip -> zip.add("example/Burst.class/", ""),
            "entry \"example/Burst.class/\": a second time"),
        refused(
            "an entry twice by ./",
            zip -> zip.add("./example/Burst.class", "other"),
            "entry \"./example/Burst.class\": its path (expected: relative, without . and .., no /"
                + " twice)"),
        refused("..", zip -> zip.add("a/../../b", ""), "entry \"a/../../b\": its path"),
        refused("absolute", zip -> zip.add("/etc/passwd", ""), "entry \"/etc/passwd\": its path"),
        refused("a / twice", zip -> zip.add("a//b", ""), "entry \"a//b\": its path"),
        refused("a backslash", zip -> zip.add("..\\b", ""), "entry \"..\\b\": its name (expected:"),
        refused("a drive", zip -> zip.add("c:b", ""), "entry \"c:b\": its name (expected:"),
        refused("beyond ASCII", zip -> zip.add("\u00e4", ""), ": its name (expected:"),
        refused("no name", zip -> zip.add("", ""), "entry \"\": its name (expected:"),
        refused(
            "a name that is too long",
            zip -> zip.add("a".repeat(513), ""),
            ": its name (expected: 1 to 512 of"),
        refused(
            "a jar in it",
            zip -> zip.add("lib/other.JAR", ""),
            "entry \"lib/other.JAR\": an archive (expected: none in a module)"),
        refused(
            "a jar in it under another name",
            zip -> zip.add("lib/other", new byte[] {'P', 'K', 3, 4, 0}),
            "entry \"lib/other\": an archive (expected: none in a module)"),
        refused(
            "a class of Java",
            zip -> zip.add("java/lang/Own.class", ""),
            "entry \"java/lang/Own.class\": a class in a package of the platform or of this program"
                + " (expected: packages of the module's own)"),
        refused("of javax", zip -> zip.add("javax/a/B.class", ""), "of this program (expected:"),
        refused(
            "of ours", zip -> zip.add("io/theseus/channel/Spi.class", ""), "program (expected:"),
        refused("of Akka", zip -> zip.add("akka/B.class", ""), "of this program (expected:"),
        refused("of Scala", zip -> zip.add("scala/B.class", ""), "of this program (expected:"),
        refused("of Netty", zip -> zip.add("io/netty/B.class", ""), "of this program (expected:"),
        refused(
            "a class for another Java",
            zip -> zip.add("META-INF/versions/21/example/Burst.class", ""),
            ": a class of another Java version (expected: classes outside META-INF)"),
        refused(
            "another name in its header",
            zip -> zip.last().localName = "example/Worse.class",
            "entry \"example/Burst.class\": its header says something else than the directory"
                + " (expected: the same)"),
        refused(
            "another method in its header",
            zip -> zip.last().localMethod = 8,
            "its header says something else"),
        refused(
            "another CRC in its header",
            zip -> zip.last().otherLocalCrc = true,
            "its header says something else"),
        refused(
            "another CRC behind it",
            zip -> {
              zip.last().otherLocalCrc = true;
              zip.last().flags = 8;
              zip.last().method = 8;
            },
            "what is behind it says something else than the directory"),
        refused(
            "sizes behind what is stored",
            zip -> zip.last().flags = 8,
            "entry \"example/Burst.class\": size: 3 from 3 bytes (expected: what can be made of"
                + " them)"),
        refused(
            "a size that is not so",
            zip -> {
              zip.last().method = 8;
              zip.last().size = 2;
            },
            "its content is not the 2 bytes of the directory (expected: these)"),
        refused(
            "bytes behind what is deflated",
            zip -> {
              zip.last().method = 8;
              zip.last().tail = new byte[] {7};
            },
            "its content is not the 3 bytes of the directory (expected: these)"),
        refused(
            "a size that can't be so",
            zip -> {
              zip.last().method = 8;
              zip.last().size = 15 * MIB;
            },
            "size: 15728640 from 5 bytes (expected: what can be made of them)"),
        refused("another method", zip -> zip.last().method = 12, "method: 12 (expected: stored or"),
        refused("encrypted", zip -> zip.last().flags = 1, "flags: 0x1 (expected: not encrypted"),
        refused("zip64 needed", zip -> zip.last().needed = 45, "needs version 45 (expected: at"),
        refused(
            "a zip64 field",
            zip -> zip.last().extra = new byte[] {1, 0, 0, 0},
            "extra field 0x0001 (expected: none but times; no zip64)"),
        refused(
            "a zip64 field in its header",
            zip -> zip.last().localExtra = new byte[] {1, 0, 0, 0},
            "extra field 0x0001 (expected: none but times; no zip64)"),
        refused(
            "another name in an extra field",
            zip -> zip.last().extra = new byte[] {0x75, 0x70, 0, 0},
            "extra field 0x7075"),
        refused(
            "a field that is cut",
            zip -> zip.last().extra = new byte[] {0x55, 0x54, 9, 0},
            "an extra field that is cut (expected: all of it)"),
        refused("zip64", zip -> zip.count = 0xFFFF, "end record: zip64 (expected: a zip file"),
        refused("fewer than there are", zip -> zip.count = 1, "directory: its entries end at"),
        refused("more than there are", zip -> zip.count = 3, "directory: no entry at"),
        refused("a comment of an entry", zip -> zip.last().comment = "a", "a comment, or of"),
        refused(
            "elsewhere",
            zip -> zip.last().offset = 0,
            "entry \"example/Burst.class\": begins at 0"),
        refused(
            "a directory with content",
            zip -> zip.add("example/", "content"),
            "entry \"example/\": a directory with content (expected: none)"),
        refused(
            "too many",
            zip -> {
              for (int i = 0; i < 4095; i++) {
                zip.add("a" + i, "");
              }
            },
            "entries: 4097 (expected: at most 4096)"),
        refused(
            "a bomb",
            zip -> {
              zip.add("zeros", new byte[9 * MIB]).last().method = 8;
              zip.add("others", new byte[9 * MIB]).last().method = 8;
            },
            "contents: more than 16777216 bytes (expected: at most so many)"),
        refused(
            "too large",
            zip -> zip.add("zeros", new byte[16 * MIB]),
            " bytes (expected: at most 16777216)"),
        refused(
            "no class of its component",
            zip -> zip.last().name = zip.last().localName = "example/Other.class",
            "class: example.Burst has no entry (expected: example/Burst.class)"));
  }

  private static Arguments refused(String what, Consumer<Zips> change, String message) {
    return Arguments.of(what, change, message);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refusals")
  void shouldRefuse(String what, Consumer<Zips> change, String message) {
    Zips zip = TestModules.zip();
    change.accept(zip);

    assertThatThrownBy(() -> ModuleArchive.read(zip.bytes()))
        .isInstanceOf(ModuleException.class)
        .hasMessageContaining(message);
  }

  @Test
  void shouldRefuseEveryBeginningOfAJar() {
    byte[] jar = TestModules.zip().bytes();
    for (int length = 0; length < jar.length; length++) {
      byte[] cut = Arrays.copyOf(jar, length);
      assertThatThrownBy(() -> ModuleArchive.read(cut)).isInstanceOf(ModuleException.class);
    }
  }

  /** No byte of it can be changed without being noticed, before any signature. */
  @Test
  void shouldReadEveryByteOfAJar() throws Exception {
    Zips zip = TestModules.zip();
    zip.last().method = 8;
    byte[] jar = zip.bytes();
    ModuleArchive module = ModuleArchive.read(jar);
    for (int at = 0; at < jar.length; at++) {
      byte[] changed = jar.clone();
      changed[at] ^= 0x01;
      try {
        ModuleArchive read = ModuleArchive.read(changed);
        // times, versions and attributes of entries say nothing of their content
        assertThat(read.content("example/Burst.class"))
            .isEqualTo(module.content("example/Burst.class"));
        assertThat(read.descriptor()).isEqualTo(module.descriptor());
        assertThat(read.sha256()).isNotEqualTo(module.sha256());
      } catch (ModuleException e) {
        assertThat(e).hasMessageContaining("(expected: ");
      }
    }
  }

  static Stream<Arguments> badDescriptors() {
    return Stream.of(
        Arguments.of("", "(expected: "),
        Arguments.of("[]", "no JSON object (expected: one, and nothing else)"),
        Arguments.of("{", "(expected: one JSON object)"),
        Arguments.of("{\"name\": \"a\", \"name\": \"b\"}", "Duplicate field 'name'"),
        Arguments.of(TestModules.DESCRIPTOR + "{}", "(expected: one JSON object)"),
        bad("\"burst\"", "\"Burst\"", "name: \"Burst\" (expected: 1 to 64 of a-z 0-9 -"),
        bad("\"burst\"", "7", "name: 7 (expected: a text)"),
        bad("\"name\"", "\"nam\"", "name: missing (expected: a text)"),
        bad("\"1.2\"", "\"1.2.3.4.5\"", "version: \"1.2.3.4.5\" (expected: 1 to 4 numbers"),
        bad("\"1.2\"", "\"1.02\"", "version: \"1.02\" (expected: 1 to 4 numbers with dots"),
        bad("\"spi\": 1", "\"spi\": 2", "spi: 2 (expected: 1, the version of this program)"),
        bad("\"spi\": 1", "\"spi\": \"1\"", "spi: \"1\" (expected: a number)"),
        bad("\"channel\"", "\"pipe\"", "kind: \"pipe\" (expected: channel, function, admission"),
        bad("example.Burst", "example/Burst", "class: \"example/Burst\" (expected: the name of a"),
        bad("[{", "[1, {", "component: 1 (expected: an object)"),
        bad("[{", "[], \"more\": [{", "components: 0 (expected: 1 to 64)"),
        bad("\"components\"", "\"component\"", "components: missing (expected: a list of objects)"),
        bad(
            "[{",
            "[{\"kind\": \"channel\", \"name\": \"a\", \"class\": \"A\"}, {",
            "name: missing (expected: a text)"),
        bad(
            "[{",
            "[{\"kind\": \"channel\", \"name\": \"a\", \"class\": \"A\"}, {\"name\": \"a\", ",
            "component: \"a\" twice (expected: each name once)"),
        bad(
            "[{",
            "[{\"kind\": \"channel\", \"name\": \"a\", \"class\": \"A\"}, {\"name\": \"b\", ",
            "component: \"b\", a second channel (expected: one of them in a module)"));
  }

  private static Arguments bad(String good, String bad, String message) {
    return Arguments.of(TestModules.DESCRIPTOR.replace(good, bad), message);
  }

  @ParameterizedTest
  @MethodSource("badDescriptors")
  void shouldRefuseADescriptor(String json, String message) {
    assertThatThrownBy(() -> ModuleDescriptor.parse(json.getBytes(StandardCharsets.UTF_8)))
        .isInstanceOf(ModuleException.class)
        .hasMessageStartingWith("META-INF/theseus/module.json: ")
        .hasMessageContaining(message);
  }

  @Test
  void shouldIgnoreWhatADescriptorHasBeyond() throws Exception {
    String json = TestModules.DESCRIPTOR.replace("\"spi\"", "\"since\": {\"a\": [1]}, \"spi\"");
    ModuleDescriptor descriptor = ModuleDescriptor.parse(json.getBytes(StandardCharsets.UTF_8));

    assertThat(ModuleDescriptor.parse(descriptor.toJson())).isEqualTo(descriptor);
  }

  @Test
  void shouldCompareVersionsByNumber() {
    List<ModuleVersion> sorted =
        Stream.of("1.10", "1.9", "2", "1.9.0.1", "0").map(ModuleVersion::new).sorted().toList();

    assertThat(sorted)
        .extracting(ModuleVersion::text)
        .containsExactly("0", "1.9", "1.9.0.1", "1.10", "2");
    assertThat(new ModuleVersion("1")).isEqualByComparingTo(new ModuleVersion("1.0.0"));
    assertThat(new ModuleVersion("1.9").next()).hasToString("1.10");
    assertThat(new ModuleVersion("7").next()).hasToString("8");
  }
}
