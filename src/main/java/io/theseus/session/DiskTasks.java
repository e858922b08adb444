package io.theseus.session;

import akka.actor.typed.javadsl.ActorContext;
import io.theseus.session.SessionActor.Command;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.ProtocolException;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a session does on disk threads; what comes of it comes back as a message. */
final class DiskTasks {
  private static final Logger LOG = LoggerFactory.getLogger(DiskTasks.class);

  private final ActorContext<Command> context;
  private final Transfer transfer;
  private final Executor disk;
  private boolean awaited;

  DiskTasks(ActorContext<Command> context, Transfer transfer, Executor disk) {
    this.context = context;
    this.transfer = transfer;
    this.disk = disk;
  }

  /** Closes something. */
  interface Closing {
    void close() throws Exception;
  }

  /**
   * Opens something. What was opened belongs to the transfer, not to the message that tells of it:
   * an actor that dies in between leaves it to the next one.
   */
  void open(Callable<Command> task) {
    open(run(task));
  }

  /** The same where more than the disk is waited for. */
  void open(CompletionStage<Command> opening) {
    CompletionStage<Command> said = opening.exceptionally(DiskTasks::openFailed);
    transfer.opening = said;
    await(said);
  }

  /** Does something on a disk thread. */
  <T> CompletionStage<T> run(Callable<T> task) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return task.call();
          } catch (Exception e) {
            throw new CompletionException(e);
          }
        },
        disk);
  }

  /** Waits for what is being opened already. */
  void await(CompletionStage<Command> opening) {
    awaited = true;
    context.pipeToSelf(
        opening, (opened, failure) -> failure == null ? opened : openFailed(failure));
  }

  /** Waits for the store to have done something; its failure comes back as such. */
  <T> void await(CompletionStage<T> stage, Function<T, Command> done) {
    awaited = true;
    context.pipeToSelf(
        stage,
        (value, failure) -> {
          if (failure == null) {
            return done.apply(value);
          }
          ProtocolException refusal = refusalOf(failure);
          return new SessionActor.Failed(refusal.code(), refusal.reason());
        });
  }

  /** Whether anything was ever waited for. */
  boolean wasAwaited() {
    return awaited;
  }

  /** Closes something of which nobody hears again. */
  void close(Closing closing) {
    disk.execute(
        () -> {
          try {
            closing.close();
          } catch (Exception e) {
            LOG.warn("session {}: close failed: {}", transfer.id, e.toString());
          }
        });
  }

  private static Command openFailed(Throwable failure) {
    ProtocolException refusal = refusalOf(failure);
    return new SessionActor.OpenFailed(refusal.code(), refusal.reason());
  }

  /** The refusal that a stage failed with, or what stands for another failure. */
  static ProtocolException refusalOf(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    if (cause instanceof ProtocolException refusal) {
      return refusal;
    }
    LOG.warn("unexpected failure", cause);
    return new ProtocolException(ErrorCode.INTERNAL, String.valueOf(cause));
  }
}
