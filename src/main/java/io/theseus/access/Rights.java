package io.theseus.access;

import io.theseus.wire.FileName;
import java.util.ArrayList;
import java.util.List;

/**
 * What a client may do.
 *
 * @param who holds them, for messages; never a token
 * @param prefixes of the names that they are for; none: all names
 */
public record Rights(String who, boolean read, boolean write, List<String> prefixes) {
  /** What a client without a token may do where everything is allowed. */
  public static final Rights ALL = anonymous(true, true);

  /** What a client without a token may do where it may only look. */
  public static final Rights READ = anonymous(true, false);

  /** What a client without a token may do where it may do nothing. */
  public static final Rights NOTHING = anonymous(false, false);

  public Rights {
    prefixes = List.copyOf(prefixes);
  }

  private static Rights anonymous(boolean read, boolean write) {
    return new Rights("", read, write, List.of());
  }

  /** Whether a scope is among them. */
  boolean has(Scope scope) {
    return scope == Scope.READ ? read : write;
  }

  /** Whether they are for this name. */
  boolean cover(String name) {
    return prefixes.isEmpty() || prefixes.stream().anyMatch(name::startsWith);
  }

  /**
   * What a LIST of a prefix may show, as prefixes: none the beginning of another, in byte order, so
   * that their names one after another are in byte order too. Empty: nothing.
   */
  public List<String> within(String prefix) {
    if (cover(prefix)) {
      return List.of(prefix);
    }
    List<String> parts = new ArrayList<>();
    for (String each : prefixes.stream().sorted(FileName::compareBytes).toList()) {
      if (each.startsWith(prefix) && parts.stream().noneMatch(each::startsWith)) {
        parts.add(each);
      }
    }
    return parts;
  }

  @Override
  public String toString() {
    return who.isEmpty() ? "no token" : "the token " + who;
  }
}
