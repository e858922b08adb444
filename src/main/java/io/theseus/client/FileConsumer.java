package io.theseus.client;

import java.nio.file.Path;

final class FileConsumer extends Consumer {
  final Path target;

  FileConsumer(Path target) {
    this.target = target;
  }
}
