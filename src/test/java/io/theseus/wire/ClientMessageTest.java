package io.theseus.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClientMessageTest {
  private static final UUID SESSION = UUID.fromString("0b0e5ca7-6f0b-4c1e-9d4e-6f1f7f0f9a11");

  @Test
  void shouldReadAGetWithEveryField() throws Exception {
    assertThat(
            ClientMessage.parse(
                """
                GET a b/c.bin
                offset:  12\s
                WINDOW:65536
                Max-Data: 4096
                Consumer: stream
                Session: 0B0E5CA7-6f0b-4c1e-9d4e-6f1f7f0f9a11
                Identity: x-1
                Migrate-Port: 9
                Token: t
                Version: 1
                Later-Field: ignored"""))
        .isEqualTo(
            new ClientMessage.Get(
                new FileName("a b/c.bin"),
                12,
                OptionalLong.of(65_536),
                OptionalLong.of(4096),
                true,
                Optional.of(SESSION),
                Optional.of("x-1"),
                OptionalLong.of(9),
                Optional.of("t")));
  }

  @Test
  void shouldReadDefaults() throws Exception {
    ClientMessage.Put put = (ClientMessage.Put) ClientMessage.parse("PUT x");
    assertThat(put.size()).isEmpty();
    assertThat(put.streamProducer()).isFalse();
    assertThat(put.offset()).isZero();
    assertThat(put.ifIdentity()).isEmpty();
    assertThat(((ClientMessage.List) ClientMessage.parse("LIST")).prefix()).isEmpty();
    assertThat(((ClientMessage.List) ClientMessage.parse("LIST ")).prefix()).isEmpty();
  }

  @Test
  void shouldTakeAfterUntrimmed() throws Exception {
    ClientMessage.List list = (ClientMessage.List) ClientMessage.parse("LIST a\nAfter:  a b \n");
    assertThat(list.after()).hasValue(" a b ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "FETCH x | bad-packet: verb \"FETCH\" (expected: GET, PUT, STAT, LIST, DELETE, END or ALIVE)",
        "get x | bad-packet: verb \"get\" (expected: GET, PUT, STAT, LIST, DELETE, END or ALIVE)",
        "GET | bad-name: name of 0 bytes (expected: 1 to 1024 bytes)",
        "GET ../x | bad-name: \"../x\" (expected: no component . or ..)",
        "GET a~Offset | bad-field: line \"Offset\" (expected: Field: value)",
        "GET a~Offset: 1~offset: 2 | bad-field: Offset: given twice (expected: once)",
        "GET a~Offset: -1 | bad-field: Offset: \"-1\" (expected: 1 to 19 decimal digits, below 2^63)",
        "GET a~Offset: 9223372036854775808"
            + " | bad-field: Offset: \"9223372036854775808\""
            + " (expected: 1 to 19 decimal digits, below 2^63)",
        "GET a~Offset: 00000000000000000001"
            + " | bad-field: Offset: \"00000000000000000001\""
            + " (expected: 1 to 19 decimal digits, below 2^63)",
        "GET a~Window: 0 | bad-field: Window: \"0\" (expected: at least 1)",
        "GET a~Consumer: both | bad-field: Consumer: \"both\" (expected: rewindable or stream)",
        "GET a~Session: 1-1-1-1-1"
            + " | bad-field: Session: \"1-1-1-1-1\" (expected: a uuid, 8-4-4-4-12 hex digits)",
        "GET a~Migrate-Port: 70000 | bad-field: Migrate-Port: \"70000\" (expected: 1 to 65535)",
        "GET a~Version: 2 | version: Version: 2 (expected: 1)",
        "PUT a~Size: 1~Offset: 2 | bad-offset: Offset: 2 (expected: at most the Size, 1)",
        "PUT a~SHA-256: abc | bad-field: SHA-256: \"abc\" (expected: 64 hex digits)",
        "PUT a~If-Identity: a b"
            + " | bad-field: If-Identity: \"a b\" (expected: 1 to 128 visible ASCII characters)",
        "PUT a~Modified: today"
            + " | bad-field: Modified: \"today\""
            + " (expected: RFC 3339 in UTC, like 2026-01-31T12:00:00Z)",
        "DELETE a~If-Identity: none"
            + " | bad-field: If-Identity: \"none\" (expected: the identity of a file)",
        "END | bad-field: END without Size (expected: Size: bytes)",
        "LIST a//b | bad-name: \"a//b\" (expected: no empty component)",
        "LIST ../ | bad-name: \"../x\" (expected: no component . or ..)",
        "LIST a~After: /x | bad-name: \"/x\" (expected: no leading or trailing /)",
      })
  void shouldNameWhatIsWrongWithACommand(String text, String error) {
    assertThatThrownBy(() -> ClientMessage.parse(text.replace('~', '\n')))
        .isInstanceOfSatisfying(
            ProtocolException.class, refusal -> assertThat(refusal.errorText()).isEqualTo(error));
  }

  @Test
  void shouldRefuseNamesThatLeaveTheRootOrHideSomething() {
    for (String name :
        new String[] {
          "/a",
          "a/",
          "a//b",
          ".",
          "..",
          "a/../b",
          "a\\b",
          "a\u0000b",
          "a\u001fb",
          "a\u007fb",
          "a\u009fb",
          "x".repeat(256),
          "y/".repeat(512) + "y"
        }) {
      assertThatThrownBy(() -> FileName.parse(name))
          .as(Texts.escape(name))
          .isInstanceOfSatisfying(
              ProtocolException.class,
              refusal -> assertThat(refusal.code()).isEqualTo(ErrorCode.BAD_NAME));
    }
  }

  @Test
  void shouldTakeNamesByteForByte() throws Exception {
    for (String name : new String[] {"a", "%2e%2e/x", "a b", "...", "é/ü", "\u202egpj.exe"}) {
      assertThat(FileName.parse(name).value()).isEqualTo(name);
    }
  }

  @Test
  void shouldOrderNamesByTheirBytes() {
    // U+FFFD comes before U+10000 in UTF-8, behind it in UTF-16
    assertThat(FileName.compareBytes("\uFFFD", "\uD800\uDC00")).isNegative();
    assertThat(FileName.compareBytes("a.txt", "a/b")).isNegative();
    assertThat(FileName.compareBytes("a", "a.txt")).isNegative();
  }
}
