package io.theseus.module;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Objects that several revisions use at once, by what identifies them: each is opened by the first
 * that takes it, and closed when the last has let go of it.
 */
final class Shared<T> {
  /** Opens what is not open yet. */
  @FunctionalInterface
  interface Source<T> {
    T open() throws IOException, ModuleException;
  }

  /** An object, for as many as have taken it. */
  static final class Held<T> {
    private final String key;
    private final T object;
    private int users;

    private Held(String key, T object) {
      this.key = key;
      this.object = object;
    }

    T object() {
      return object;
    }
  }

  private final Predicate<T> usable;
  private final Consumer<T> closing;
  private final Map<String, Held<T>> all = new HashMap<>();

  /**
   * None yet.
   *
   * @param usable whether one that is open can be taken by others, too; they get a new one
   *     otherwise
   * @param closing closes one
   */
  Shared(Predicate<T> usable, Consumer<T> closing) {
    this.usable = usable;
    this.closing = closing;
  }

  /** The object of this key, opened where it is not; to be released as often as it is taken. */
  synchronized Held<T> take(String key, Source<? extends T> source)
      throws IOException, ModuleException {
    Held<T> held = all.get(key);
    if (held == null || !usable.test(held.object)) {
      held = new Held<>(key, source.open());
      all.put(key, held);
    }
    held.users++;
    return held;
  }

  /** Lets go of what was taken. */
  synchronized void release(Held<T> held) {
    held.users--;
    if (held.users == 0) {
      all.remove(held.key, held); // unless another has its place
      closing.accept(held.object);
    }
  }

  /** How many are open for somebody to take. */
  synchronized int size() {
    return all.size();
  }
}
