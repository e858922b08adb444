package io.theseus.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ClientSettingsTest {
  private static final NodeAddress NODE = new NodeAddress("h", 1);

  @Test
  void shouldHaveTheDefaultsThatAreDocumented() {
    ClientSettings settings = ClientSettings.builder(NODE).build();
    assertThat(settings.servers()).containsExactly(NODE);
    assertThat(settings.windowBytes()).isEqualTo(32 << 20);
    assertThat(settings.maxDataBytes()).isZero();
    assertThat(settings.acknowledgeBytes()).isEqualTo(8 << 20);
    assertThat(settings.acknowledgeAfter()).isEqualTo(Duration.ofMillis(50));
    assertThat(settings.connectTimeout()).isEqualTo(Duration.ofSeconds(5));
    assertThat(settings.firstConnectLimit()).isEqualTo(Duration.ofSeconds(3));
    assertThat(settings.reconnectLimit()).isEqualTo(Duration.ofMinutes(2));
    assertThat(settings.reconnectAttempts()).isEqualTo(Integer.MAX_VALUE);
    assertThat(settings.refusalAttempts()).isEqualTo(3);
    assertThat(settings.backoffFirst()).isEqualTo(Duration.ofMillis(100));
    assertThat(settings.backoffMost()).isEqualTo(Duration.ofSeconds(3));
    assertThat(settings.silenceLimit()).isEqualTo(Duration.ofSeconds(20));
    assertThat(settings.idle()).isEqualTo(Duration.ofSeconds(60));
    assertThat(settings.errorLinger()).isEqualTo(Duration.ofSeconds(2));
    assertThat(settings.token()).isEmpty();
    assertThat(settings.trace()).isEmpty();
    assertThat(settings.sessionIds().get()).isNotEqualTo(settings.sessionIds().get());
  }

  @Test
  void shouldKeepEverythingWhenChangedThroughABuilder() {
    ClientSettings settings =
        ClientSettings.builder(NODE)
            .windowBytes(1)
            .maxDataBytes(2)
            .acknowledgeBytes(3)
            .acknowledgeAfter(Duration.ofMillis(4))
            .connectTimeout(Duration.ofMillis(5))
            .firstConnectLimit(Duration.ofMillis(6))
            .reconnectLimit(Duration.ofMillis(7))
            .reconnectAttempts(8)
            .refusalAttempts(9)
            .backoff(Duration.ofMillis(10), Duration.ofMillis(11))
            .silenceLimit(Duration.ofMillis(12))
            .idle(Duration.ofMillis(13))
            .errorLinger(Duration.ofMillis(14))
            .token("t")
            .trace(line -> {})
            .build();
    assertThat(settings.toBuilder().build()).usingRecursiveComparison().isEqualTo(settings);
  }

  @Test
  void shouldNameAValueThatIsNotAllowed() {
    ClientSettings.Builder builder = ClientSettings.builder(NODE);
    assertThatThrownBy(() -> builder.windowBytes(-1)).hasMessage("window: -1 (expected: >= 0)");
    assertThatThrownBy(() -> builder.refusalAttempts(0))
        .hasMessage("refusal attempts: 0 (expected: >= 1)");
    assertThatThrownBy(() -> builder.backoff(Duration.ofMillis(2), Duration.ofMillis(1)))
        .hasMessage("longest backoff: PT0.001S (expected: >= PT0.002S)");
    assertThatThrownBy(() -> builder.acknowledgeAfter(Duration.ofSeconds(2)))
        .hasMessage("acknowledge after: PT2S (expected: at most 1 s)");
    assertThatThrownBy(() -> builder.token("a\nOffset: 3"))
        .hasMessage("token: (expected: no control character)");
    assertThatThrownBy(() -> ClientSettings.builder(List.of()).build())
        .hasMessage("servers: none (expected: at least one host:port)");
  }
}
