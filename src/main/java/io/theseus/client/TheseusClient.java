package io.theseus.client;

import io.theseus.client.TransferException.Kind;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.Info;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Gets and puts files; the front door of the transfer client.
 *
 * <p>Every call blocks the caller's thread until it is done and keeps its connection for the next
 * one. One call at a time; {@link #close} may come from any thread and ends a running call with
 * {@link TransferException.Kind#CANCELLED}, as an interrupt does. A cancelled or failed GET into a
 * file can be gone on with later ({@link GetRequest#resume}).
 */
public final class TheseusClient implements AutoCloseable {
  private static final long LEAST_KEPT_BYTES = 1024L * 1024;
  private static final AtomicInteger THREADS = new AtomicInteger();

  private final ClientSettings settings;
  private final Cancellation cancellation = new Cancellation();
  private final ChunkPool pool = new ChunkPool();
  private final ExecutorService beside =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "theseus-client-" + THREADS.incrementAndGet());
            // a thread that waits for standard input must not keep the process alive
            thread.setDaemon(true);
            return thread;
          });

  // guarded by this, which every call holds
  private @Nullable Connection kept;
  private List<NodeAddress> nodes = List.of();
  private boolean everConnected;

  public TheseusClient(ClientSettings settings) {
    this.settings = settings;
  }

  public ClientSettings settings() {
    return settings;
  }

  /** Gets a file, whole and checked against its SHA-256 where the server knows it. */
  public synchronized TransferResult get(
      GetRequest request, Consumer consumer, TransferListener listener) throws TransferException {
    long begun = System.nanoTime();
    try {
      Optional<Consumer.Start> start =
          consumer.open(request, beside, cancellation::wake, cancellation);
      long from = start.map(Consumer.Start::offset).orElse(0L);
      Route route = route();
      GetTransfer transfer =
          new GetTransfer(settings, request, consumer, start, cancellation, route, listener);
      Outcome outcome = run(transfer, route, listener);
      String sha256 = consumer.finish(transfer.wanted(), cancellation);
      Optional<String> said = transfer.complete().sha256("SHA-256");
      if (said.isPresent() && !said.get().equals(sha256)) {
        consumer.discard();
        throw mismatch(request.name(), said.get(), sha256);
      }
      consumer.publish(request.modified());
      return result(transfer, transfer.wanted(), sha256, from, outcome, begun);
    } catch (IOException e) {
      throw FileTransfer.failed("writing to " + consumer.describe(), e);
    } catch (ProtocolException e) {
      throw new IllegalStateException("COMPLETE was checked when it came", e);
    } finally {
      consumer.close();
    }
  }

  /** Puts a file; when this returns, content and name are durable on the server. */
  public synchronized TransferResult put(
      PutRequest request, Producer producer, TransferListener listener) throws TransferException {
    long begun = System.nanoTime();
    try {
      long keep = Math.max(settings.windowBytes(), LEAST_KEPT_BYTES);
      producer.open(pool, beside, cancellation::wake, keep);
      Route route = route();
      PutTransfer transfer =
          new PutTransfer(settings, request, producer, cancellation, route, listener);
      Outcome outcome = run(transfer, route, listener);
      String sha256 = producer.sha256(cancellation);
      String warning = producer.warning();
      if (!warning.isEmpty()) {
        listener.notice(warning);
      }
      Optional<String> said = transfer.complete().sha256("SHA-256");
      if (said.isPresent() && !said.get().equals(sha256)) {
        throw mismatch(request.name(), sha256, said.get());
      }
      return result(transfer, transfer.acknowledged(), sha256, transfer.begun(), outcome, begun);
    } catch (IOException e) {
      throw FileTransfer.failed("reading " + producer.describe(), e);
    } catch (ProtocolException e) {
      throw new IllegalStateException("COMPLETE was checked when it came", e);
    } finally {
      producer.close();
    }
  }

  private static TransferResult result(
      FileTransfer transfer, long bytes, String sha256, long from, Outcome outcome, long begunNanos)
      throws ProtocolException {
    Info complete = transfer.complete();
    return new TransferResult(
        transfer.sessionId(),
        bytes,
        complete.identity("Identity"),
        sha256,
        complete.sha256("SHA-256").isPresent(),
        from,
        outcome.reconnects(),
        Duration.ofNanos(System.nanoTime() - begunNanos),
        outcome.node());
  }

  /** Asks what a file is. */
  public synchronized FileStat stat(FileName name) throws TransferException {
    return ask(
        Info.of("STAT " + name).field("Token", settings.token()).text(),
        "STAT",
        route(),
        info ->
            new FileStat(
                size(info.text("Size").orElse("unknown")),
                known(info.identity("Identity")),
                modified(info.text("Modified").orElse("-")),
                info.sha256("SHA-256")));
  }

  /** One page of the names that begin with a prefix and follow {@code after}, in byte order. */
  public synchronized ListPage list(String prefix, Optional<String> after)
      throws TransferException {
    if (prefix.indexOf('\n') >= 0) {
      throw new IllegalArgumentException(
          "prefix: " + Texts.quote(prefix) + " (expected: no control character)");
    }
    return ask(
        Info.of("LIST " + prefix).field("After", after).field("Token", settings.token()).text(),
        "LIST",
        route(),
        info -> page(prefix, info));
  }

  /** All pages of the names that begin with a prefix, one after another. */
  public void list(String prefix, java.util.function.Consumer<ListPage> pages)
      throws TransferException {
    Optional<String> after = Optional.empty();
    while (true) {
      ListPage page = list(prefix, after);
      pages.accept(page);
      if (!page.more()) {
        return;
      }
      if (page.entries().isEmpty()) {
        throw new TransferException(
            Kind.PROTOCOL, "LIST page without a name (expected: a name, as More: yes)");
      }
      String last = page.entries().get(page.entries().size() - 1).name();
      if (after.isPresent() && FileName.compareBytes(last, after.get()) <= 0) {
        throw new TransferException(
            Kind.PROTOCOL,
            "LIST page ends at " + Texts.quote(last) + " (expected: after " + after.get() + ")");
      }
      after = Optional.of(last);
    }
  }

  /**
   * Deletes a file.
   *
   * @param ifIdentity only where the file is this one
   * @return the identity of what is gone
   */
  public synchronized Optional<String> delete(FileName name, Optional<String> ifIdentity)
      throws TransferException {
    Route route = route();
    try {
      return ask(
          Info.of("DELETE " + name)
              .field("If-Identity", ifIdentity)
              .field("Token", settings.token())
              .text(),
          "DELETED",
          route,
          info -> info.identity("Identity"));
    } catch (TransferException e) {
      if (route.wasLost() && e.code().filter(code -> code == ErrorCode.NOT_FOUND).isPresent()) {
        throw new TransferException(
            e.kind(),
            ErrorCode.NOT_FOUND,
            e.getMessage()
                + " (a connection was lost after the first attempt, which may have deleted it)",
            e);
      }
      throw e;
    }
  }

  /** Ends a running call and closes the connection. */
  @Override
  public void close() {
    cancellation.cancel();
    synchronized (this) {
      if (kept != null) {
        kept.close();
        kept = null;
      }
    }
    beside.shutdown();
  }

  // ---- the loop over connections

  private record Outcome(NodeAddress node, int reconnects) {}

  @FunctionalInterface
  private interface Reading<T> {
    T read(Info info) throws ProtocolException;
  }

  private Route route() {
    return new Route(settings, kept == null ? null : kept.node(), nodes, everConnected);
  }

  private <T> T ask(String command, String verb, Route route, Reading<T> reading)
      throws TransferException {
    Question question = new Question(settings, command, verb);
    Outcome outcome = run(question, route, TransferListener.NONE);
    try {
      return reading.read(question.answer());
    } catch (ProtocolException e) {
      Connection connection = kept;
      kept = null;
      if (connection != null) {
        connection.giveUp(e.errorText());
      }
      throw new TransferException(
          Kind.PROTOCOL, null, outcome.node() + " broke the protocol: " + e.errorText(), e);
    }
  }

  private Outcome run(Exchange exchange, Route route, TransferListener listener)
      throws TransferException {
    int connections = 0;
    while (true) {
      cancellation.check();
      Connection connection = null;
      boolean done = false;
      try {
        connection = connect(route, listener);
        connections++;
        exchange.over(connection);
        done = true;
        kept = connection;
        nodes = route.nodes();
        return new Outcome(connection.node(), connections - 1);
      } catch (AttemptException ended) {
        if (connection != null) {
          connection.close();
        }
        if (!exchange.adapted(ended)) {
          Duration delay = route.next(ended, exchange.acknowledged());
          if (route.attempts() > 0 || ended.reason() == AttemptException.Reason.MIGRATED) {
            listener.reconnecting(ended.text(), route.attempts(), delay);
          }
          cancellation.pause(delay);
        }
      } finally {
        if (!done && connection != null) {
          connection.close();
        }
      }
    }
  }

  private Connection connect(Route route, TransferListener listener)
      throws AttemptException, TransferException {
    NodeAddress node = route.node();
    Connection connection = kept;
    kept = null;
    if (connection != null) {
      if (connection.node().equals(node) && connection.stillGood()) {
        return connection;
      }
      connection.close();
    }
    Connection opened = Connection.open(node, settings, cancellation, pool);
    everConnected = true;
    route.connected(node);
    listener.connected(node);
    return opened;
  }

  // ---- reading answers

  private static ListPage page(String prefix, Info info) throws ProtocolException {
    List<ListEntry> entries = new ArrayList<>();
    for (String line : info.body().split("\n", -1)) {
      if (!line.isEmpty()) {
        String[] parts = line.split(" ", 4);
        if (parts.length < 4 || !parts[2].matches("[!-~]{1,128}")) {
          throw Info.bad("LIST line", line, "size modified identity name");
        }
        // a recursive get makes paths of these: a name must be one, and where it was asked for
        if (!FileName.parse(parts[3]).value().startsWith(prefix)) {
          throw Info.bad("name in LIST", parts[3], "a name that begins with " + prefix);
        }
        entries.add(
            new ListEntry(
                size(parts[0]), modified(parts[1]), known(Optional.of(parts[2])), parts[3]));
      }
    }
    List<String> unreachable = new ArrayList<>();
    for (String node : info.text("Unreachable").orElse("").split(",", -1)) {
      if (!node.isBlank()) {
        unreachable.add(Texts.escape(node.trim()));
      }
    }
    boolean more = info.oneOf("More", "yes", "no").orElse("no").equals("yes");
    return new ListPage(entries, more, unreachable);
  }

  private static OptionalLong size(String text) throws ProtocolException {
    return text.equals("unknown")
        ? OptionalLong.empty()
        : OptionalLong.of(Info.parseNumber("Size", text));
  }

  private static Optional<Instant> modified(String text) throws ProtocolException {
    if (text.equals("-")) {
      return Optional.empty();
    }
    try {
      return Optional.of(java.time.OffsetDateTime.parse(text).toInstant());
    } catch (DateTimeParseException e) {
      throw Info.bad("Modified", text, "RFC 3339, like 2026-01-31T12:00:00Z, or -");
    }
  }

  private static Optional<String> known(Optional<String> identity) {
    return identity.filter(value -> !value.equals("-"));
  }

  private static TransferException mismatch(FileName name, String expected, String found) {
    return new TransferException(
        Kind.HASH_MISMATCH, "SHA-256 of " + name + ": " + found + " (expected: " + expected + ")");
  }
}
