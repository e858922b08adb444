package io.theseus.module;

import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The one object of a policy that a node has, on a thread of its own. All revisions with the same
 * code of it share it, so it keeps what it counted while other components are replaced.
 */
final class NodePolicy<T> implements AutoCloseable {
  private final Revision.Component<T> component;
  private final ModuleThreads threads;
  private final ModuleThreads.Line line;

  /** Made on the line's thread, at the first question. */
  private volatile @Nullable T object;

  /**
   * A policy that was not asked yet.
   *
   * @param deadline the longest that one call may take
   */
  NodePolicy(Revision.Component<T> component, Duration deadline) {
    this.component = component;
    this.threads = new ModuleThreads(component.name(), 1, deadline);
    this.line = threads.line();
  }

  Revision.Component<T> component() {
    return component;
  }

  ModuleThreads threads() {
    return threads;
  }

  /** Asks it; fails with a {@link CodeException}. */
  <R> CompletionStage<R> ask(String what, Function<T, @Nullable R> asking) {
    return line.call(
        component.name(),
        what,
        () -> {
          T known = object;
          T asked = known == null ? component.make(line) : known;
          object = asked;
          return line.ask(component.name(), what, () -> asking.apply(asked));
        });
  }

  /** Ends its thread and lets go of the object; nobody asks any more. */
  @Override
  public void close() {
    threads.close();
    object = null;
  }
}
