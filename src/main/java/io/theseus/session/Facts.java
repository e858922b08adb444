package io.theseus.session;

import io.theseus.channel.Direction;
import io.theseus.wire.ClientMessage;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What a session is from its begin to its end; persisted with its first mark.
 *
 * @param size bytes, where known at the begin
 * @param identity GET: of the file that was begun
 * @param stream whether the client's end, producer or consumer, is a stream
 * @param sha256 PUT: expected, where the client said it
 * @param ifIdentity PUT: precondition
 * @param modified PUT: modification time to keep
 * @param target where the data is instead of under the name; empty where it was not redirected
 */
record Facts(
    Direction direction,
    String name,
    OptionalLong size,
    Optional<String> identity,
    boolean stream,
    Optional<String> sha256,
    Optional<String> ifIdentity,
    Optional<Instant> modified,
    Optional<String> target) {

  Facts {
    target = Objects.requireNonNullElse(target, Optional.empty()); // a version without it
  }

  /** Of an accepted GET. */
  static Facts of(
      ClientMessage.Get get, OptionalLong size, String identity, @Nullable FileName target) {
    return new Facts(
        Direction.GET,
        get.name().value(),
        size,
        Optional.of(identity),
        get.streamConsumer(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.ofNullable(target).map(FileName::value));
  }

  /** Of an accepted PUT. */
  static Facts of(ClientMessage.Put put, @Nullable FileName target) {
    return new Facts(
        Direction.PUT,
        put.name().value(),
        put.size(),
        Optional.empty(),
        put.streamProducer(),
        put.sha256(),
        put.ifIdentity(),
        put.modified(),
        Optional.ofNullable(target).map(FileName::value));
  }

  /** Why a command can't resume the session, {@code bad-field}; empty where it can. */
  Optional<ProtocolException> refusal(ClientMessage.Command command) {
    Direction asked = command instanceof ClientMessage.Get ? Direction.GET : Direction.PUT;
    if (asked != direction) {
      return Optional.of(mismatch("verb", asked.name(), direction.name()));
    }
    if (command instanceof ClientMessage.Get get && !get.name().value().equals(name)) {
      return Optional.of(mismatch("name", get.name().value(), name));
    }
    if (command instanceof ClientMessage.Put put) {
      if (!put.name().value().equals(name)) {
        return Optional.of(mismatch("name", put.name().value(), name));
      }
      if (put.size().isPresent() && !put.size().equals(size)) {
        return Optional.of(
            mismatch(
                "Size",
                String.valueOf(put.size().getAsLong()),
                size.isPresent() ? String.valueOf(size.getAsLong()) : "none"));
      }
    }
    return Optional.empty();
  }

  /** A resumed session can't be another one. */
  static ProtocolException mismatch(String what, String found, String begun) {
    return new ProtocolException(
        ErrorCode.BAD_FIELD,
        what
            + " of a resumed session: "
            + Texts.quote(found)
            + " (expected: as it began, "
            + Texts.quote(begun)
            + ")");
  }
}
