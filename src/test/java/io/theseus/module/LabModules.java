package io.theseus.module;

import java.nio.file.Path;
import java.util.Optional;

/** Modules as an operator of a lab makes them: of one source, signed by the lab key. */
public final class LabModules {
  private LabModules() {}

  /** A jar that nobody signed. */
  public static byte[] unsigned(String className, String version, String source) throws Exception {
    return TestModules.compile(className, version, source).bytes();
  }

  /** A jar that has a class twice, for whoever looks at the other one. */
  public static byte[] withAClassTwice() {
    return TestModules.zip().add("example/Burst.class", new byte[] {4, 5, 6}).bytes();
  }

  /** The jar. */
  public static byte[] signed(String className, String version, String source, Path labKey)
      throws Exception {
    return TestModules.compile(className, version, source)
        .sign(ModuleKey.read(labKey), Optional.empty())
        .bytes();
  }
}
