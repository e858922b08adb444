package io.theseus.access;

import io.theseus.wire.Texts;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says whether a command may be carried out. From any thread; never waits.
 *
 * <p>A door asks once for each command, so a token that is taken out of the file is refused at the
 * next one; what has begun goes on. Who names a token has its rights and no others. Where no file
 * of tokens is configured, nobody can tell what a token is worth, and it counts as none.
 */
public final class Access {
  private static final Logger LOG = LoggerFactory.getLogger(Access.class);

  /** An answer. */
  public sealed interface Answer {
    /** Go on, with these rights. */
    record Granted(Rights rights) implements Answer {}

    /**
     * Don't.
     *
     * @param message what was wrong and what was expected
     * @param delay before it is said
     */
    record Refused(String message, Duration delay) implements Answer {}
  }

  private final @Nullable Watched<Tokens> tokens;
  private final Clock clock;
  private final LongSupplier nanoTime;
  private final Penalties penalties = new Penalties();

  /**
   * Access by these tokens.
   *
   * @param tokens null where there are none
   */
  public Access(@Nullable Watched<Tokens> tokens, Clock clock, LongSupplier nanoTime) {
    this.tokens = tokens;
    this.clock = clock;
    this.nanoTime = nanoTime;
  }

  /**
   * Asks for a command.
   *
   * @param token as the client sent it
   * @param anonymous what may be done without a token on the port that it came by
   * @param verb for messages
   * @param name the name that it is about; empty for a list, which shows what may be seen
   */
  public Answer ask(
      Optional<String> token,
      Rights anonymous,
      Source source,
      String verb,
      Scope scope,
      Optional<String> name) {
    Watched<Tokens> known = tokens;
    Rights rights = anonymous;
    if (known != null && token.isPresent()) {
      Tokens.Entry entry = known.get().find(token.get());
      if (entry == null) {
        return wrong(source);
      }
      Instant now = clock.instant();
      if (entry.until().filter(until -> !until.isAfter(now)).isPresent()) {
        return refused(
            entry.rights()
                + " ended at "
                + Identity.text(entry.until().get())
                + " (expected: one that is valid)");
      }
      rights = entry.rights();
    }
    if (!rights.has(scope)) {
      return refused(
          verb + " with " + rights + " (expected: a token with the scope " + scope.word() + ")");
    }
    if (name.isPresent() && !rights.cover(name.get())) {
      return refused(
          Texts.quote(name.get())
              + " with "
              + rights
              + " (expected: a name that begins with "
              + rights.prefixes().stream().map(Texts::quote).collect(Collectors.joining(" or "))
              + ")");
    }
    return new Answer.Granted(rights);
  }

  private static Answer refused(String message) {
    return new Answer.Refused(message, Duration.ZERO);
  }

  private Answer wrong(Source source) {
    Penalties.Penalty penalty = penalties.wrong(source, nanoTime.getAsLong());
    LOG.warn(
        "wrong token from {}, number {} lately; it is told so after {} ms",
        source,
        penalty.wrong(),
        penalty.delay().toMillis());
    return new Answer.Refused(
        "the token is not known (expected: one that the node was told of)", penalty.delay());
  }
}
