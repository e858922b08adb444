package io.theseus.client;

import io.theseus.client.TransferException.Kind;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.Info;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.FileSystemException;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What a GET and a PUT have in common: a session, remarks of the server, and a COMPLETE. */
abstract class FileTransfer extends Exchange {
  final Cancellation cancellation;
  final Route route;

  private @Nullable Info complete;

  FileTransfer(
      ClientSettings settings, Cancellation cancellation, Route route, TransferListener listener) {
    super(settings, listener);
    this.cancellation = cancellation;
    this.route = route;
  }

  abstract UUID sessionId();

  /** What is done with the user's file or stream, as in {@code writing to FILE}. */
  abstract String deed();

  @Override
  final Optional<UUID> session() {
    return Optional.of(sessionId());
  }

  /** COMPLETE; there once it is {@link #done}. */
  final Info complete() {
    if (complete == null) {
      throw new IllegalStateException("not complete");
    }
    return complete;
  }

  final void completed(Info info) {
    complete = info;
  }

  final void modifying(Info info) throws ProtocolException {
    OptionalLong offset = info.number("Offset");
    listener.held(
        "code is being changed"
            + (offset.isPresent() ? ", held at offset " + offset.getAsLong() : ""));
  }

  final void resumed(Info info) throws ProtocolException {
    listener.resumed(Texts.escape(info.text("Module").orElse("")));
  }

  /** What failed at this end. */
  final TransferException failed(IOException e) {
    return failed(deed(), e);
  }

  /** The same, after the server was told that it is no use to go on. */
  final TransferException gaveUp(IOException e, String told) {
    if (!(e instanceof ClosedByInterruptException)) {
      connection().giveUp(ErrorCode.INTERNAL.label() + ": " + told);
    }
    return failed(e);
  }

  static TransferException failed(String deed, IOException e) {
    if (e instanceof ClosedByInterruptException) {
      return new TransferException(Kind.CANCELLED, "interrupted", e);
    }
    String message = String.valueOf(e.getMessage());
    // file system exceptions name the file and, in their class, what was wrong
    String said =
        e instanceof FileSystemException
            ? e.getClass().getSimpleName().replace("Exception", "") + ": " + message
            : message;
    return new TransferException(Kind.LOCAL_IO, deed + " failed: " + said, e);
  }
}
