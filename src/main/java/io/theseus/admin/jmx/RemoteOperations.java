package io.theseus.admin.jmx;

import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.admin.jmx.StatusClient.UnreachableException;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import javax.management.JMException;
import javax.management.MBeanException;
import javax.management.MBeanServerConnection;
import javax.management.ObjectName;
import javax.management.ReflectionException;
import javax.management.RuntimeMBeanException;
import org.jspecify.annotations.Nullable;

/**
 * The operations of a node, asked for over JMX: what {@link NodeBean} makes of them, undone. A
 * connection for each call, so that a node may be started again in between.
 */
final class RemoteOperations implements Operations {
  /** Longer than an operation takes: a preview tries the code out, for half a minute and more. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final RunFile node;

  /** What came back: an answer, or why there is none. */
  private record Answer(String text, @Nullable OperationException failure) {}

  RemoteOperations(RunFile node) {
    this.node = node;
  }

  @Override
  public Preview preview(byte[] jar) throws OperationException {
    return ask(Preview.class, "preview", jar);
  }

  @Override
  public ActView upgrade(byte[] jar, Optional<Canary> canary, Order order)
      throws OperationException {
    String who = canary.map(Canary::toString).orElse("");
    return ask(
        ActView.class, "upgrade", jar, who, without(order), watchSeconds(order), order.who());
  }

  @Override
  public ActView promote(Order order) throws OperationException {
    return act("promote", order);
  }

  @Override
  public ActView rollback(String revision, Order order) throws OperationException {
    return ask(
        ActView.class, "rollback", revision, without(order), watchSeconds(order), order.who());
  }

  @Override
  public ActView undo(Order order) throws OperationException {
    return act("undo", order);
  }

  @Override
  public ActView pause(Order order) throws OperationException {
    return act("pause", order);
  }

  @Override
  public ActView resume(Order order) throws OperationException {
    return act("resume", order);
  }

  private ActView act(String operation, Order order) throws OperationException {
    return ask(ActView.class, operation, without(order), watchSeconds(order), order.who());
  }

  @Override
  public Optional<ActView> act(String id) throws OperationException {
    String answer = ask("act", id);
    return answer.isEmpty() ? Optional.empty() : Optional.of(read(answer, ActView.class));
  }

  @Override
  public List<ActView> history() throws OperationException {
    return ask(Json.Acts.class, "history").acts();
  }

  @Override
  public List<RevisionView> revisions() throws OperationException {
    return ask(Json.Revisions.class, "revisions").revisions();
  }

  @Override
  public SessionList sessions() throws OperationException {
    return ask(SessionList.class, "sessions");
  }

  @Override
  public String kill(UUID session, Order order) throws OperationException {
    return ask(Json.Killed.class, "kill", session.toString(), order.who()).node();
  }

  @Override
  public Map<String, String> accept(boolean accept, Set<String> nodes, Order order)
      throws OperationException {
    String operation = accept ? "accept" : "stopAccepting";
    return ask(Json.Accepted.class, operation, String.join(",", nodes), order.who()).nodes();
  }

  @Override
  public BackupList backups() throws OperationException {
    return ask(BackupList.class, "backups");
  }

  @Override
  public Drained drain(String backup, boolean drain, Order order) throws OperationException {
    return ask(Drained.class, drain ? "drainBackup" : "undrainBackup", backup, order.who());
  }

  @Override
  public Map<String, String> register(boolean open, Order order) throws OperationException {
    String operation = open ? "openRegistration" : "closeRegistration";
    return ask(Json.Accepted.class, operation, order.who()).nodes();
  }

  @Override
  public List<Verification> verify(String prefix, Order order) throws OperationException {
    return ask(Json.Readings.class, "verify", prefix, order.who()).nodes();
  }

  @Override
  public List<Verification> verification() throws OperationException {
    return ask(Json.Readings.class, "verification").nodes();
  }

  // ---- over the wire

  private static String without(Order order) {
    return String.join(",", order.without());
  }

  private static String watchSeconds(Order order) {
    // whole seconds go over the wire; half of one is not to become none
    return order.watch().map(each -> String.valueOf(each.plusMillis(999).toSeconds())).orElse("");
  }

  private <T> T ask(Class<T> type, String operation, Object... arguments)
      throws OperationException {
    return read(ask(operation, arguments), type);
  }

  private <T> T read(String answer, Class<T> type) throws OperationException {
    try {
      return Json.read(answer, type);
    } catch (IllegalArgumentException e) {
      throw new OperationException(node + ": " + e.getMessage() + "; is it another version?");
    }
  }

  private String ask(String operation, Object... arguments) throws OperationException {
    Answer answer;
    try {
      answer = NodeCall.ask(node, PATIENCE, connection -> invoke(connection, operation, arguments));
    } catch (UnreachableException e) {
      throw new OperationException(String.valueOf(e.getMessage()), /* unreachable= */ true);
    }
    if (answer.failure() != null) {
      throw answer.failure();
    }
    return answer.text();
  }

  private Answer invoke(MBeanServerConnection connection, String operation, Object[] arguments)
      throws IOException, JMException {
    String[] signature =
        Arrays.stream(arguments).map(each -> each.getClass().getName()).toArray(String[]::new);
    try {
      Object text =
          connection.invoke(new ObjectName(node.objectName()), operation, arguments, signature);
      return new Answer(String.valueOf(text), null);
    } catch (MBeanException e) {
      Exception cause = e.getTargetException();
      return failure(cause, /* unreachable= */ cause instanceof ConnectException);
    } catch (RuntimeMBeanException e) {
      return failure(e.getTargetException(), /* unreachable= */ false);
    } catch (ReflectionException e) {
      return new Answer(
          "",
          new OperationException(
              node + " has no operation " + operation + "; is it another version?"));
    }
  }

  private static Answer failure(Throwable cause, boolean unreachable) {
    return new Answer("", new OperationException(String.valueOf(cause.getMessage()), unreachable));
  }
}
