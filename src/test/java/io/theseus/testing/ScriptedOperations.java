package io.theseus.testing;

import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Operations that answer what they were told to, and remember what they were asked. */
public final class ScriptedOperations implements Operations {
  /** The moment of every act. */
  public static final String AT = "2026-11-26T15:33:24Z";

  /** Acts that go on, latest news last; the last one stays. */
  public final Deque<ActView> news = new ArrayDeque<>();

  public List<ActView> history = List.of();
  public List<RevisionView> revisions = List.of();

  /** What {@link #sessions} says, one after another; the last one stays. */
  public final Deque<SessionList> sessions = new ArrayDeque<>();

  public final Deque<List<Verification>> verifications = new ArrayDeque<>();

  public Set<String> missing = Set.of();
  public Map<String, String> accepted = Map.of();
  public BackupList backups = new BackupList("n1", true, List.of());
  public byte[] jar = new byte[0];
  private final List<String> asked = new ArrayList<>();
  private @Nullable OperationException failure;
  private @Nullable RuntimeException fault;

  /** Everything is refused from now on. */
  public synchronized void fail(@Nullable OperationException reason) {
    failure = reason;
  }

  /** Everything ends in a bug from now on. */
  public synchronized void fail(RuntimeException reason) {
    fault = reason;
  }

  /** What was asked, a line each. */
  public synchronized List<String> asked() {
    return List.copyOf(asked);
  }

  /** An act under way or over. */
  public static ActView act(String what, Phase phase, String reason, Map<String, String> nodes) {
    return new ActView("act-1", what, "ada@host", AT, phase, reason, nodes);
  }

  private static String text(Order order) {
    return "by "
        + order.who()
        + (order.without().isEmpty() ? "" : " without " + new TreeSet<>(order.without()))
        + order.watch().map(each -> " watch " + each).orElse("");
  }

  private synchronized void ask(String what) throws OperationException {
    asked.add(what);
    if (fault != null) {
      throw fault;
    }
    if (failure != null) {
      throw failure;
    }
  }

  private synchronized ActView begin(String what) throws OperationException {
    ask(what);
    return news.size() > 1 ? news.remove() : news.element();
  }

  @Override
  public synchronized Preview preview(byte[] module) throws OperationException {
    ask("preview of " + module.length + " bytes");
    jar = module;
    return new Preview(revisions.get(0), missing);
  }

  @Override
  public synchronized ActView upgrade(byte[] module, Optional<Canary> canary, Order order)
      throws OperationException {
    jar = module;
    return begin("upgrade" + canary.map(each -> " canary " + each).orElse("") + " " + text(order));
  }

  @Override
  public ActView promote(Order order) throws OperationException {
    return begin("promote " + text(order));
  }

  @Override
  public ActView rollback(String revision, Order order) throws OperationException {
    return begin("rollback to " + revision + " " + text(order));
  }

  @Override
  public ActView undo(Order order) throws OperationException {
    return begin("undo " + text(order));
  }

  @Override
  public ActView pause(Order order) throws OperationException {
    return begin("pause " + text(order));
  }

  @Override
  public ActView resume(Order order) throws OperationException {
    return begin("resume " + text(order));
  }

  @Override
  public synchronized Optional<ActView> act(String id) throws OperationException {
    return id.equals("act-1") ? Optional.of(begin("act " + id)) : Optional.empty();
  }

  @Override
  public List<ActView> history() throws OperationException {
    ask("history");
    return history;
  }

  @Override
  public List<RevisionView> revisions() throws OperationException {
    ask("revisions");
    return revisions;
  }

  @Override
  public synchronized SessionList sessions() throws OperationException {
    ask("sessions");
    return sessions.size() > 1 ? sessions.remove() : sessions.element();
  }

  @Override
  public String kill(UUID session, Order order) throws OperationException {
    ask("kill " + session + " " + text(order));
    return "node2";
  }

  @Override
  public Map<String, String> accept(boolean accept, Set<String> nodes, Order order)
      throws OperationException {
    ask((accept ? "accept " : "stop accepting ") + new TreeSet<>(nodes) + " " + text(order));
    return accepted;
  }

  @Override
  public BackupList backups() throws OperationException {
    ask("backups");
    return backups;
  }

  @Override
  public Drained drain(String node, boolean drain, Order order) throws OperationException {
    ask((drain ? "drain " : "undrain ") + node + " " + text(order));
    return new Drained(node, drain, 3);
  }

  @Override
  public Map<String, String> register(boolean open, Order order) throws OperationException {
    ask((open ? "open" : "close") + " registration " + text(order));
    return accepted;
  }

  @Override
  public List<Verification> verify(String prefix, Order order) throws OperationException {
    ask("verify \"" + prefix + "\" " + text(order));
    return verifications.element();
  }

  @Override
  public synchronized List<Verification> verification() throws OperationException {
    ask("verification");
    return verifications.size() > 1 ? verifications.remove() : verifications.element();
  }
}
