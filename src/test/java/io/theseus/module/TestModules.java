package io.theseus.module;

import java.util.Map;

/** Modules for tests. */
final class TestModules {
  /** A channel in the packages of nobody. */
  static final String SOURCE =
      """
      package example;

      import io.theseus.channel.DataChannel;
      import io.theseus.channel.Progress;
      import io.theseus.channel.Range;

      public final class Burst implements DataChannel {
        @Override
        public Range next(Progress progress) {
          return new Range(progress.position(), (int) Math.min(1024, progress.end() - progress.position()));
        }
      }
      """;

  static final String DESCRIPTOR =
      """
      {"name": "burst", "version": "1.2", "spi": 1,
       "components": [{"kind": "channel", "class": "example.Burst"}]}
      """;

  private TestModules() {}

  /** The sizes of a valid module, whose class is none, to be made wrong. */
  static Zips zip() {
    return new Zips()
        .add(ModuleDescriptor.ENTRY, DESCRIPTOR)
        .add("example/Burst.class", new byte[] {1, 2, 3});
  }

  static ModuleArchive burst(String version) throws Exception {
    return compile("Burst", version, SOURCE);
  }

  static ModuleArchive compile(String className, String version, String source) throws Exception {
    return SourceCompiler.ofThisJava()
        .compile(className + ".java", source, new ModuleVersion(version))
        .module();
  }

  /** A module with more in it than classes. */
  static ModuleArchive with(ModuleArchive module, String name, byte[] content) throws Exception {
    Map<String, byte[]> files = new java.util.TreeMap<>();
    for (String each : module.names()) {
      byte[] bytes = module.content(each);
      if (!each.startsWith("META-INF/") && bytes != null) {
        files.put(each, bytes);
      }
    }
    files.put(name, content);
    return ModuleArchive.build(module.descriptor(), files);
  }
}
