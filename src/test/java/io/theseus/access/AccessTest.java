package io.theseus.access;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

final class AccessTest {
  private static final Source HERE = new Source("192.0.2.1");
  private static final Instant NOW = Instant.parse("2027-01-01T00:00:00Z");

  private final String token = Tokens.make();
  private final AtomicLong nanos = new AtomicLong();
  private final ListAppender<ILoggingEvent> logged = new ListAppender<>();
  private final Logger logger = (Logger) LoggerFactory.getLogger(Access.class);
  private Path file;
  private Watched<Tokens> tokens;
  private Access access;

  @BeforeEach
  void open(@TempDir Path directory) throws IOException {
    file = directory.resolve("tokens");
    write("alice HASH read,write prefix=photos/");
    tokens = new Watched<>("tokens", List.of(file), contents -> Tokens.read(file, contents.get(0)));
    access = new Access(tokens, Clock.fixed(NOW, ZoneOffset.UTC), nanos::get);
    logged.start();
    logger.addAppender(logged);
  }

  @AfterEach
  void close() {
    logger.detachAppender(logged);
  }

  private void write(String text) throws IOException {
    Files.writeString(file, text.replace("HASH", Tokens.hash(token)) + "\n");
  }

  private Access.Answer ask(String with, Scope scope, String name, Source source) {
    return access.ask(
        with.isEmpty() ? Optional.empty() : Optional.of(with),
        Rights.NOTHING,
        source,
        scope == Scope.READ ? "GET" : "PUT",
        scope,
        Optional.of(name));
  }

  private static Access.Answer refused(String message) {
    return new Access.Answer.Refused(message, Duration.ZERO);
  }

  @Test
  void shouldGrantWhatTheTokenIsFor() {
    Rights rights = new Rights("alice", true, true, List.of("photos/"));
    assertThat(ask(token, Scope.WRITE, "photos/a", HERE))
        .isEqualTo(new Access.Answer.Granted(rights));
    assertThat(ask(token, Scope.READ, "music/a", HERE))
        .isEqualTo(
            refused(
                "\"music/a\" with the token alice (expected: a name that begins with \"photos/\")"));
  }

  @Test
  void shouldRefuseWithoutTheScope() throws IOException {
    assertThat(ask("", Scope.READ, "photos/a", HERE))
        .isEqualTo(refused("GET with no token (expected: a token with the scope read)"));
    write("alice HASH read");
    tokens.check();
    assertThat(ask(token, Scope.WRITE, "photos/a", HERE))
        .isEqualTo(refused("PUT with the token alice (expected: a token with the scope write)"));
  }

  @Test
  void shouldRefuseATokenThatEnded() throws IOException {
    write("alice HASH read until=2026-12-31");
    tokens.check();
    assertThat(ask(token, Scope.READ, "a", HERE))
        .isEqualTo(
            refused("the token alice ended at 2027-01-01T00:00:00Z (expected: one that is valid)"));
    write("alice HASH read until=2027-01-01");
    tokens.check();
    assertThat(ask(token, Scope.READ, "a", HERE)).isInstanceOf(Access.Answer.Granted.class);
  }

  @Test
  void shouldKeepTheTokensThatItHasWhereTheFileIsWrong() throws IOException {
    write("alice HASH readd");
    tokens.check();
    assertThat(tokens.problem().orElseThrow())
        .endsWith(" line 1: scopes: \"readd\" (expected: read, write or read,write)");
    assertThat(ask(token, Scope.READ, "photos/a", HERE)).isInstanceOf(Access.Answer.Granted.class);
    Files.delete(file);
    tokens.check();
    assertThat(tokens.problem().orElseThrow()).endsWith("missing (expected: a file that exists)");
    assertThat(ask(token, Scope.READ, "photos/a", HERE)).isInstanceOf(Access.Answer.Granted.class);
    write("");
    tokens.check();
    assertThat(tokens.problem()).isEmpty();
    assertThat(ask(token, Scope.READ, "photos/a", HERE)).isInstanceOf(Access.Answer.Refused.class);
  }

  private long delayOf(String wrong, Source source) {
    Access.Answer answer = ask(wrong, Scope.READ, "photos/a", source);
    assertThat(answer)
        .isInstanceOfSatisfying(
            Access.Answer.Refused.class,
            refused ->
                assertThat(refused.message())
                    .isEqualTo("the token is not known (expected: one that the node was told of)"));
    return ((Access.Answer.Refused) answer).delay().toMillis();
  }

  @Test
  void shouldAnswerAWrongTokenLaterEachTime() {
    assertThat(delayOf("guess", HERE)).isEqualTo(250);
    assertThat(delayOf("guess", HERE)).isEqualTo(500);
    assertThat(delayOf("guess", HERE)).isEqualTo(1_000);
    for (int i = 0; i < 100; i++) {
      assertThat(delayOf("guess", HERE)).isLessThanOrEqualTo(30_000);
    }
    assertThat(delayOf("guess", HERE)).isEqualTo(30_000);
    // others, and who has a right one, don't pay for it
    assertThat(delayOf("guess", new Source("192.0.2.2"))).isEqualTo(250);
    assertThat(ask(token, Scope.READ, "photos/a", HERE)).isInstanceOf(Access.Answer.Granted.class);
    // one is forgotten each minute
    nanos.addAndGet(Duration.ofMinutes(29).toNanos());
    assertThat(delayOf("guess", HERE)).isEqualTo(500);
    nanos.addAndGet(Duration.ofMinutes(2).toNanos());
    assertThat(delayOf("guess", HERE)).isEqualTo(250);
  }

  @Test
  void shouldTellOfGuessesAndNeverTheGuess() {
    delayOf("hunter2", HERE);
    delayOf("hunter2", HERE);
    assertThat(logged.list)
        .extracting(ILoggingEvent::getFormattedMessage)
        .containsExactly(
            "wrong token from 192.0.2.1, number 1 lately; it is told so after 250 ms",
            "wrong token from 192.0.2.1, number 2 lately; it is told so after 500 ms");
  }

  @Test
  void shouldRememberABoundedNumberOfSources() {
    Penalties penalties = new Penalties();
    for (int i = 0; i < 20_000; i++) {
      penalties.wrong(new Source("s" + i), 0);
    }
    assertThat(penalties.size()).isEqualTo(10_000);
    assertThat(penalties.wrong(new Source("s19999"), 0).wrong()).isEqualTo(2);
    assertThat(penalties.wrong(new Source("s0"), 0).wrong()).isEqualTo(1);
  }

  @Test
  void shouldTakeA64OfIpv6ForOneSource() throws IOException {
    assertThat(source("2001:db8:1:2:3:4:5:6")).isEqualTo(source("2001:db8:1:2::1"));
    assertThat(source("2001:db8:1:2::1").name()).isEqualTo("20010db800010002/64");
    assertThat(source("2001:db8:1:3::1")).isNotEqualTo(source("2001:db8:1:2::1"));
    assertThat(source("192.0.2.1")).isEqualTo(HERE);
    assertThat(source("::ffff:192.0.2.1")).isEqualTo(HERE);
  }

  private static Source source(String address) throws IOException {
    return Source.of(new InetSocketAddress(InetAddress.getByName(address), 1));
  }

  @Test
  void shouldCountConnectionsBySource() {
    Callers callers = new Callers(3, "theseus.packets.max-connections", 2);
    Source other = new Source("192.0.2.2");
    assertThat(callers.enter(HERE)).isEmpty();
    assertThat(callers.enter(HERE)).isEmpty();
    assertThat(callers.enter(HERE))
        .contains(
            "2 connections from 192.0.2.1 are open (expected: no more, by"
                + " theseus.packets.max-connections-per-source)");
    assertThat(callers.enter(other)).isEmpty();
    assertThat(callers.enter(other))
        .contains("3 connections are open (expected: no more, by theseus.packets.max-connections)");
    callers.leave(HERE);
    assertThat(callers.enter(other)).isEmpty();
    assertThat(callers.open()).isEqualTo(3);
    assertThat(callers.refused()).isEqualTo(2);
  }
}
