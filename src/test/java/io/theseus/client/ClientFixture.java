package io.theseus.client;

import io.theseus.wire.FileName;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;

/** What tests of the client share: quick settings, content, a listener that remembers. */
final class ClientFixture {
  static final FileName NAME = new FileName("dir/some file");

  private ClientFixture() {}

  /** Patient in attempts, quick in time. */
  static ClientSettings.Builder quick(ScriptedServer... servers) {
    List<NodeAddress> addresses = new ArrayList<>();
    for (ScriptedServer server : servers) {
      addresses.add(server.address());
    }
    return ClientSettings.builder(addresses)
        .backoff(Duration.ofMillis(1), Duration.ofMillis(4))
        .acknowledgeAfter(Duration.ofMillis(5))
        .errorLinger(Duration.ofMillis(500))
        .firstConnectLimit(Duration.ofMillis(200))
        .reconnectLimit(Duration.ofSeconds(10));
  }

  static byte[] content(int length, long seed) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  /** Remembers events as lines, progress left out. */
  static final class Events implements TransferListener {
    final List<String> lines = Collections.synchronizedList(new ArrayList<>());
    volatile long transferred;
    volatile long acknowledged;
    volatile OptionalLong size = OptionalLong.empty();

    @Override
    public void ready(SessionInfo session) {
      lines.add("ready " + session.offset());
    }

    @Override
    public void progress(long newTransferred, long newAcknowledged, OptionalLong newSize) {
      transferred = newTransferred;
      acknowledged = newAcknowledged;
      size = newSize;
    }

    @Override
    public void held(String reason) {
      lines.add("held " + reason);
    }

    @Override
    public void resumed(String module) {
      lines.add("resumed " + module);
    }

    @Override
    public void notice(String text) {
      lines.add("notice " + text);
    }

    @Override
    public void reconnecting(String reason, int attempt, Duration delay) {
      lines.add("reconnecting " + reason);
    }

    @Override
    public void restarted(String reason) {
      lines.add("restarted " + reason);
    }

    @Override
    public void streaming(String reason) {
      lines.add("streaming " + reason);
    }
  }
}
