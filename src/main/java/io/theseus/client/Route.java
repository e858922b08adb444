package io.theseus.client;

import io.theseus.client.TransferException.Kind;
import io.theseus.wire.ErrorCode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Where and when the next attempt of one exchange is made, and when it is given up.
 *
 * <p>Candidates are, in this order: the node that served last (or that MIGRATE named), the nodes
 * where READY said that the session can be resumed, the configured servers. A round asks each of
 * them once; the first round comes almost at once, since a node that closes may be back already or
 * have a fellow; between later rounds the pause doubles, with jitter, so that many clients of one
 * node don't come back in step. Progress, that is a byte, begins everything anew.
 */
final class Route {
  private static final int FREE_MIGRATIONS = 3;

  private final ClientSettings settings;
  private final boolean everConnected;

  private List<NodeAddress> nodes;
  private @Nullable NodeAddress preferred;
  private List<NodeAddress> candidates = List.of();
  private int index;
  private int rounds;
  private int attempts;
  private int refusals;
  private int migrations;
  private boolean connected;
  private boolean wasLost;
  private boolean freeRetryUsed;
  // trouble is the time without a session; one that is held for long is no trouble
  private boolean troubled;
  private long troubleBeganNanos;
  private long troubleNanos;
  private final Set<NodeAddress> withoutSession = new HashSet<>();

  /**
   * A route from its beginning.
   *
   * @param preferred where to begin
   * @param nodes that were named before
   * @param everConnected whether this client has reached a node before: then it is patient
   */
  Route(
      ClientSettings settings,
      @Nullable NodeAddress preferred,
      List<NodeAddress> nodes,
      boolean everConnected) {
    this.settings = settings;
    this.preferred = preferred;
    this.nodes = nodes;
    this.everConnected = everConnected;
    collect();
  }

  /** Where to try now. */
  NodeAddress node() {
    return candidates.get(index);
  }

  /** How many attempts have failed since the last progress. */
  int attempts() {
    return attempts;
  }

  /** The nodes that READY named last. */
  List<NodeAddress> nodes() {
    return nodes;
  }

  /** Whether an attempt ended in a way that leaves open whether the command was carried out. */
  boolean wasLost() {
    return wasLost;
  }

  /** A connection stands. */
  void connected(NodeAddress node) {
    connected = true;
    preferred = node;
  }

  /** READY named the nodes where this session can be resumed. */
  void ready(List<NodeAddress> resumable) {
    if (!resumable.isEmpty()) {
      nodes = resumable;
    }
    withoutSession.clear();
    if (troubled) {
      troubled = false;
      troubleNanos += System.nanoTime() - troubleBeganNanos;
    }
  }

  /** A byte more has been consumed, or is durable. */
  void progressed() {
    attempts = 0;
    rounds = 0;
    refusals = 0;
    migrations = 0;
    freeRetryUsed = false;
    withoutSession.clear();
    troubled = false;
    troubleNanos = 0;
  }

  /**
   * An attempt has ended; decides about the next one.
   *
   * @param acknowledged bytes of a PUT that were told to be durable
   * @return how long to wait before it
   * @throws TransferException where there is none
   */
  Duration next(AttemptException ended, long acknowledged) throws TransferException {
    return switch (ended.reason()) {
      case MIGRATED -> migrated(ended);
      case NOT_TAKEN_UP -> notTakenUp(ended);
      case REFUSED -> refused(ended, acknowledged);
      case LOST -> {
        wasLost = true;
        if (attempts > 0) {
          yield again(ended, advance());
        }
        // the node itself first: it may have closed this connection only
        collect();
        yield again(ended, true);
      }
      case SILENT -> {
        wasLost = true;
        yield again(ended, advance());
      }
      case UNREACHABLE -> again(ended, advance());
      case UNTRUSTED -> {
        // another node may be trusted; the same one won't be a moment later
        if (!advance()) {
          throw failure(ended);
        }
        yield Duration.ZERO;
      }
    };
  }

  private Duration migrated(AttemptException ended) throws TransferException {
    preferred = ended.target().orElseThrow();
    collect();
    boolean free = ++migrations <= FREE_MIGRATIONS;
    if (free) {
      return Duration.ZERO;
    }
    rounds++;
    return again(ended, false);
  }

  private Duration notTakenUp(AttemptException ended) throws TransferException {
    if (!freeRetryUsed) {
      // a kept connection that the server closed meanwhile: costs nothing to ask again
      freeRetryUsed = true;
      return Duration.ZERO;
    }
    return again(ended, advance());
  }

  private Duration refused(AttemptException ended, long acknowledged) throws TransferException {
    ErrorCode code = ended.code().orElse(null);
    if (code == null || !code.retryable()) {
      throw failure(ended);
    }
    switch (code) {
      case UNKNOWN_SESSION -> {
        withoutSession.add(node());
        if (acknowledged > 0 && withoutSession.containsAll(candidates)) {
          throw new TransferException(
              Kind.LOST_BYTES,
              code,
              "offset: "
                  + acknowledged
                  + " was acknowledged, and no node has the session any more: "
                  + ended.text(),
              ended);
        }
        if (acknowledged == 0) {
          countRefusal(ended);
        }
      }
      case NO_SPACE, INTERNAL -> countRefusal(ended);
      default -> {
        // busy and timeout: as patient as with a lost connection
      }
    }
    return again(ended, advance());
  }

  private void countRefusal(AttemptException ended) throws TransferException {
    if (++refusals >= settings.refusalAttempts()) {
      throw failure(ended);
    }
  }

  /** On to the next candidate; says whether it is still in the first round. */
  private boolean advance() {
    index++;
    if (index >= candidates.size()) {
      collect();
      rounds++;
    }
    return index > 0;
  }

  private Duration again(AttemptException ended, boolean soon) throws TransferException {
    attempts++;
    boolean known = connected || everConnected;
    Duration limit = known ? settings.reconnectLimit() : settings.firstConnectLimit();
    long now = System.nanoTime();
    if (!troubled) {
      troubled = true;
      troubleBeganNanos = now;
    }
    long soFarNanos = troubleNanos + (now - troubleBeganNanos);
    if (attempts > settings.reconnectAttempts() || soFarNanos >= limit.toNanos()) {
      throw failure(ended);
    }
    long first = settings.backoffFirst().toNanos();
    ThreadLocalRandom random = ThreadLocalRandom.current();
    if (soon) {
      return rounds == 0 ? Duration.ofNanos(random.nextLong(first / 4 + 1)) : Duration.ZERO;
    }
    int doublings = Math.min(Math.max(rounds - 1, 0), 20);
    long most = Math.min(settings.backoffMost().toNanos(), first << doublings);
    return Duration.ofNanos(most / 2 + random.nextLong(most / 2 + 1));
  }

  private TransferException failure(AttemptException ended) {
    String patience =
        attempts > 1
            ? " (gave up after "
                + attempts
                + " attempts without progress, the servers being "
                + candidates
                + ")"
            : "";
    Optional<ErrorCode> code = ended.code();
    return switch (ended.reason()) {
      case REFUSED ->
          new TransferException(Kind.REFUSED, code.orElse(null), ended.text() + patience, ended);
      case UNTRUSTED -> new TransferException(Kind.UNTRUSTED, "no TLS with " + ended.text(), ended);
      case UNREACHABLE ->
          new TransferException(
              connected ? Kind.CONNECTION_LOST : Kind.CONNECT_FAILED,
              "no connection to " + ended.text() + patience,
              ended);
      default ->
          new TransferException(
              Kind.CONNECTION_LOST, "connection lost: " + ended.text() + patience, ended);
    };
  }

  private void collect() {
    Set<NodeAddress> ordered = new LinkedHashSet<>();
    if (preferred != null) {
      ordered.add(preferred);
    }
    ordered.addAll(nodes);
    ordered.addAll(settings.servers());
    candidates = new ArrayList<>(ordered);
    index = 0;
  }
}
