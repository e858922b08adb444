package io.theseus.wire;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Tag;

/**
 * Any text in an INFO. The inputs are INFO texts.
 *
 * <p>Fields are those that a slow parser finds; a message that was understood is understood again
 * from what it is written as; an unknown field changes nothing; refusals are typed, fit an ERROR
 * and have no control character of the client's in them.
 */
class ClientMessageFuzzTest {
  @Tag("fuzz-info")
  @FuzzTest(maxDuration = "45m")
  void shouldUnderstandOrRefuseAnyText(byte[] bytes) throws ProtocolException {
    Optional<String> text = utf8(bytes);
    if (text.isEmpty()) {
      return; // the decoder has refused it
    }
    String outcome = outcome(text.get());
    compareWithReference(text.get());
    int lineFeed = text.get().indexOf('\n');
    if (lineFeed >= 0 && !text.get().contains("X-Unknown")) {
      String more =
          text.get().substring(0, lineFeed)
              + "\nX-Unknown: 1\n"
              + text.get().substring(lineFeed + 1);
      assertThat(outcome(more)).as("with an unknown field").isEqualTo(outcome);
    }
  }

  private static String outcome(String text) throws ProtocolException {
    ClientMessage message;
    try {
      message = ClientMessage.parse(text);
    } catch (ProtocolException e) {
      assertThat(ErrorCode.ofText(e.errorText())).isPresent();
      assertThat(e.errorText()).contains(" (expected: ").doesNotContainPattern("[\\p{Cntrl}]");
      assertThat(e.errorText().length()).isLessThan(Packets.MAX_TEXT / 4);
      return e.errorText();
    }
    assertThat(ClientMessage.parse(written(message))).isEqualTo(message);
    return message.toString();
  }

  private static String written(ClientMessage message) {
    if (message instanceof ClientMessage.Get get) {
      return Info.of("GET " + get.name())
          .field("Offset", get.offset())
          .field("Window", get.window())
          .field("Max-Data", get.maxData())
          .field("Consumer", get.streamConsumer() ? "stream" : "rewindable")
          .field("Session", get.session())
          .field("Identity", get.identity())
          .field("Migrate-Port", get.migratePort())
          .field("Token", get.token())
          .field("Version", ClientMessage.VERSION)
          .text();
    }
    if (message instanceof ClientMessage.Put put) {
      return Info.of("PUT " + put.name())
          .field("Size", put.size())
          .field("Producer", put.streamProducer() ? "stream" : "rewindable")
          .field("Session", put.session())
          .field("Offset", put.offset())
          .field("SHA-256", put.sha256())
          .field("If-Identity", put.ifIdentity())
          .field("Modified", put.modified())
          .field("Migrate-Port", put.migratePort())
          .field("Token", put.token())
          .text();
    }
    if (message instanceof ClientMessage.Stat stat) {
      return Info.of("STAT " + stat.name()).field("Token", stat.token()).text();
    }
    if (message instanceof ClientMessage.List list) {
      return Info.of("LIST " + list.prefix())
          .field("After", list.after())
          .field("Token", list.token())
          .text();
    }
    if (message instanceof ClientMessage.Delete delete) {
      return Info.of("DELETE " + delete.name())
          .field("If-Identity", delete.ifIdentity())
          .field("Token", delete.token())
          .text();
    }
    if (message instanceof ClientMessage.End end) {
      return Info.of("END").field("Size", end.size()).field("SHA-256", end.sha256()).text();
    }
    return Info.of("ALIVE").text();
  }

  private static void compareWithReference(String text) {
    String[] lines = text.split("\n", -1);
    List<String> head = new ArrayList<>();
    int body = lines.length;
    for (int i = 1; i < lines.length; i++) {
      if (lines[i].isEmpty()) {
        body = i + 1;
        break;
      }
      head.add(lines[i]);
    }
    Info info;
    try {
      info = Info.parse(text);
    } catch (ProtocolException e) {
      assertThat(e.errorText()).startsWith("bad-field: line ");
      assertThat(head).anyMatch(line -> line.indexOf(':') < 0);
      return;
    }
    assertThat(head).allMatch(line -> line.indexOf(':') >= 0);
    assertThat(info.body())
        .isEqualTo(
            String.join(
                "\n", Arrays.asList(lines).subList(Math.min(body, lines.length), lines.length)));
    Set<String> seen = new HashSet<>();
    Set<String> twice = new HashSet<>();
    for (String line : head) {
      String name = name(line);
      if (!seen.add(name)) {
        twice.add(name);
      }
    }
    for (String line : head) {
      Optional<String> value;
      try {
        value = info.text(name(line));
      } catch (ProtocolException e) {
        assertThat(twice).contains(name(line));
        continue;
      }
      assertThat(twice).doesNotContain(name(line));
      assertThat(value)
          .contains(line.substring(line.indexOf(':') + 1).replaceAll("\\A +| +\\z", ""));
    }
  }

  private static String name(String line) {
    return line.substring(0, line.indexOf(':'))
        .replaceAll("\\A +| +\\z", "")
        .toLowerCase(Locale.ROOT);
  }

  static Optional<String> utf8(byte[] bytes) {
    try {
      return Optional.of(
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
    } catch (CharacterCodingException e) {
      return Optional.empty();
    }
  }
}
