package io.theseus.module;

import java.nio.file.Path;
import java.util.Optional;

/** Modules as an operator of a lab makes them: of one source, signed by the lab key. */
public final class LabModules {
  private LabModules() {}

  /** The jar. */
  public static byte[] signed(String className, String version, String source, Path labKey)
      throws Exception {
    return TestModules.compile(className, version, source)
        .sign(ModuleKey.read(labKey), Optional.empty())
        .bytes();
  }
}
