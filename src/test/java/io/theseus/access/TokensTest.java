package io.theseus.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TokensTest {
  private static final String HASH = "ab".repeat(32);

  private static Tokens read(String text) throws Exception {
    return Tokens.read(Path.of("tokens"), text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void shouldReadWhatItWrites() throws Exception {
    String token = Tokens.make();
    String line =
        Tokens.line(
            "alice",
            token,
            Set.of(Scope.READ, Scope.WRITE),
            Optional.of("2027-06-30"),
            List.of("photos/", "old photos/"));

    Tokens tokens = read("# alice may\n\n  " + line + "\r\n");

    assertThat(line).doesNotContain(token);
    assertThat(tokens.size()).isEqualTo(1);
    assertThat(tokens.find(token))
        .isEqualTo(
            new Tokens.Entry(
                new Rights("alice", true, true, List.of("photos/", "old photos/")),
                // to the end of that day
                Optional.of(Instant.parse("2027-07-01T00:00:00Z"))));
    assertThat(tokens.find(token + "x")).isNull();
    assertThat(tokens.find("")).isNull();
    assertThat(tokens.find(Tokens.hash(token))).as("the hash is no token").isNull();
  }

  @Test
  void shouldWriteNoLineThatSaysSomethingElse() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> line("a b", "x"))
        .withMessage("name: \"a b\" (expected: 1 to 64 of A-Z a-z 0-9 . _ @ -)");
    for (String prefix : List.of("a\nb", "a\"b", "a b\" prefix=\"c", "/a", "")) {
      assertThatIllegalArgumentException().isThrownBy(() -> line("a", prefix));
    }
  }

  private static String line(String name, String prefix) {
    return Tokens.line(name, "t", Set.of(Scope.READ), Optional.empty(), List.of(prefix));
  }

  @Test
  void shouldMakeTokensOf256Bits() {
    assertThat(Tokens.make()).matches("thst_[A-Za-z0-9_-]{43}").isNotEqualTo(Tokens.make());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\'',
      textBlock =
          """
          a HASH                    | words: "2" (expected: name, hash, scopes)
          a/b HASH read             | name: "a/b" (expected: 1 to 64 of A-Z a-z 0-9 . _ @ -)
          a thst_secret read        | second word of 11 characters (expected: the SHA-256 of the token, 64 hex digits)
          a HASH all                | scopes: "all" (expected: read, write or read,write)
          a HASH read,              | scopes: "read," (expected: read, write or read,write)
          a HASH read before=x      | word: "before=x" (expected: until=TIME once, prefix=PREFIX)
          a HASH read until=soon    | until: "soon" (expected: a last day, 2027-06-30, or a time, 2027-06-30T12:00:00Z)
          a HASH read prefix=       | prefix: "" (expected: the beginning of names, like photos/ or "old photos/")
          a HASH read prefix=/x     | prefix: "/x" (expected: the beginning of names, like photos/ or "old photos/")
          a HASH read prefix="x     | a quotation mark is left open (expected: a second one)
          b HASH read               | hash of: "b" (expected: another token than that of a line before)
          first HASH read           | name: "first" (expected: each once)
          """)
  void shouldNameTheLineThatIsWrong(String line, String message) {
    assertThatIOException()
        .isThrownBy(
            () ->
                read(
                    "# one\nfirst HASH write\n".replace("HASH", HASH) + line.replace("HASH", HASH)))
        .withMessage("\"tokens\" line 3: " + message);
  }

  @Test
  void shouldShowOnlyWhatIsWithinThePrefixes() {
    Rights rights = new Rights("a", true, false, List.of("music/", "photos/2026/", "photos/"));

    assertThat(rights.within("")).containsExactly("music/", "photos/");
    assertThat(rights.within("photos/2")).containsExactly("photos/2");
    assertThat(rights.within("ph")).containsExactly("photos/");
    assertThat(rights.within("x")).isEmpty();
    assertThat(Rights.ALL.within("x")).containsExactly("x");
    // all names of the first come before all of the second
    assertThat(new Rights("a", true, false, List.of("b", "a/", "a.")).within(""))
        .containsExactly("a.", "a/", "b");
  }
}
