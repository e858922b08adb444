package io.theseus.node;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValueFactory;
import io.theseus.access.Hosts;
import io.theseus.access.Rights;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Everything that a node is configured by, checked. The keys, their meaning and their limits are in
 * {@code application.conf}; {@link SettingsSource} says which layer wins.
 *
 * @param akka the whole resolved config, for the actor system
 */
public record NodeSettings(
    String id,
    Set<Role> roles,
    Path dataDir,
    Store store,
    Packets packets,
    Access access,
    Modules modules,
    Session session,
    Map<FileName, LiveSource> live,
    Threads threads,
    Path journalDir,
    Cluster cluster,
    Backup backup,
    Repair repair,
    Log log,
    Config akka) {

  /** The thread pool of the control plane. */
  public static final String CONTROL_DISPATCHER = "theseus.dispatchers.control";

  /** Where actors wait for the disk that upgrades are recorded on. */
  static final String UPGRADE_DISPATCHER = "theseus.dispatchers.upgrade";

  /** The actors that see to copies on other nodes, and keep copies of theirs. */
  static final String BACKUP_DISPATCHER = "theseus.dispatchers.backup";

  /** A member's role that carries its configured id, since an address names nobody. */
  static final String ID_ROLE = "id:";

  private static final Pattern ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");
  private static final String ID_EXPECTED =
      "1 to 64 of A-Z a-z 0-9 . _ - beginning with a letter or digit";
  private static final Pattern HOST = Pattern.compile("[^\\s,/\\[\\]]{1,253}");
  private static final Set<String> WILDCARDS = Set.of("0.0.0.0", "::", "0:0:0:0:0:0:0:0", "*");
  private static final int KIB = 1 << 10;

  /** Less would be nothing in an interval for more than a few sessions. */
  private static final long LEAST_BANDWIDTH = 64 * KIB;

  private static final long LEAST_SPOOL = 512 * KIB;
  private static final int MIB = 1 << 20;
  private static final int GIB = 1 << 30;
  private static final int MOST_COPIES = 8;

  /** What a node does in the cluster. */
  public enum Role {
    CONTROL,
    BACKUP
  }

  /**
   * Where files are, and the space that stays free.
   *
   * @param restBytes at least 0
   * @param maxBytes the most that files and uploads have together; 0 for no limit
   * @param maxFiles the most files; 0 for no limit
   */
  public record Store(Path root, long restBytes, long maxBytes, long maxFiles) {}

  /**
   * The port of the packet protocol.
   *
   * @param advertise {@code host:port} as clients reach it; empty for host and the port in use
   */
  public record Packets(
      String host,
      int port,
      String advertise,
      Duration idle,
      int maxDataBytes,
      int putWindowBytes,
      int maxGetWindowBytes,
      Duration checkpointDelay,
      int maxConnections,
      int maxConnectionsPerSource,
      Optional<Tls> tls) {

    /** The address that clients reach, when the listener is bound. */
    public String advertised(int boundPort) {
      return advertise.isEmpty() ? NodeSettings.address(host, boundPort) : advertise;
    }
  }

  /**
   * The port of the packet protocol over TLS.
   *
   * @param advertise {@code host:port} as clients reach it; empty for host and the port in use
   * @param handshake how long a client may take to be there
   */
  public record Tls(
      Path certificate, Path key, String host, int port, String advertise, Duration handshake) {}

  /**
   * Who may do what.
   *
   * @param tokens the file of tokens; empty where there is none
   */
  public record Access(Optional<Path> tokens, Anonymous anonymous) {

    /** What clients without a token may do. */
    public enum Anonymous {
      AUTO,
      ALL,
      READ,
      NOTHING
    }

    /** What clients without a token may do on a port that listens there. */
    Rights anonymousAt(String host) {
      return switch (anonymous) {
        case AUTO -> Hosts.isLoopback(host) ? Rights.ALL : Rights.NOTHING;
        case ALL -> Rights.ALL;
        case READ -> Rights.READ;
        case NOTHING -> Rights.NOTHING;
      };
    }
  }

  /**
   * Whose modules are accepted.
   *
   * @param keys files of public keys
   * @param labKey the file of the key that the node may make for itself, since none is configured
   *     and it can be reached from this host only
   * @param threads for the code of one revision
   * @param callDeadline the longest that one call of code may take
   * @param watch how long code is watched after a switch before it is confirmed
   * @param mostMisbehavingPercent of the sessions of a node: above it an upgrade is taken back
   */
  public record Modules(
      List<Path> keys,
      Optional<Path> labKey,
      int threads,
      Duration callDeadline,
      Duration watch,
      int mostMisbehavingPercent) {}

  /**
   * How long sessions are kept, how often a download leaves a mark, and what they may move.
   *
   * @param longestPause after which held transfers go on by themselves
   * @param mostWaiting sessions that may begin while all are held
   * @param bandwidth bytes a second of all together; 0 for any number
   */
  public record Session(
      Duration keep,
      long markBytes,
      Duration markInterval,
      Duration longestPause,
      int mostWaiting,
      long bandwidth) {}

  /** A stream with a name. */
  public sealed interface LiveSource {
    /**
     * A named pipe.
     *
     * @param spoolBytes that are kept on disk, so that readers may go back; 0 for none
     */
    record Fifo(Path path, long spoolBytes) implements LiveSource {}

    /**
     * What a command prints.
     *
     * @param spoolBytes as of a FIFO
     */
    record Command(List<String> arguments, long spoolBytes) implements LiveSource {}
  }

  /**
   * Numbers of threads.
   *
   * @param eventLoops at least 1
   * @param eventLoopNice nice value of the event loops; 0 is that of all others
   */
  public record Threads(int eventLoops, int eventLoopNice, int disk) {}

  /**
   * The other nodes.
   *
   * @param nodes ids of all nodes, this one among them
   * @param seedNodes {@code host:port}, without duplicates
   * @param catchUp how long a node that starts asks the others for the code in force
   * @param rememberDeleted how long a name that was deleted is remembered
   */
  public record Cluster(
      Set<String> nodes,
      List<String> seedNodes,
      String host,
      int port,
      Duration catchUp,
      Duration rememberDeleted,
      Optional<ClusterTls> tls) {

    /** More than half of all nodes: so many are a cluster, fewer are not. */
    public int majority() {
      return Math.max(nodes.size(), seedNodes.size()) / 2 + 1;
    }
  }

  /**
   * How nodes know each other.
   *
   * @param authorities who signs the nodes' certificates
   * @param hosts of nodes that may connect: one of them stands in the certificate of each
   */
  public record ClusterTls(Path certificate, Path key, Path authorities, Set<String> hosts) {}

  /**
   * What other nodes keep of what this one receives, and where they get it.
   *
   * @param port of the data plane between nodes, at the cluster's host
   * @param advertise {@code host:port} as other nodes reach it; empty for host and the port in use
   * @param mostHeldBytes that came from other nodes and are not written yet
   * @param factor copies on other nodes
   * @param rack where this node stands; empty where it doesn't matter
   * @param registration how long after the start backups may register; empty for ever
   */
  public record Backup(
      int port,
      String advertise,
      long mostHeldBytes,
      int factor,
      WhenMissing whenMissing,
      String rack,
      Optional<Duration> registration) {

    /** What a PUT does while there are too few backups. */
    public enum WhenMissing {
      CONTINUE,
      WAIT
    }
  }

  /**
   * How the node sees to the files that it has.
   *
   * @param after so long a node may be away before what it had is copied
   * @param copyBandwidth bytes a second, of those copies; 0 for any number
   * @param scrubEvery from one reading of all files to the next; 0 for none
   * @param scrubBandwidth bytes a second, of that; 0 for any number
   */
  public record Repair(
      Duration after, long copyBandwidth, Duration scrubEvery, long scrubBandwidth) {}

  /** How events are written. */
  public record Log(Format format, Level level) {

    /** One line for a person, or one JSON object. */
    public enum Format {
      TEXT,
      JSON
    }

    /** The least important level that is written. */
    public enum Level {
      ERROR,
      WARN,
      INFO,
      DEBUG,
      TRACE
    }
  }

  /**
   * Checks a resolved config.
   *
   * @throws ConfigException naming the key, the value and what was expected
   */
  public static NodeSettings from(Config config) {
    ConfigReader reader = new ConfigReader(config);
    String id = reader.string("theseus.node.id");
    if (!ID.matcher(id).matches()) {
      throw reader.refuse("theseus.node.id", ID_EXPECTED);
    }
    Set<Role> roles = roles(reader);
    Cluster cluster = cluster(reader, id);
    Packets packets = packets(reader);
    return new NodeSettings(
        id,
        roles,
        path(reader, "theseus.data-dir"),
        new Store(
            path(reader, "theseus.store.root"),
            reader.bytes("theseus.store.rest-bytes", 0, Long.MAX_VALUE),
            reader.bytes("theseus.store.max-bytes", 0, Long.MAX_VALUE),
            reader.number("theseus.store.max-files", 0)),
        packets,
        access(reader, packets),
        modules(reader, packets, cluster),
        new Session(
            reader.duration("theseus.session.keep", Duration.ofSeconds(1), Duration.ofDays(365)),
            reader.bytes("theseus.session.mark-bytes", MIB, 1L << 40),
            reader.duration(
                "theseus.session.mark-interval", Duration.ofMillis(100), Duration.ofHours(1)),
            reader.duration(
                "theseus.session.longest-pause", Duration.ofSeconds(1), Duration.ofHours(24)),
            reader.integer("theseus.session.most-waiting", 0, 1_000_000),
            bandwidth(reader, "theseus.session.bandwidth")),
        live(reader),
        threads(reader),
        path(reader, "theseus.journal.dir"),
        cluster,
        new Backup(
            reader.port("theseus.peers.port"),
            advertisedToPeers(reader),
            reader.bytes("theseus.peers.most-held-bytes", MIB, 1L << 40),
            reader.integer("theseus.backup.factor", 0, MOST_COPIES),
            reader.oneOf("theseus.backup.when-missing", Backup.WhenMissing.class),
            rack(reader),
            registration(reader)),
        new Repair(
            reader.duration("theseus.repair.after", Duration.ZERO, Duration.ofDays(365)),
            bandwidth(reader, "theseus.repair.copy-bandwidth"),
            reader.duration("theseus.repair.scrub-every", Duration.ZERO, Duration.ofDays(3650)),
            bandwidth(reader, "theseus.repair.scrub-bandwidth")),
        new Log(
            reader.oneOf("theseus.log.format", Log.Format.class),
            reader.oneOf("theseus.log.level", Log.Level.class)),
        akka(config, id, roles, cluster));
  }

  private static String rack(ConfigReader reader) {
    String key = "theseus.backup.rack";
    String rack = reader.string(key);
    if (!rack.isEmpty() && !ID.matcher(rack).matches()) {
      throw reader.refuse(key, "nothing, or " + ID_EXPECTED);
    }
    return rack;
  }

  private static Optional<Duration> registration(ConfigReader reader) {
    String key = "theseus.backup.registration";
    if (reader.string(key).equals("open")) {
      return Optional.empty();
    }
    try {
      return Optional.of(reader.duration(key, Duration.ofSeconds(1), Duration.ofDays(365)));
    } catch (ConfigException e) {
      throw reader.refuse(key, "open, or 1s to 365d");
    }
  }

  /** {@code host:port}, IPv6 in brackets. */
  static String address(String host, int port) {
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }

  private static Set<Role> roles(ConfigReader reader) {
    String key = "theseus.node.roles";
    Set<Role> roles = new TreeSet<>();
    for (String name : reader.strings(key)) {
      switch (name) {
        case "control" -> roles.add(Role.CONTROL);
        case "backup" -> roles.add(Role.BACKUP);
        default -> throw reader.refuse(key, "\"control\", \"backup\" or both");
      }
    }
    if (roles.isEmpty()) {
      throw reader.refuse(key, "\"control\", \"backup\" or both");
    }
    return Set.copyOf(roles);
  }

  private static Packets packets(ConfigReader reader) {
    int maxData = (int) reader.bytes("theseus.packets.max-data", 4 * KIB, 16 * MIB);
    Packets packets =
        new Packets(
            host(reader, "theseus.packets.host"),
            reader.port("theseus.packets.port"),
            reader.string("theseus.packets.advertise").strip(),
            reader.duration("theseus.packets.idle", Duration.ofSeconds(10), Duration.ofHours(1)),
            maxData,
            (int) reader.bytes("theseus.packets.put-window", maxData, GIB),
            (int) reader.bytes("theseus.packets.max-get-window", maxData, GIB),
            reader.duration(
                "theseus.packets.checkpoint-delay", Duration.ZERO, Duration.ofSeconds(1)),
            reader.integer("theseus.packets.max-connections", 0, 1_000_000),
            reader.integer("theseus.packets.max-connections-per-source", 0, 1_000_000),
            tls(reader));
    requireAdvertised(reader, "theseus.packets", packets.host(), packets.advertise());
    if (reader.oneOf("theseus.packets.unencrypted", Unencrypted.class) == Unencrypted.LOOPBACK
        && !Hosts.isLoopback(packets.host())) {
      throw reader.refuse(
          "theseus.packets.host",
          "a loopback address, since nothing is encrypted on this port; clients from elsewhere come"
              + " over theseus.packets.tls, or theseus.packets.unencrypted = anywhere where the whole"
              + " network is trusted");
    }
    return packets;
  }

  private static void requireAdvertised(
      ConfigReader reader, String section, String host, String advertise) {
    String key = section + ".advertise";
    if (advertise.isEmpty()) {
      if (WILDCARDS.contains(host)) {
        throw reader.refuse(
            key,
            "host:port by which clients reach this node, since "
                + section
                + ".host is the wildcard "
                + host);
      }
    } else if (!isAddress(advertise)) {
      throw reader.refuse(key, "host:port as clients reach it, IPv6 in brackets, no wildcard");
    }
  }

  private static String advertisedToPeers(ConfigReader reader) {
    String advertise = reader.string("theseus.peers.advertise").strip();
    if (!advertise.isEmpty() && !isAddress(advertise)) {
      throw reader.refuse(
          "theseus.peers.advertise",
          "host:port as other nodes reach it, IPv6 in brackets, no wildcard");
    }
    return advertise;
  }

  private static Optional<Tls> tls(ConfigReader reader) {
    String section = "theseus.packets.tls";
    // all are checked, also where none is in use yet
    int port = reader.port(section + ".port");
    Duration handshake =
        reader.duration(section + ".handshake", Duration.ofSeconds(1), Duration.ofMinutes(1));
    String host = reader.string(section + ".host").isBlank() ? "" : host(reader, section + ".host");
    String advertise = reader.string(section + ".advertise").strip();
    if (!both(reader, section + ".certificate", section + ".key")) {
      return Optional.empty();
    }
    String listen = host.isEmpty() ? host(reader, "theseus.packets.host") : host;
    requireAdvertised(reader, section, listen, advertise);
    return Optional.of(
        new Tls(
            path(reader, section + ".certificate"),
            path(reader, section + ".key"),
            listen,
            port,
            advertise,
            handshake));
  }

  /** Whether two settings that go together are there; one alone is refused. */
  private static boolean both(ConfigReader reader, String one, String other) {
    boolean first = !reader.string(one).isBlank();
    boolean second = !reader.string(other).isBlank();
    if (first != second) {
      throw reader.refuse(
          first ? other : one, "a path, since " + (first ? one : other) + " is set");
    }
    return first;
  }

  private static Access access(ConfigReader reader, Packets packets) {
    String file = "theseus.access.tokens";
    Optional<Path> tokens =
        reader.string(file).isBlank() ? Optional.empty() : Optional.of(path(reader, file));
    Access.Anonymous anonymous = reader.oneOf("theseus.access.anonymous", Access.Anonymous.class);
    Optional<String> beyond =
        Stream.concat(Stream.of(packets.host()), packets.tls().map(Tls::host).stream())
            .filter(host -> !Hosts.isLoopback(host))
            .findFirst();
    if (tokens.isEmpty() && anonymous == Access.Anonymous.AUTO && beyond.isPresent()) {
      throw reader.refuse(
          file,
          "a file of tokens, since clients are served at "
              + beyond.get()
              + ", beyond loopback, and nobody without a token may do anything there; or"
              + " theseus.access.anonymous = read or all");
    }
    return new Access(tokens, anonymous);
  }

  private static long bandwidth(ConfigReader reader, String key) {
    long bytesPerSecond = reader.bytes(key, 0, Long.MAX_VALUE);
    if (bytesPerSecond > 0 && bytesPerSecond < LEAST_BANDWIDTH) {
      throw reader.refuse(key, "0, or at least 64 KiB");
    }
    return bytesPerSecond;
  }

  private static Modules modules(ConfigReader reader, Packets packets, Cluster cluster) {
    List<Path> keys = paths(reader, "theseus.modules.keys");
    Path labKey = path(reader, "theseus.modules.lab-key");
    boolean loopback =
        Stream.concat(
                Stream.of(packets.host(), cluster.host()), packets.tls().map(Tls::host).stream())
            .allMatch(Hosts::isLoopback);
    return new Modules(
        keys,
        keys.isEmpty() && loopback ? Optional.of(labKey) : Optional.empty(),
        reader.integer("theseus.modules.threads", 1, 64),
        reader.duration(
            "theseus.modules.call-deadline", Duration.ofMillis(50), Duration.ofMinutes(1)),
        reader.duration("theseus.modules.watch", Duration.ZERO, Duration.ofHours(24)),
        reader.integer("theseus.modules.most-misbehaving", 0, 100));
  }

  private static Threads threads(ConfigReader reader) {
    int eventLoops = reader.integer("theseus.threads.event-loops", 0, 256);
    return new Threads(
        eventLoops == 0 ? Runtime.getRuntime().availableProcessors() : eventLoops,
        reader.integer("theseus.threads.event-loop-nice", -20, 19),
        reader.integer("theseus.threads.disk", 2, 1024));
  }

  private static Map<FileName, LiveSource> live(ConfigReader reader) {
    Map<FileName, LiveSource> sources = new TreeMap<>();
    for (String name : reader.config("theseus.live").root().keySet()) {
      String key = "theseus.live." + ConfigUtil.quoteString(name);
      FileName file;
      try {
        file = FileName.parse(name);
      } catch (ProtocolException e) {
        throw reader.refuse(key, "a name that a file may have: " + e.getMessage());
      }
      sources.put(file, liveSource(reader, key));
    }
    return Map.copyOf(sources);
  }

  private static LiveSource liveSource(ConfigReader reader, String key) {
    Set<String> keys = new HashSet<>(reader.config(key).root().keySet());
    long spool =
        keys.remove("spool") ? reader.bytes(key + ".spool", LEAST_SPOOL, Long.MAX_VALUE) : 0;
    if (keys.equals(Set.of("fifo"))) {
      return new LiveSource.Fifo(path(reader, key + ".fifo"), spool);
    }
    if (keys.equals(Set.of("command"))) {
      List<String> command = reader.strings(key + ".command");
      if (command.isEmpty() || command.get(0).isEmpty()) {
        throw reader.refuse(key + ".command", "[\"program\", \"argument\", ...]");
      }
      return new LiveSource.Command(command, spool);
    }
    throw reader.refuse(
        key,
        "{ fifo = \"/path\" } or { command = [\"program\", ...] }, and spool = 64 MiB or none");
  }

  private static Cluster cluster(ConfigReader reader, String id) {
    Set<String> nodes = new TreeSet<>(reader.strings("theseus.cluster.nodes"));
    for (String node : nodes) {
      if (!ID.matcher(node).matches()) {
        throw reader.refuse("theseus.cluster.nodes", "ids, each " + ID_EXPECTED);
      }
    }
    if (nodes.isEmpty()) {
      nodes.add(id);
    } else if (!nodes.contains(id)) {
      throw reader.refuse(
          "theseus.cluster.nodes", "all ids, that of this node, theseus.node.id " + id + ", too");
    }
    String host = host(reader, "theseus.cluster.host");
    if (WILDCARDS.contains(host)) {
      throw reader.refuse("theseus.cluster.host", "an address by which other nodes reach this one");
    }
    int port = reader.port("theseus.cluster.port");
    List<String> seeds = reader.strings("theseus.cluster.seed-nodes");
    for (String seed : seeds) {
      if (!isAddress(seed)) {
        throw reader.refuse(
            "theseus.cluster.seed-nodes", "host:port of each, IPv6 in brackets, no wildcard");
      }
    }
    if (new HashSet<>(seeds).size() != seeds.size()) {
      throw reader.refuse("theseus.cluster.seed-nodes", "each node once");
    }
    if (port == 0 && !seeds.isEmpty()) {
      throw reader.refuse(
          "theseus.cluster.port", "1 to 65535, since theseus.cluster.seed-nodes is set");
    }
    if (nodes.size() > 1 && seeds.isEmpty()) {
      throw reader.refuse(
          "theseus.cluster.seed-nodes",
          "the addresses of the nodes, since theseus.cluster.nodes names " + nodes.size());
    }
    Duration catchUp =
        reader.duration("theseus.cluster.catch-up", Duration.ZERO, Duration.ofMinutes(10));
    Optional<ClusterTls> tls = clusterTls(reader, host, seeds);
    if (tls.isEmpty()
        && !Hosts.isLoopback(host)
        && reader.oneOf("theseus.cluster.unencrypted", Unencrypted.class) == Unencrypted.LOOPBACK) {
      throw reader.refuse(
          "theseus.cluster.host",
          "a loopback address, since nodes trust whoever reaches them there; beyond it"
              + " theseus.cluster.tls, or theseus.cluster.unencrypted = anywhere where the whole"
              + " network is trusted");
    }
    Duration rememberDeleted =
        reader.duration(
            "theseus.cluster.remember-deleted", Duration.ofHours(1), Duration.ofDays(3650));
    return new Cluster(
        Set.copyOf(nodes), List.copyOf(seeds), host, port, catchUp, rememberDeleted, tls);
  }

  /** Where what is sent may be read and changed on its way. */
  private enum Unencrypted {
    LOOPBACK,
    ANYWHERE
  }

  private static Optional<ClusterTls> clusterTls(
      ConfigReader reader, String host, List<String> seeds) {
    String section = "theseus.cluster.tls";
    reader.oneOf("theseus.cluster.unencrypted", Unencrypted.class);
    Set<String> hosts = new TreeSet<>(reader.strings(section + ".hosts"));
    for (String each : hosts) {
      if (!HOST.matcher(each).matches() || WILDCARDS.contains(each)) {
        throw reader.refuse(section + ".hosts", "names or addresses of hosts, without ports");
      }
    }
    boolean used = both(reader, section + ".certificate", section + ".key");
    if (both(reader, section + ".ca", section + ".certificate") != used || !used) {
      return Optional.empty();
    }
    hosts.add(host);
    for (String seed : seeds) {
      hosts.add(seed.substring(0, seed.lastIndexOf(':')).replaceAll("^\\[|]$", ""));
    }
    return Optional.of(
        new ClusterTls(
            path(reader, section + ".certificate"),
            path(reader, section + ".key"),
            path(reader, section + ".ca"),
            Set.copyOf(hosts)));
  }

  /** The config for the actor system: what depends on checked values is put in here. */
  private static Config akka(Config config, String id, Set<Role> roles, Cluster cluster) {
    return ConfigFactory.empty()
        .withValue(
            "akka.cluster.roles",
            ConfigValueFactory.fromIterable(
                Stream.concat(
                        Stream.of(ID_ROLE + id),
                        roles.stream().map(role -> role.name().toLowerCase(Locale.ROOT)))
                    .toList()))
        .withValue(
            "akka.cluster.split-brain-resolver.static-quorum.quorum-size",
            ConfigValueFactory.fromAnyRef(cluster.majority()))
        .withValue(
            "akka.remote.artery.transport",
            ConfigValueFactory.fromAnyRef(cluster.tls().isPresent() ? "tls-tcp" : "tcp"))
        .withFallback(config);
  }

  private static String host(ConfigReader reader, String key) {
    String host = reader.string(key);
    if (!HOST.matcher(host).matches()) {
      throw reader.refuse(key, "a host name or an address, without brackets or port");
    }
    return host;
  }

  private static Path path(ConfigReader reader, String key) {
    String text = reader.string(key);
    try {
      if (!text.isBlank()) {
        return Path.of(text).toAbsolutePath().normalize();
      }
    } catch (InvalidPathException e) {
      // refused below, with the same words
    }
    throw reader.refuse(key, "a path");
  }

  private static List<Path> paths(ConfigReader reader, String key) {
    List<Path> paths = new ArrayList<>();
    for (String text : reader.strings(key)) {
      if (text.isBlank()) {
        throw reader.refuse(key, "a list of paths");
      }
      try {
        paths.add(Path.of(text).toAbsolutePath().normalize());
      } catch (InvalidPathException e) {
        throw reader.refuse(key, "a list of paths");
      }
    }
    return List.copyOf(paths);
  }

  private static boolean isAddress(String text) {
    int colon = text.lastIndexOf(':');
    if (colon <= 0) {
      return false;
    }
    String host = text.substring(0, colon);
    boolean bracketed = host.startsWith("[") && host.endsWith("]");
    String bare = bracketed ? host.substring(1, host.length() - 1) : host;
    if (!HOST.matcher(bare).matches()
        || WILDCARDS.contains(bare)
        || bracketed != (bare.indexOf(':') >= 0)) {
      return false;
    }
    String port = text.substring(colon + 1);
    return port.matches("[0-9]{1,5}")
        && Integer.parseInt(port) >= 1
        && Integer.parseInt(port) <= 65_535;
  }
}
