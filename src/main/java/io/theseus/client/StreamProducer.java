package io.theseus.client;

import java.io.InputStream;

final class StreamProducer extends Producer {
  final InputStream in;
  final boolean closing;

  StreamProducer(InputStream in, boolean closing) {
    this.in = in;
    this.closing = closing;
  }
}
