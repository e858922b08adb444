package io.theseus.admin;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A node as it was at one moment. Its JSON form is what {@code theseus status --json} prints and
 * what the MBean's {@code Status} is; fields are only ever added.
 *
 * @param startedAt RFC 3339
 * @param addresses {@code host:port} by door: {@code packets}, {@code packets-tls}, {@code
 *     remoting}
 * @param filesDir the directory that is served
 * @param freeBytes usable on the file system of {@code filesDir}; 0 where it can't be found out
 * @param sessions how many there are in each state
 * @param quota what the files take of what they may take
 * @param counters what was done since the start, by name; they only grow, {@code connections-open}
 *     and {@code buffer-bytes} apart
 * @param errors ERRORs that were sent, by code
 * @param failures the same of GETs and PUTs alone
 * @param code what moves the data, and who sees to its changes
 * @param backups who keeps copies of what comes
 * @param files whether they are what was stored, on as many nodes as are wanted
 * @param certificates when each expires, RFC 3339, by who shows it: {@code packets}, {@code
 *     cluster}; never null, but for a node of before there were any
 * @param parts each part of the node that has a state of its own
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record NodeStatus(
    String node,
    String version,
    long pid,
    String startedAt,
    long uptimeSeconds,
    Map<String, String> addresses,
    List<String> roles,
    String dataDir,
    String filesDir,
    long freeBytes,
    Quota quota,
    Map<String, Long> sessions,
    Map<String, Long> counters,
    Map<String, Long> errors,
    Map<String, Long> failures,
    Cluster cluster,
    Code code,
    Backups backups,
    Files files,
    Map<String, String> certificates,
    List<Part> parts) {

  private static final ObjectMapper JSON = new ObjectMapper();

  public NodeStatus {
    addresses = java.util.Collections.unmodifiableMap(new TreeMap<>(addresses));
    quota = Objects.requireNonNullElse(quota, Quota.NONE); // a version without it
    code = Objects.requireNonNullElse(code, Code.NONE); // the same
    backups = Objects.requireNonNullElse(backups, Backups.NONE); // the same
    files = Objects.requireNonNullElse(files, Files.NONE); // the same
    roles = roles.stream().sorted().toList();
    sessions = java.util.Collections.unmodifiableMap(new TreeMap<>(sessions));
    counters = sorted(counters);
    errors = sorted(errors);
    failures = sorted(failures);
    certificates =
        certificates == null
            ? Map.of()
            : java.util.Collections.unmodifiableMap(new TreeMap<>(certificates));
    parts = List.copyOf(parts);
  }

  /**
   * A part of the node and how it does.
   *
   * @param state one word or two, {@code normal} where it is
   * @param reason why it isn't normal, and what is waited for; empty exactly where it is normal
   */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Part(String name, String state, String reason) {
    private static final String NORMAL = "normal";

    public Part {
      if (state.equals(NORMAL) != reason.isEmpty()) {
        throw new IllegalArgumentException(
            "reason: \""
                + reason
                + "\" (expected: one for every state but normal, and "
                + state
                + " was given)");
      }
    }

    public static Part normal(String name) {
      return new Part(name, NORMAL, "");
    }

    public boolean isNormal() {
      return state.equals(NORMAL);
    }
  }

  /**
   * What files and uploads take, and the limits of both.
   *
   * @param usedBytes 0 where nothing is limited, as {@code usedFiles}
   * @param maxBytes {@code theseus.store.max-bytes}, 0 for no limit
   * @param maxFiles {@code theseus.store.max-files}, 0 for no limit
   */
  public record Quota(long usedBytes, long maxBytes, long usedFiles, long maxFiles) {
    public static final Quota NONE = new Quota(0, 0, 0, 0);

    /** Whether there is a limit at all. */
    @JsonIgnore
    public boolean isLimited() {
      return maxBytes > 0 || maxFiles > 0;
    }
  }

  /**
   * The code that moves the data.
   *
   * @param serving the revision in force on this node, with its canary; empty before there is one
   * @param act the one under way; empty for none
   * @param paused whether all transfers are held
   * @param coordinates whether the coordinator of upgrades was put on this node
   * @param standing how much the node knows of what the others agreed on
   * @param following sessions that still run what was in force before the last switch
   */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Code(
      String serving,
      String act,
      boolean paused,
      boolean coordinates,
      String standing,
      int following) {
    public static final Code NONE = new Code("", "", false, false, "", 0);
  }

  /**
   * Copies on other nodes.
   *
   * @param factor how many are wanted, {@code theseus.backup.factor}
   * @param known backups that can be reached and chosen
   * @param shortOfCopies uploads of which fewer nodes than that have all that was acknowledged
   */
  public record Backups(int factor, int known, long shortOfCopies) {
    public static final Backups NONE = new Backups(0, 0, 0);
  }

  /**
   * The files of the node.
   *
   * @param copying whether they are looked through now for those that are on too few nodes
   * @param looked how many were, this time or the last
   * @param shortOfCopies those of them that could not be copied
   * @param copiedFiles copies that were made from this node, since its start
   * @param copiedBytes of these
   * @param left of a node that is being emptied, those that are not on enough others; -1: unknown
   * @param waitsFor why they are not looked through, though they should be; otherwise empty
   * @param scrubbing whether they are read now, by schedule
   * @param scrubbed how many were, this time or the last
   * @param scrubTotal how many there were when that began
   * @param lastScrub when it ended last, RFC 3339; empty before the first
   * @param rotten those that are known to be something else than was stored
   * @param rottenNames of the first of these
   * @param aside how many were set aside, to be looked at by a person
   * @param asideDir where these are
   */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Files(
      boolean copying,
      long looked,
      long shortOfCopies,
      long copiedFiles,
      long copiedBytes,
      long left,
      String waitsFor,
      boolean scrubbing,
      long scrubbed,
      long scrubTotal,
      String lastScrub,
      long rotten,
      List<String> rottenNames,
      long aside,
      String asideDir) {
    public static final Files NONE =
        new Files(false, 0, 0, 0, 0, -1, "", false, 0, 0, "", 0, List.of(), 0, "");

    public Files {
      rottenNames = List.copyOf(rottenNames);
    }
  }

  /**
   * The cluster as this node sees it.
   *
   * @param leader remoting address; empty where there is none
   * @param waitsFor what joining waits for; empty for a member
   */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Cluster(String self, String leader, String waitsFor, List<Member> members) {
    public Cluster {
      members = List.copyOf(members);
    }
  }

  /**
   * A member of the cluster.
   *
   * @param node its configured id
   * @param address of its remoting
   * @param status joining, up, leaving and so on
   */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Member(
      String node, String address, String status, boolean reachable, List<String> roles) {
    public Member {
      roles = List.copyOf(roles);
    }
  }

  /** A version without them has none. */
  private static Map<String, Long> sorted(@Nullable Map<String, Long> numbers) {
    return numbers == null
        ? Map.of()
        : java.util.Collections.unmodifiableMap(new TreeMap<>(numbers));
  }

  /** Whether every part is normal. */
  @JsonProperty("normal")
  public boolean isNormal() {
    return parts.stream().allMatch(Part::isNormal);
  }

  /** One JSON object, on one line. */
  public String toJson() {
    try {
      return JSON.writeValueAsString(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Reads what {@link #toJson} wrote, by this version or another.
   *
   * @throws IllegalArgumentException when it is no status
   */
  public static NodeStatus fromJson(String json) {
    try {
      return JSON.readValue(json, NodeStatus.class);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("no status of a node: " + e.getOriginalMessage(), e);
    }
  }
}
