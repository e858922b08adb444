package io.theseus.module;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Modules that are compiled, signed, verified and stored, as a node does with them. */
public final class StagedModules {
  private static final Duration LONG = Duration.ofMinutes(5);

  private final ModuleKey key = ModuleKey.make();
  private final ModuleStore store;

  /** None yet, in a directory. */
  public StagedModules(Path directory) throws IOException {
    store = ModuleStore.open(directory);
  }

  ModuleStore store() {
    return store;
  }

  /** Puts a module of one source there; returns a revision with it in place of what it was. */
  public RevisionDescription put(
      RevisionDescription before, String className, String version, String source)
      throws Exception {
    ModuleArchive signed =
        TestModules.compile(className, version, source).sign(key, Optional.empty());
    VerifiedModule module = ModuleKeys.of(key.open()).verify(signed, Instant.EPOCH);
    store.put(module);
    return before.with(module.descriptor(), signed.sha256());
  }

  /** Revisions of them, which are warm at once. */
  public Revisions revisions() {
    return revisions(LONG, LONG);
  }

  Revisions revisions(Duration callDeadline, Duration selfTest) {
    return new Revisions(
        store,
        new Revisions.Limits(1, callDeadline, selfTest, Duration.ZERO),
        System::nanoTime,
        time -> {});
  }

  /** The classes of a revision's channel. */
  public static WeakReference<ClassLoader> classes(Revision revision) throws ModuleException {
    return new WeakReference<>(revision.channel().maker().make().getClass().getClassLoader());
  }

  /** Threads for code of modules that live. */
  public static List<String> threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(each -> each.startsWith("module-"))
        .sorted()
        .toList();
  }
}
