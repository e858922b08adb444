package io.theseus.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NodeAddressTest {
  @ParameterizedTest
  @CsvSource({
    "host:1, host, 1, host:1",
    "host, host, 7411, host:7411",
    "127.0.0.1:65535, 127.0.0.1, 65535, 127.0.0.1:65535",
    "[::1]:80, ::1, 80, [::1]:80",
    "[::1], ::1, 7411, [::1]:7411"
  })
  void shouldReadAddressesAsTheyAreWritten(String text, String host, int port, String said) {
    NodeAddress address = NodeAddress.parse(text);
    assertThat(address.host()).isEqualTo(host);
    assertThat(address.port()).isEqualTo(port);
    assertThat(address).hasToString(said);
    assertThat(NodeAddress.parse(said)).isEqualTo(address);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", ":1", "host:", "host:0", "host:65536", "host:x", "::1", "[::1", "a b"})
  void shouldRefuseWhatIsNoAddress(String text) {
    assertThatThrownBy(() -> NodeAddress.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "address: \"" + text + "\" (expected: host:port, IPv6 in brackets, port 1 to 65535)");
  }

  @Test
  void shouldReadLists() {
    assertThat(NodeAddress.parseList("a:1, b:2,,[::1]:3"))
        .isEqualTo(
            List.of(new NodeAddress("a", 1), new NodeAddress("b", 2), new NodeAddress("::1", 3)));
    assertThat(NodeAddress.parseList("")).isEmpty();
  }
}
