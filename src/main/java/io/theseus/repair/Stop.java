package io.theseus.repair;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/** The end of the upkeep, for its threads that wait: what they wait for may never come then. */
final class Stop {
  private final CompletableFuture<Void> stopped = new CompletableFuture<>();

  /**
   * Waits for something that comes from elsewhere.
   *
   * @throws CompletionException where that failed
   * @throws InterruptedException where the node stops
   */
  <T> T await(CompletionStage<T> coming) throws InterruptedException {
    CompletableFuture<T> awaited = coming.toCompletableFuture();
    CompletableFuture.anyOf(awaited, stopped).join();
    if (!awaited.isDone()) {
      throw new InterruptedException("the node stops");
    }
    return awaited.join();
  }

  boolean isStopped() {
    return stopped.isDone();
  }

  /** The node stops. */
  void stop() {
    stopped.complete(null);
  }
}
