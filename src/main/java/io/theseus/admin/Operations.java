package io.theseus.admin;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.theseus.wire.Texts;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an operator can do to a cluster, at any of its nodes: all calls act on all nodes. JMX, and
 * whatever door is to follow, offer these and nothing else.
 *
 * <p>Calls return within some 15 seconds; acts go on after that, and {@link #act} tells how far
 * they are. What can't be done is an {@link OperationException}, in words for the operator.
 */
public interface Operations {
  /**
   * How an act is to be carried out.
   *
   * @param who the operator, as the history names him
   * @param without nodes that may be missing
   * @param watch for how long no node may report misbehaving code after the switch; empty: as
   *     configured
   */
  record Order(String who, Set<String> without, Optional<Duration> watch) {
    public Order {
      without = Set.copyOf(without);
    }

    /** Nothing special. */
    public static Order by(String who) {
      return new Order(who, Set.of(), Optional.empty());
    }
  }

  /**
   * Who runs a new revision first.
   *
   * @param session that one alone; empty for a share of all
   * @param percent 1 to 99 of the sessions, by their id; the same ones on every node
   */
  record Canary(Optional<UUID> session, int percent) {
    private static final Pattern SHARE = Pattern.compile("([1-9][0-9]?)%");

    public Canary {
      if (session.isEmpty() && (percent < 1 || percent > 99)) {
        throw new IllegalArgumentException("canary: " + percent + "% (expected: 1% to 99%)");
      }
    }

    /**
     * Reads what {@link #toString} writes: the id of a session, or a share like {@code 5%}.
     *
     * @throws IllegalArgumentException where it is neither
     */
    public static Canary parse(String text) {
      Matcher share = SHARE.matcher(text);
      if (share.matches()) {
        return new Canary(Optional.empty(), Integer.parseInt(share.group(1)));
      }
      try {
        return new Canary(Optional.of(UUID.fromString(text)), 0);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(
            "canary: "
                + Texts.quote(text)
                + " (expected: the id of a session, or a share of 1% to 99%)",
            e);
      }
    }

    @Override
    public String toString() {
      return session.map(UUID::toString).orElse(percent + "%");
    }
  }

  /** How far an act is. */
  enum Phase {
    /** Nodes make ready what is to come; nothing is changed yet. */
    @JsonProperty("staging")
    STAGING("staging"),
    /** Nodes switch, then are watched. */
    @JsonProperty("switching")
    SWITCHING("switching"),
    /** All of it is so now. */
    @JsonProperty("confirmed")
    CONFIRMED("confirmed"),
    /** No node had switched; nothing is changed. */
    @JsonProperty("refused")
    REFUSED("refused"),
    /** Nodes had switched, and are as before. */
    @JsonProperty("rolled-back")
    ROLLED_BACK("rolled-back");

    private final String label;

    Phase(String label) {
      this.label = label;
    }

    /** The word for it, in JSON and for people. */
    public String label() {
      return label;
    }

    /** Whether nothing more will happen. */
    public boolean isOver() {
      return this != STAGING && this != SWITCHING;
    }
  }

  /**
   * One act, under way or over.
   *
   * @param what in words
   * @param at RFC 3339
   * @param reason why it ended so; empty where it was confirmed or goes on
   * @param nodes how far each node is, while it goes on: working, staged, switched, failed
   */
  record ActView(
      String id,
      String what,
      String who,
      String at,
      Phase phase,
      String reason,
      Map<String, String> nodes) {
    public ActView {
      nodes = Collections.unmodifiableMap(new TreeMap<>(nodes));
    }
  }

  /**
   * A revision that the cluster knows.
   *
   * @param id SHA-256 of its description, 64 hex digits
   * @param name of its modules, for people
   * @param state serving, canary, stable (where sessions go whose code fails), former
   * @param description as JSON
   * @param changes what it changes from what serves, a line each; none for what serves
   */
  record RevisionView(
      String id, String name, String state, String description, List<String> changes) {
    public RevisionView {
      changes = List.copyOf(changes);
    }
  }

  /**
   * What an upgrade would do.
   *
   * @param revision that it would bring
   * @param missing nodes that can't be reached, without which it would have to be ordered
   */
  record Preview(RevisionView revision, Set<String> missing) {
    public Preview {
      missing = Collections.unmodifiableSet(new TreeSet<>(missing));
    }
  }

  /**
   * One session.
   *
   * @param direction get or put
   * @param state live, held, or detached (no connection)
   * @param size -1 where it isn't known
   * @param module name@version of the code that runs it
   * @param remote of its connection; empty where there is none
   */
  record SessionView(
      String node,
      UUID session,
      String direction,
      String name,
      long offset,
      long size,
      String state,
      String module,
      String remote) {}

  /**
   * Sessions of all nodes.
   *
   * @param silent nodes that did not answer, with why
   */
  record SessionList(List<SessionView> sessions, Map<String, String> silent) {
    public SessionList {
      sessions = List.copyOf(sessions);
      silent = Collections.unmodifiableMap(new TreeMap<>(silent));
    }
  }

  /**
   * A node that keeps copies of what others receive.
   *
   * @param rack where it stands; empty where it doesn't say
   * @param freeBytes that it may still store
   * @param sessions that it copies now
   * @param behindBytes that came to it and are not written
   * @param draining whether it gets no new copies
   * @param filesLeft files that it has yet to bring elsewhere where it drains; -1: not known
   * @param registered whether the node that was asked may choose it
   */
  record BackupView(
      String node,
      String rack,
      long freeBytes,
      int sessions,
      long behindBytes,
      boolean draining,
      long filesLeft,
      boolean registered) {}

  /**
   * Backups as one node sees them.
   *
   * @param node that was asked
   * @param open whether backups may register with it
   */
  record BackupList(String node, boolean open, List<BackupView> backups) {
    public BackupList {
      backups = List.copyOf(backups);
    }
  }

  /**
   * What a backup does from now on.
   *
   * @param running copies that it makes of uploads that run, which go elsewhere where it drains
   */
  record Drained(String node, boolean draining, int running) {}

  /**
   * How far a node has read its files.
   *
   * @param node whose
   * @param running whether it goes on
   * @param files that were read
   * @param bytes of these
   * @param totalFiles that there were at the beginning
   * @param totalBytes of these
   * @param adopted files of which nothing was known before: from now on it is
   * @param rotten files that were not what was stored
   * @param repaired how many of them are as they should be by now
   * @param findings the first of those that were rotten
   * @param failure why it does not begin, or ended before the end; empty where all is well
   */
  record Verification(
      String node,
      boolean running,
      long files,
      long bytes,
      long totalFiles,
      long totalBytes,
      long adopted,
      long rotten,
      long repaired,
      List<RottenFile> findings,
      String failure) {
    public Verification {
      findings = List.copyOf(findings);
    }
  }

  /**
   * A file that was not what was stored.
   *
   * @param repairedFrom the node from which it was repaired; empty where it was not
   * @param reason why it was not; empty where it was
   */
  record RottenFile(String name, String repairedFrom, String reason) {}

  /** What {@link #accept} and {@link #register} say of a node where it was done. */
  String DONE = "done";

  /** Tries a module on this node: all that an upgrade does, but for the switch. */
  Preview preview(byte[] jar) throws OperationException;

  /** Begins to replace the revision in force by one with this module in it. */
  ActView upgrade(byte[] jar, Optional<Canary> canary, Order order) throws OperationException;

  /** Gives all sessions the code that the canary has. */
  ActView promote(Order order) throws OperationException;

  /**
   * Begins to go back to a revision that was confirmed before.
   *
   * @param revision its id, the first digits of it that no other has, or its name
   */
  ActView rollback(String revision, Order order) throws OperationException;

  /** Begins to take back the last act, or gives up the one that is under way. */
  ActView undo(Order order) throws OperationException;

  /** Begins to hold all transfers. */
  ActView pause(Order order) throws OperationException;

  /** Begins to let held transfers go on. */
  ActView resume(Order order) throws OperationException;

  /** How far an act is; empty where nobody knows it. */
  Optional<ActView> act(String id) throws OperationException;

  /** Acts, the latest first, the one under way included. */
  List<ActView> history() throws OperationException;

  /** Revisions that can be gone back to, the one in force first. */
  List<RevisionView> revisions() throws OperationException;

  /** All sessions. */
  SessionList sessions() throws OperationException;

  /**
   * Ends a session's connection, wherever it is; an unfinished upload stays resumable.
   *
   * @return the node that had it
   */
  String kill(UUID session, Order order) throws OperationException;

  /**
   * Takes no new sessions, or takes them again; those that are there go on either way.
   *
   * @param nodes which; none for all
   * @return what became of each node: {@link #DONE}, or why not
   */
  Map<String, String> accept(boolean accept, Set<String> nodes, Order order)
      throws OperationException;

  /** The backups that this node can reach, its own included. */
  BackupList backups() throws OperationException;

  /**
   * Has a backup chosen for no new copy, those that run moved to others, and its files brought to
   * others; or has it chosen again. It is so until the opposite is said.
   */
  Drained drain(String node, boolean drain, Order order) throws OperationException;

  /**
   * Lets backups register with every node, or no more.
   *
   * @return what became of each node: {@link #DONE}, or why not
   */
  Map<String, String> register(boolean open, Order order) throws OperationException;

  /**
   * Has every node read its files, and what is not what was stored repaired from another one.
   *
   * @param prefix of their names; empty for all
   * @return how far each node is, by now: nothing
   */
  List<Verification> verify(String prefix, Order order) throws OperationException;

  /** How far each node is with what {@link #verify} began last. */
  List<Verification> verification() throws OperationException;
}
