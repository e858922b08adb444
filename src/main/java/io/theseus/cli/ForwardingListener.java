package io.theseus.cli;

import io.theseus.client.NodeAddress;
import io.theseus.client.SessionInfo;
import io.theseus.client.TransferListener;
import java.time.Duration;
import java.util.OptionalLong;

/** Passes everything on to another listener; what extends it adds something. */
abstract class ForwardingListener implements TransferListener {
  private final TransferListener listener;

  ForwardingListener(TransferListener listener) {
    this.listener = listener;
  }

  @Override
  public void connected(NodeAddress node) {
    listener.connected(node);
  }

  @Override
  public void ready(SessionInfo session) {
    listener.ready(session);
  }

  @Override
  public void progress(long transferred, long acknowledged, OptionalLong size) {
    listener.progress(transferred, acknowledged, size);
  }

  @Override
  public void held(String reason) {
    listener.held(reason);
  }

  @Override
  public void resumed(String module) {
    listener.resumed(module);
  }

  @Override
  public void notice(String text) {
    listener.notice(text);
  }

  @Override
  public void reconnecting(String reason, int attempt, Duration delay) {
    listener.reconnecting(reason, attempt, delay);
  }

  @Override
  public void restarted(String reason) {
    listener.restarted(reason);
  }

  @Override
  public void streaming(String reason) {
    listener.streaming(reason);
  }
}
