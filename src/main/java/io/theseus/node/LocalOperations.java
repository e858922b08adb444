package io.theseus.node;

import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.control.Control;
import io.theseus.session.SessionSummary;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;

/** What can be done to the sessions of this node. Code can't be changed by it. */
final class LocalOperations implements Operations {
  private final String node;
  private final Control control;

  LocalOperations(String node, Control control) {
    this.node = node;
    this.control = control;
  }

  @Override
  public Preview preview(byte[] jar) throws OperationException {
    throw notYet();
  }

  @Override
  public ActView upgrade(byte[] jar, Optional<Canary> canary, Order order)
      throws OperationException {
    throw notYet();
  }

  @Override
  public ActView promote(Order order) throws OperationException {
    throw notYet();
  }

  @Override
  public ActView rollback(String revision, Order order) throws OperationException {
    throw notYet();
  }

  @Override
  public ActView undo(Order order) throws OperationException {
    throw notYet();
  }

  @Override
  public ActView pause(Order order) throws OperationException {
    throw notYet();
  }

  @Override
  public ActView resume(Order order) throws OperationException {
    throw notYet();
  }

  @Override
  public Optional<ActView> act(String id) throws OperationException {
    throw notYet();
  }

  @Override
  public List<ActView> history() throws OperationException {
    throw notYet();
  }

  @Override
  public List<RevisionView> revisions() throws OperationException {
    throw notYet();
  }

  private static OperationException notYet() {
    return new OperationException("upgrades are not built yet (expected: a later version)");
  }

  @Override
  public SessionList sessions() throws OperationException {
    return new SessionList(
        await(control.sessions()).stream().map(this::view).toList(), /* silent= */ Map.of());
  }

  private SessionView view(SessionSummary session) {
    return new SessionView(
        node,
        session.session(),
        session.direction().name().toLowerCase(Locale.ROOT),
        session.name(),
        session.offset(),
        session.size(),
        session.state().name().toLowerCase(Locale.ROOT),
        session.module(),
        session.remote());
  }

  @Override
  public String kill(UUID session, Order order) throws OperationException {
    return switch (await(control.kill(session, "ended by the operator, " + order.who()))) {
      case ENDED -> node;
      case DETACHED ->
          throw new OperationException(
              "session: " + session + " (expected: one with a connection, which it has not)");
      case UNKNOWN ->
          throw new OperationException(
              "session: " + session + " (expected: one that `sessions` shows)");
    };
  }

  @Override
  public Map<String, String> accept(boolean accept, Set<String> nodes, Order order) {
    Map<String, String> outcome = new TreeMap<>();
    for (String each : nodes.isEmpty() ? Set.of(node) : nodes) {
      if (each.equals(node)) {
        control.accept(accept);
      }
      outcome.put(each, each.equals(node) ? DONE : "not known here (expected: " + node + ")");
    }
    return outcome;
  }

  private <T> T await(CompletableFuture<T> answer) throws OperationException {
    try {
      return answer.get(); // which ends by itself
    } catch (ExecutionException e) {
      Throwable cause = Objects.requireNonNullElse(e.getCause(), e);
      String why =
          cause instanceof TimeoutException
              ? " has not answered in time"
              : " does not answer: " + cause.getMessage();
      throw new OperationException(node + why, /* unreachable= */ true);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new OperationException("interrupted", /* unreachable= */ true);
    }
  }
}
