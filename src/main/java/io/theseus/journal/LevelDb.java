package io.theseus.journal;

import io.theseus.journal.JournalSettings.Engine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.fusesource.leveldbjni.JniDBFactory;
import org.iq80.leveldb.CompressionType;
import org.iq80.leveldb.DB;
import org.iq80.leveldb.DBFactory;
import org.iq80.leveldb.Options;
import org.iq80.leveldb.impl.Iq80DBFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which LevelDB it is: the native one, or the Java port where no native library loads. */
final class LevelDb {
  private static final Logger log = LoggerFactory.getLogger(LevelDb.class);

  private LevelDb() {}

  /** An open database and the engine that it is open in. */
  record Opened(DB db, Engine engine) {}

  static Opened open(JournalSettings settings) throws IOException {
    Engine engine = choose(settings);
    DBFactory factory = engine == Engine.NATIVE ? JniDBFactory.factory : Iq80DBFactory.factory;
    Options options =
        new Options()
            .createIfMissing(true)
            .paranoidChecks(true)
            .verifyChecksums(true)
            // records are small, and the Java port would need a library for it
            .compressionType(CompressionType.NONE)
            .writeBufferSize(settings.writeBufferBytes());
    return new Opened(factory.open(settings.directory().toFile(), options), engine);
  }

  private static Engine choose(JournalSettings settings) {
    Path directory = settings.directory();
    if (settings.engine() == Engine.JAVA) {
      return Engine.JAVA;
    }
    Optional<String> failure = NativeLibrary.load(directory);
    if (failure.isEmpty()) {
      return Engine.NATIVE;
    }
    if (settings.engine() == Engine.NATIVE) {
      throw new JournalException(
          "theseus.journal.engine: native (expected: auto or java, as the library doesn't load: "
              + failure.get()
              + ")");
    }
    log.warn(
        "journal {}: LevelDB in Java, the native one doesn't load: {}", directory, failure.get());
    return Engine.JAVA;
  }
}
