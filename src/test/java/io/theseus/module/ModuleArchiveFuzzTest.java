package io.theseus.module;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.theseus.testing.Allocation;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.Tag;

/**
 * Any bytes at all, as a module. What is read means the same to another reader, and is read again
 * as the same; everything else is refused in words; nothing is sized by what the bytes merely say.
 *
 * <p>The inputs: a byte that says which (modulo 4: a jar, a descriptor in a jar, a comment behind a
 * jar, a revision), then it.
 */
class ModuleArchiveFuzzTest {
  private static final ModuleKey KEY = ModuleKey.make();

  static {
    // the first of all loads what reads JSON, which allocates more than any input
    assertThatThrownBy(() -> ModuleDescriptor.parse(new byte[0]))
        .isInstanceOf(ModuleException.class);
  }

  @Tag("fuzz-modules")
  @FuzzTest(maxDuration = "45m")
  void shouldReadOneThingOrRefuse(byte[] bytes) throws Exception {
    if (bytes.length == 0) {
      return;
    }
    byte[] rest = Arrays.copyOfRange(bytes, 1, bytes.length);
    switch (Math.floorMod(bytes[0], 4)) {
      case 0 -> read(rest);
      case 1 ->
          read(new Zips().add(ModuleDescriptor.ENTRY, rest).add("example/Burst.class", "").bytes());
      case 2 -> {
        Zips zip = TestModules.zip();
        zip.comment = rest;
        read(zip.bytes());
      }
      default -> readRevision(new String(rest, StandardCharsets.UTF_8));
    }
  }

  private static void read(byte[] jar) throws Exception {
    Allocation allocation = Allocation.begin();
    ModuleArchive module;
    try {
      module = ModuleArchive.read(jar);
    } catch (ModuleException e) {
      allocation.check(jar.length);
      assertThat(e.getMessage()).contains("(expected: ");
      return;
    }
    allocation.check(jar.length);
    assertThat(module.bytes()).isEqualTo(jar);
    Map<String, byte[]> streamed = streamed(jar);
    assertThat(module.names()).containsExactlyElementsOf(streamed.keySet());
    streamed.forEach((name, content) -> assertThat(module.content(name)).isEqualTo(content));
    assertThat(ModuleDescriptor.parse(module.descriptor().toJson())).isEqualTo(module.descriptor());
    assertThat(module.isSignedBy(KEY.open())).isFalse();
    ModuleArchive signed = module.sign(KEY, Optional.empty());
    assertThat(signed.isSignedBy(KEY.open())).isTrue();
    assertThat(signed.descriptor()).isEqualTo(module.descriptor());
  }

  /** As a reader has it that never sees the directory. */
  private static Map<String, byte[]> streamed(byte[] jar) throws IOException {
    Map<String, byte[]> contents = new LinkedHashMap<>();
    try (ZipInputStream in = new ZipInputStream(new ByteArrayInputStream(jar))) {
      for (ZipEntry each = in.getNextEntry(); each != null; each = in.getNextEntry()) {
        byte[] content = in.readAllBytes();
        if (!each.isDirectory()) {
          contents.put(each.getName(), content);
        }
      }
    }
    return contents;
  }

  private static void readRevision(String json) {
    try {
      assertThat(RevisionDescription.parse(json).toJson()).isEqualTo(json);
    } catch (IllegalArgumentException e) {
      assertThat(e.getMessage()).contains("(expected: ");
    }
  }
}
