package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.theseus.node.NodeSettings.Log.Format;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LoggingTest {
  private static final String SESSION = "0190f0f0-0000-7000-8000-000000000001";

  @Test
  void shouldWriteOneLineWithNodeAndSession() {
    assertThat(line(Format.TEXT, "put committed", Map.of("session", SESSION), null))
        .matches(
            "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}\\S+ INFO  node7 \\["
                + SESSION
                + "\\] Some: put committed\n");
    assertThat(line(Format.TEXT, "started", Map.of(), null)).endsWith(" node7 [-] Some: started\n");
  }

  @Test
  void shouldKeepALineBreakAndAStackTraceOnTheLine() {
    String text = line(Format.TEXT, "a\nforged line", Map.of(), new IllegalStateException("why"));

    assertThat(text)
        .contains("Some: a | forged line | java.lang.IllegalStateException: why | at ")
        .endsWith("\n");
    assertThat(text.strip().lines()).hasSize(1);
  }

  @Test
  void shouldWriteOneJsonObject() throws Exception {
    String text =
        line(
            Format.JSON,
            "a\nb \"c\"",
            Map.of("session", SESSION),
            new IllegalStateException("why"));
    assertThat(text.strip().lines()).hasSize(1);

    JsonNode json = new ObjectMapper().readTree(text);
    assertThat(json.at("/message").asText() + json.at("/formattedMessage").asText())
        .contains("a\nb \"c\"");
    assertThat(json.at("/level").asText()).isEqualTo("INFO");
    assertThat(json.at("/mdc/session").asText()).isEqualTo(SESSION);
    assertThat(json.at("/context/properties/node").asText()).isEqualTo("node7");
    assertThat(json.at("/throwable/message").asText()).isEqualTo("why");
  }

  private static String line(
      Format format, String message, Map<String, String> mdc, @Nullable Throwable failure) {
    LoggerContext context = new LoggerContext();
    context.putProperty("node", "node7");
    LoggingEvent event =
        new LoggingEvent(
            LoggingTest.class.getName(),
            context.getLogger("io.theseus.some.Some"),
            Level.INFO,
            message,
            failure,
            null);
    event.setMDCPropertyMap(mdc);
    return new String(Logging.encoder(context, format).encode(event), StandardCharsets.UTF_8);
  }
}
