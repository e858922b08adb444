package io.theseus.upgrade;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Behavior;
import akka.actor.typed.SupervisorStrategy;
import akka.actor.typed.javadsl.AskPattern;
import akka.actor.typed.javadsl.Behaviors;
import akka.stream.SourceRef;
import akka.util.ByteString;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Gives jars and descriptions to other nodes, and gets them from there, by their hash. */
public final class ModuleExchange {
  /** The name of the actor below the guardian. */
  public static final String NAME = "modules";

  private static final Logger log = LoggerFactory.getLogger(ModuleExchange.class);
  private static final Duration ANSWER = Duration.ofSeconds(5);

  /** What the exchange can be told. */
  public sealed interface Command permits Remote.Want {}

  private ModuleExchange() {}

  /** The giving side. */
  public static Behavior<Command> create(NodeRevisions revisions) {
    return Behaviors.supervise(
            Behaviors.<Command>setup(
                context ->
                    Behaviors.receiveMessage(
                        command -> {
                          if (command instanceof Remote.Want want) {
                            want.replyTo()
                                .tell(offer(want.sha256(), revisions, context.getSystem()));
                          }
                          return Behaviors.same();
                        })))
        .onFailure(SupervisorStrategy.restart());
  }

  private static Remote.Offer offer(String sha256, NodeRevisions revisions, ActorSystem<?> system) {
    try {
      Optional<byte[]> bytes = revisions.bytes(sha256);
      return new Remote.Offer(bytes.map(each -> Streamed.offer(each, system)).orElse(null));
    } catch (IOException | IllegalArgumentException e) {
      log.warn("a module can't be given: {}", e.getMessage());
      return new Remote.Offer(null);
    }
  }

  /** The getting side, in one life of an actor system: asks one node after the other. */
  static ModuleSource from(ActorSystem<?> system, Peers peers, int mostBytes) {
    return sha256 -> {
      for (ActorRef<Command> peer : peers.<Command>others(NAME)) {
        Remote.Offer offer =
            await(
                AskPattern.<Command, Remote.Offer>ask(
                    peer, replyTo -> new Remote.Want(sha256, replyTo), ANSWER, system.scheduler()));
        SourceRef<ByteString> content = offer == null ? null : offer.content();
        if (content != null) {
          byte[] bytes = await(Streamed.read(content, mostBytes, system));
          if (bytes != null) {
            return Optional.of(bytes);
          }
        }
      }
      return Optional.empty();
    };
  }

  /** Null where it did not come. */
  private static <T> @Nullable T await(CompletionStage<T> stage) throws InterruptedException {
    try {
      // the stage's own timeouts end with the actor system that keeps its time
      return stage
          .toCompletableFuture()
          .get(2 * Streamed.PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      log.info("a node does not give a module: {}", String.valueOf(e.getMessage()));
      return null;
    }
  }
}
