package io.theseus.upgrade;

import io.theseus.wire.Texts;
import java.util.regex.Pattern;

/**
 * What a revision is known by in the whole cluster.
 *
 * @param hash SHA-256 of the revision's description, in lower-case hex
 * @param name for people; part of the description, so the hash covers it
 */
public record RevisionId(String hash, String name) {
  private static final Pattern HASH = Pattern.compile("[0-9a-f]{64}");
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9@._+-]{0,99}");

  /** Checked. */
  public RevisionId {
    if (!HASH.matcher(hash).matches()) {
      throw new IllegalArgumentException(
          "revision hash: " + Texts.quote(hash) + " (expected: 64 of 0-9 a-f)");
    }
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "revision name: "
              + Texts.quote(name)
              + " (expected: 1 to 100 of A-Z a-z 0-9 @ . _ + - beginning with a letter or digit)");
    }
  }

  /** The name and enough of the hash to tell it from others. */
  @Override
  public String toString() {
    return name + " (" + hash.substring(0, 12) + ")";
  }
}
