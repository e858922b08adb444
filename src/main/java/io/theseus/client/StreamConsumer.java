package io.theseus.client;

import java.io.OutputStream;

final class StreamConsumer extends Consumer {
  final OutputStream out;
  final boolean closing;

  StreamConsumer(OutputStream out, boolean closing) {
    this.out = out;
    this.closing = closing;
  }
}
