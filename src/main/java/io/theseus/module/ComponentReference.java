package io.theseus.module;

import io.theseus.wire.Texts;
import java.util.regex.Pattern;

/**
 * A component of one version of a module, and the bytes that it comes from.
 *
 * @param sha256 of the module's jar, 64 hex digits
 */
public record ComponentReference(
    String module, ModuleVersion version, String component, String sha256) {
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

  public ComponentReference {
    Component.requireName("module", module);
    Component.requireName("component", component);
    if (!SHA256.matcher(sha256).matches()) {
      throw new IllegalArgumentException(
          "sha256: " + Texts.quote(sha256) + " (expected: 64 hex digits)");
    }
  }

  /** Whether it is the same component of the same module, of any version. */
  boolean isVersionOf(ComponentReference other) {
    return module.equals(other.module) && component.equals(other.component);
  }

  /** {@code module@version}, and {@code #component} where that is named otherwise. */
  @Override
  public String toString() {
    return module + "@" + version + (component.equals(module) ? "" : "#" + component);
  }
}
