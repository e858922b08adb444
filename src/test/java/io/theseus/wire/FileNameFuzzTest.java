package io.theseus.wire;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Tag;

/**
 * Any text as a name. The inputs are names; two of them, compared, where a line feed parts them.
 *
 * <p>What is taken is what a pattern written from the protocol's page takes, and stays below a
 * folder that it is resolved against; every leading part of it may be listed; order is that of the
 * bytes.
 */
class FileNameFuzzTest {
  private static final String COMPONENT = "(?!\\.{1,2}(?:/|$))[^/\\\\\\x00-\\x1f\\x7f-\\x9f]+";
  private static final String NAME = COMPONENT + "(?:/" + COMPONENT + ")*";
  private static final Path ROOT = Path.of("/srv/files");

  @Tag("fuzz-names")
  @FuzzTest(maxDuration = "45m")
  void shouldTakeNothingButNames(byte[] bytes) {
    Optional<String> text = ClientMessageFuzzTest.utf8(bytes);
    if (text.isEmpty()) {
      return; // the decoder has refused it
    }
    String[] names = text.get().split("\n", 2);
    for (String each : names) {
      check(each);
    }
    if (names.length == 2) {
      assertThat(Integer.signum(FileName.compareBytes(names[0], names[1])))
          .isEqualTo(
              Integer.signum(
                  Arrays.compareUnsigned(names[0].getBytes(UTF_8), names[1].getBytes(UTF_8))));
    }
    check(text.get());
  }

  private static void check(String text) {
    boolean expected =
        text.getBytes(UTF_8).length <= FileName.MAX_BYTES
            && text.matches(NAME)
            && Arrays.stream(text.split("/", -1))
                .allMatch(each -> each.getBytes(UTF_8).length <= FileName.MAX_COMPONENT_BYTES);
    FileName name;
    try {
      name = FileName.parse(text);
    } catch (ProtocolException e) {
      assertThat(expected).as("refused: %s", e.errorText()).isFalse();
      assertThat(e.errorText())
          .startsWith("bad-name: ")
          .contains(" (expected: ")
          .doesNotContainPattern("\\p{Cntrl}");
      return;
    }
    assertThat(expected).as("taken: %s", text).isTrue();
    assertThat(name.value()).isEqualTo(text);
    assertThat(String.join("/", name.components())).isEqualTo(text);
    if (text.indexOf('\0') < 0) {
      Path resolved = ROOT.resolve(text);
      assertThat(resolved.normalize()).isEqualTo(resolved).startsWithRaw(ROOT).isNotEqualTo(ROOT);
    }
    for (int end = 0; end <= text.length(); end++) {
      if (end < text.length() && Character.isLowSurrogate(text.charAt(end))) {
        continue;
      }
      assertPrefix(text.substring(0, end));
    }
  }

  private static void assertPrefix(String prefix) {
    try {
      assertThat(FileName.prefix(prefix)).isEqualTo(prefix);
    } catch (ProtocolException e) {
      throw new AssertionError("a leading part of a name is refused: " + e.errorText(), e);
    }
  }
}
