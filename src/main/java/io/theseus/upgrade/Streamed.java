package io.theseus.upgrade;

import akka.actor.typed.ActorSystem;
import akka.stream.SourceRef;
import akka.stream.javadsl.Source;
import akka.stream.javadsl.StreamRefs;
import akka.util.ByteString;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * Bytes that are too many for one message between nodes: sent in pieces, as the other takes them.
 */
public final class Streamed {
  private static final int PIECE = 64 << 10;

  /** The longest that a whole may take. */
  static final Duration PATIENCE = Duration.ofSeconds(30);

  private Streamed() {}

  /** Offers bytes, to be sent to another node in a message, and read once. */
  public static SourceRef<ByteString> offer(byte[] bytes, ActorSystem<?> system) {
    List<ByteString> pieces = new ArrayList<>();
    for (int from = 0; from < bytes.length; from += PIECE) {
      pieces.add(ByteString.fromArray(bytes, from, Math.min(PIECE, bytes.length - from)));
    }
    return Source.from(pieces).runWith(StreamRefs.sourceRef(), system);
  }

  /** Reads what another node offers; fails where there are more than {@code most}. */
  public static CompletionStage<byte[]> read(
      SourceRef<ByteString> offered, long most, ActorSystem<?> system) {
    return offered
        .getSource()
        .completionTimeout(PATIENCE)
        .limitWeighted(most, piece -> (long) piece.size())
        .runFold(ByteString.emptyByteString(), ByteString::concat, system)
        .thenApply(ByteString::toArray);
  }
}
