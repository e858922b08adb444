package io.theseus.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Reads the examples of {@code docs/protocol.md}: they are what the codec does, both ways. */
class ProtocolPageTest {
  private static final Path PAGE = Path.of("docs", "protocol.md");

  /** A line of an example: who says it, what it is in words, and its bytes. */
  private record Example(char who, String words, String hex) {
    byte[] bytes() {
      return HexFormat.of().parseHex(hex);
    }
  }

  @Test
  void shouldDecodeEveryExampleToItsWords() throws Exception {
    List<Example> examples = examples();
    assertThat(examples).hasSizeGreaterThan(20);
    for (Example example : examples) {
      assertThat(describe(example.bytes())).isEqualTo(example.words());
    }
  }

  @Test
  void shouldDecodeEveryExampleOneByteAtATime() throws Exception {
    for (Example example : examples()) {
      PacketDecoder decoder = new PacketDecoder(1 << 20);
      StringBuilder seen = new StringBuilder();
      for (byte b : example.bytes()) {
        ByteBuffer one = ByteBuffer.wrap(new byte[] {b});
        PacketDecoder.Event event;
        while ((event = decoder.next(one)) != PacketDecoder.Event.NEED_INPUT) {
          seen.append(event).append(' ');
        }
      }
      assertThat(decoder.midPacket()).as(example.words()).isFalse();
      assertThat(seen.toString()).as(example.words()).startsWith(type(example.words()));
    }
  }

  @Test
  void shouldEncodeEveryExampleFromItsWords() throws Exception {
    for (Example example : examples()) {
      assertThat(encode(example.words())).as(example.words()).isEqualTo(example.bytes());
    }
  }

  @Test
  void shouldReadEveryClientExampleAsAMessage() throws Exception {
    int commands = 0;
    for (Example example : examples()) {
      if (example.who() == 'C' && example.words().startsWith("INFO ")) {
        String text = unquote(example.words().substring("INFO ".length()));
        if (!text.contains("../")) {
          ClientMessage.parse(text);
          commands++;
        }
      }
    }
    assertThat(commands).isGreaterThan(3);
  }

  private static List<Example> examples() throws Exception {
    List<Example> examples = new ArrayList<>();
    boolean inside = false;
    String head = "";
    StringBuilder hex = new StringBuilder();
    for (String line : Files.readAllLines(PAGE)) {
      boolean fence = line.startsWith("```");
      if (inside && (fence || line.startsWith("# "))) {
        if (!head.isEmpty()) {
          examples.add(
              new Example(head.charAt(2), head.substring(4), hex.toString().replace(" ", "")));
        }
        head = fence ? "" : line;
        hex.setLength(0);
      } else if (inside) {
        hex.append(line);
      }
      if (fence) {
        inside = line.equals("```hex");
      }
    }
    return examples;
  }

  private static String describe(byte[] bytes) throws Exception {
    PacketDecoder decoder = new PacketDecoder(1 << 20);
    ByteBuffer in = ByteBuffer.wrap(bytes);
    PacketDecoder.Event event = decoder.next(in);
    String words =
        switch (event) {
          case INFO -> "INFO " + quote(decoder.text());
          case ERROR -> "ERROR " + quote(decoder.text());
          case OFFSET -> "OFFSET " + decoder.offset();
          case DATA -> {
            long offset = decoder.offset();
            assertThat(decoder.next(in)).isEqualTo(PacketDecoder.Event.PAYLOAD);
            assertThat(decoder.lastPiece()).isTrue();
            String data =
                new String(
                    bytes,
                    decoder.payloadPosition(),
                    decoder.payloadLength(),
                    StandardCharsets.UTF_8);
            yield "DATA " + offset + " " + quote(data);
          }
          default -> "nothing whole";
        };
    assertThat(in.hasRemaining()).as("bytes behind the packet").isFalse();
    return words;
  }

  private static byte[] encode(String words) {
    String rest = words.substring(type(words).length() + 1);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    switch (type(words)) {
      case "INFO" -> out.writeBytes(Packets.info(unquote(rest)).array());
      case "ERROR" -> out.writeBytes(Packets.error(unquote(rest)).array());
      case "OFFSET" -> {
        ByteBuffer packet = ByteBuffer.allocate(Packets.OFFSET_LENGTH);
        Packets.putOffset(packet, Long.parseLong(rest));
        out.writeBytes(packet.array());
      }
      default -> {
        int space = rest.indexOf(' ');
        byte[] data = unquote(rest.substring(space + 1)).getBytes(StandardCharsets.UTF_8);
        ByteBuffer header = ByteBuffer.allocate(Packets.DATA_HEADER);
        Packets.putDataHeader(header, data.length, Long.parseLong(rest.substring(0, space)));
        out.writeBytes(header.array());
        out.writeBytes(data);
      }
    }
    return out.toByteArray();
  }

  private static String type(String words) {
    return words.substring(0, words.indexOf(' '));
  }

  private static String quote(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\n", "\\n").replace("\"", "\\\"") + '"';
  }

  private static String unquote(String quoted) {
    return quoted
        .substring(1, quoted.length() - 1)
        .replace("\\n", "\n")
        .replace("\\\"", "\"")
        .replace("\\\\", "\\");
  }
}
