package io.theseus.client;

import java.nio.file.Path;

final class FileProducer extends Producer {
  final Path source;

  FileProducer(Path source) {
    this.source = source;
  }
}
