package io.theseus.client;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a client is told once: where the nodes are, how much may be in flight, how patient it is.
 */
public final class ClientSettings {
  private final List<NodeAddress> servers;
  private final long windowBytes;
  private final int maxDataBytes;
  private final long acknowledgeBytes;
  private final Duration acknowledgeAfter;
  private final Duration connectTimeout;
  private final Duration firstConnectLimit;
  private final Duration reconnectLimit;
  private final int reconnectAttempts;
  private final int refusalAttempts;
  private final Duration backoffFirst;
  private final Duration backoffMost;
  private final Duration silenceLimit;
  private final Duration idle;
  private final Duration errorLinger;
  private final @Nullable String token;
  private final @Nullable ClientTls tls;
  private final @Nullable PacketTrace trace;
  private final Supplier<UUID> sessionIds;

  private ClientSettings(Builder builder) {
    servers = List.copyOf(builder.servers);
    windowBytes = builder.windowBytes;
    maxDataBytes = builder.maxDataBytes;
    acknowledgeBytes = builder.acknowledgeBytes;
    acknowledgeAfter = builder.acknowledgeAfter;
    connectTimeout = builder.connectTimeout;
    firstConnectLimit = builder.firstConnectLimit;
    reconnectLimit = builder.reconnectLimit;
    reconnectAttempts = builder.reconnectAttempts;
    refusalAttempts = builder.refusalAttempts;
    backoffFirst = builder.backoffFirst;
    backoffMost = builder.backoffMost;
    silenceLimit = builder.silenceLimit;
    idle = builder.idle;
    errorLinger = builder.errorLinger;
    token = builder.token;
    tls = builder.tls;
    trace = builder.trace;
    sessionIds = builder.sessionIds;
    if (servers.isEmpty()) {
      throw new IllegalArgumentException("servers: none (expected: at least one host:port)");
    }
  }

  /** Default settings with these servers, which are tried in order. */
  public static Builder builder(List<NodeAddress> servers) {
    return new Builder(servers);
  }

  /** Default settings with these servers, which are tried in order. */
  public static Builder builder(NodeAddress... servers) {
    return new Builder(List.of(servers));
  }

  /** The nodes to begin with, in order; a session may name more. */
  public List<NodeAddress> servers() {
    return servers;
  }

  /** Bytes that may be in flight, and are kept of a live PUT; 0: exact stop-and-wait. */
  public long windowBytes() {
    return windowBytes;
  }

  /** The longest DATA asked for and sent; 0: as the server says. */
  public int maxDataBytes() {
    return maxDataBytes;
  }

  /** A GET is acknowledged each time that this much has come (at most half of the window). */
  public long acknowledgeBytes() {
    return acknowledgeBytes;
  }

  /** A GET is acknowledged at the latest this long after a byte was consumed. */
  public Duration acknowledgeAfter() {
    return acknowledgeAfter;
  }

  /** How long one connection attempt may take. */
  public Duration connectTimeout() {
    return connectTimeout;
  }

  /** How long a client that never had a connection tries before it gives up. */
  public Duration firstConnectLimit() {
    return firstConnectLimit;
  }

  /** How long a transfer tries to go on without a byte of progress. */
  public Duration reconnectLimit() {
    return reconnectLimit;
  }

  /** How many times a transfer tries to go on without a byte of progress. */
  public int reconnectAttempts() {
    return reconnectAttempts;
  }

  /** How many times in a row {@code no-space} or {@code internal} is taken before it is final. */
  public int refusalAttempts() {
    return refusalAttempts;
  }

  /** The pause after the first round of failed attempts; doubled after each further one. */
  public Duration backoffFirst() {
    return backoffFirst;
  }

  /** The longest pause between rounds of attempts. */
  public Duration backoffMost() {
    return backoffMost;
  }

  /** How long a server that lets us wait may be silent (it promises a sign each 5 s). */
  public Duration silenceLimit() {
    return silenceLimit;
  }

  /** The server's Idle until READY says it. */
  public Duration idle() {
    return idle;
  }

  /** How long is waited for the other end after an ERROR was sent. */
  public Duration errorLinger() {
    return errorLinger;
  }

  /** What proves who we are. */
  public Optional<String> token() {
    return Optional.ofNullable(token);
  }

  /** How TLS is spoken, with every node; empty: it isn't. */
  public Optional<ClientTls> tls() {
    return Optional.ofNullable(tls);
  }

  /** Is told of every packet. */
  public Optional<PacketTrace> trace() {
    return Optional.ofNullable(trace);
  }

  /** Where session ids come from; a secure random source, since an id is a claim to its session. */
  public Supplier<UUID> sessionIds() {
    return sessionIds;
  }

  /** These settings, to be changed. */
  public Builder toBuilder() {
    Builder builder = new Builder(servers);
    builder.windowBytes = windowBytes;
    builder.maxDataBytes = maxDataBytes;
    builder.acknowledgeBytes = acknowledgeBytes;
    builder.acknowledgeAfter = acknowledgeAfter;
    builder.connectTimeout = connectTimeout;
    builder.firstConnectLimit = firstConnectLimit;
    builder.reconnectLimit = reconnectLimit;
    builder.reconnectAttempts = reconnectAttempts;
    builder.refusalAttempts = refusalAttempts;
    builder.backoffFirst = backoffFirst;
    builder.backoffMost = backoffMost;
    builder.silenceLimit = silenceLimit;
    builder.idle = idle;
    builder.errorLinger = errorLinger;
    builder.token = token;
    builder.tls = tls;
    builder.trace = trace;
    builder.sessionIds = sessionIds;
    return builder;
  }

  /** Collects settings; every value is checked as it is given. */
  public static final class Builder {
    private static final long MIB = 1024L * 1024;

    private List<NodeAddress> servers;
    private long windowBytes = 32 * MIB;
    private int maxDataBytes;
    private long acknowledgeBytes = 8 * MIB;
    private Duration acknowledgeAfter = Duration.ofMillis(50);
    private Duration connectTimeout = Duration.ofSeconds(5);
    private Duration firstConnectLimit = Duration.ofSeconds(3);
    private Duration reconnectLimit = Duration.ofMinutes(2);
    private int reconnectAttempts = Integer.MAX_VALUE;
    private int refusalAttempts = 3;
    private Duration backoffFirst = Duration.ofMillis(100);
    private Duration backoffMost = Duration.ofSeconds(3);
    private Duration silenceLimit = Duration.ofSeconds(20);
    private Duration idle = Duration.ofSeconds(60);
    private Duration errorLinger = Duration.ofSeconds(2);
    private @Nullable String token;
    private @Nullable ClientTls tls;
    private @Nullable PacketTrace trace;
    // UUID.randomUUID draws from SecureRandom
    private Supplier<UUID> sessionIds = UUID::randomUUID;

    private Builder(List<NodeAddress> servers) {
      this.servers = servers;
    }

    /** See {@link ClientSettings#servers}. */
    public Builder servers(List<NodeAddress> value) {
      servers = value;
      return this;
    }

    /** See {@link ClientSettings#windowBytes}. */
    public Builder windowBytes(long value) {
      windowBytes = atLeast("window", value, 0);
      return this;
    }

    /** See {@link ClientSettings#maxDataBytes}. */
    public Builder maxDataBytes(int value) {
      maxDataBytes = (int) atLeast("max data", value, 0);
      return this;
    }

    /** See {@link ClientSettings#acknowledgeBytes}. */
    public Builder acknowledgeBytes(long value) {
      acknowledgeBytes = atLeast("acknowledge bytes", value, 1);
      return this;
    }

    /** See {@link ClientSettings#acknowledgeAfter}; at most a second, as the protocol promises. */
    public Builder acknowledgeAfter(Duration value) {
      if (value.compareTo(Duration.ofSeconds(1)) > 0) {
        throw new IllegalArgumentException(
            "acknowledge after: " + value + " (expected: at most 1 s)");
      }
      return acknowledgeLate(value);
    }

    /** For tests that must see what is sent before any timer. */
    Builder acknowledgeLate(Duration value) {
      acknowledgeAfter = duration("acknowledge after", value, Duration.ZERO);
      return this;
    }

    /** See {@link ClientSettings#connectTimeout}. */
    public Builder connectTimeout(Duration value) {
      connectTimeout = duration("connect timeout", value, Duration.ofMillis(1));
      return this;
    }

    /** See {@link ClientSettings#firstConnectLimit}. */
    public Builder firstConnectLimit(Duration value) {
      firstConnectLimit = duration("first connect limit", value, Duration.ZERO);
      return this;
    }

    /** See {@link ClientSettings#reconnectLimit}. */
    public Builder reconnectLimit(Duration value) {
      reconnectLimit = duration("reconnect limit", value, Duration.ZERO);
      return this;
    }

    /** See {@link ClientSettings#reconnectAttempts}. */
    public Builder reconnectAttempts(int value) {
      reconnectAttempts = (int) atLeast("reconnect attempts", value, 0);
      return this;
    }

    /** See {@link ClientSettings#refusalAttempts}. */
    public Builder refusalAttempts(int value) {
      refusalAttempts = (int) atLeast("refusal attempts", value, 1);
      return this;
    }

    /** See {@link ClientSettings#backoffFirst} and {@link ClientSettings#backoffMost}. */
    public Builder backoff(Duration first, Duration most) {
      backoffFirst = duration("backoff", first, Duration.ofMillis(1));
      backoffMost = duration("longest backoff", most, first);
      return this;
    }

    /** See {@link ClientSettings#silenceLimit}. */
    public Builder silenceLimit(Duration value) {
      silenceLimit = duration("silence limit", value, Duration.ofMillis(1));
      return this;
    }

    /** See {@link ClientSettings#idle}. */
    public Builder idle(Duration value) {
      idle = duration("idle", value, Duration.ofMillis(1));
      return this;
    }

    /** See {@link ClientSettings#errorLinger}. */
    public Builder errorLinger(Duration value) {
      errorLinger = duration("error linger", value, Duration.ZERO);
      return this;
    }

    /** See {@link ClientSettings#token}. */
    public Builder token(@Nullable String value) {
      if (value != null && value.chars().anyMatch(c -> c < ' ')) {
        throw new IllegalArgumentException("token: (expected: no control character)");
      }
      token = value;
      return this;
    }

    /** See {@link ClientSettings#tls}. */
    public Builder tls(@Nullable ClientTls value) {
      tls = value;
      return this;
    }

    /** See {@link ClientSettings#trace}. */
    public Builder trace(@Nullable PacketTrace value) {
      trace = value;
      return this;
    }

    /** See {@link ClientSettings#sessionIds}. */
    public Builder sessionIds(Supplier<UUID> value) {
      sessionIds = value;
      return this;
    }

    public ClientSettings build() {
      return new ClientSettings(this);
    }

    private static long atLeast(String what, long value, long least) {
      if (value < least) {
        throw new IllegalArgumentException(what + ": " + value + " (expected: >= " + least + ")");
      }
      return value;
    }

    private static Duration duration(String what, Duration value, Duration least) {
      if (value.compareTo(least) < 0) {
        throw new IllegalArgumentException(what + ": " + value + " (expected: >= " + least + ")");
      }
      return value;
    }
  }
}
