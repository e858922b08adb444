package io.theseus.module;

import io.theseus.channel.BackupPolicy;
import io.theseus.channel.DataChannel;
import io.theseus.channel.Direction;
import io.theseus.channel.FairnessPolicy;
import io.theseus.channel.NetworkFunction;
import io.theseus.channel.SessionInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** Revisions whose code is of the test itself, on threads of their own, as that of modules is. */
public final class TestRevisions {
  private static final Duration DEADLINE = Duration.ofSeconds(30);

  private TestRevisions() {}

  /** One whose channel is {@code name@2.0.0}. */
  public static Revision channel(String name, Supplier<DataChannel> maker) {
    return of(name, maker, List.of(), DEADLINE);
  }

  /** One of the channel that is built in and the given functions, {@code function-1} and so on. */
  public static Revision functions(String name, List<Supplier<NetworkFunction>> makers) {
    return Revision.of(
        name,
        Revision.standardChannel(),
        components(name, makers),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        new ModuleThreads(name, 2, DEADLINE),
        () -> {});
  }

  /** One of the channel that is built in and a fairness policy, {@code fairness@2.0.0}. */
  public static Revision fairness(String name, Supplier<FairnessPolicy> policy, Duration deadline) {
    return Revision.of(
        name,
        Revision.standardChannel(),
        List.of(),
        Optional.empty(),
        Optional.of(
            new NodePolicy<>(
                new Revision.Component<>("fairness@2.0.0", "fairness", "test " + name, policy::get),
                deadline)),
        Optional.empty(),
        new ModuleThreads(name, 2, deadline),
        () -> {});
  }

  /** One of the channel that is built in and a backup policy, {@code backup@2.0.0}. */
  public static Revision backup(String name, Supplier<BackupPolicy> policy, Duration deadline) {
    return Revision.of(
        name,
        Revision.standardChannel(),
        List.of(),
        Optional.empty(),
        Optional.empty(),
        Optional.of(
            new NodePolicy<>(
                new Revision.Component<>("backup@2.0.0", "backup", "test " + name, policy::get),
                deadline)),
        new ModuleThreads(name, 2, deadline),
        () -> {});
  }

  /** One of the channel that is built in that says when it is let go of. */
  public static Revision releasing(String name, Runnable release) {
    return of(name, StandardChannel::new, List.of(), DEADLINE, release);
  }

  /** One of all that. */
  public static Revision of(
      String name,
      Supplier<DataChannel> channel,
      List<Supplier<NetworkFunction>> functions,
      Duration deadline) {
    return of(name, channel, functions, deadline, () -> {});
  }

  /** The same, which says when it is let go of. */
  public static Revision of(
      String name,
      Supplier<DataChannel> channel,
      List<Supplier<NetworkFunction>> functions,
      Duration deadline,
      Runnable release) {
    List<Revision.Component<NetworkFunction>> components = new ArrayList<>();
    for (Supplier<NetworkFunction> maker : functions) {
      String key = "function-" + (components.size() + 1);
      components.add(
          new Revision.Component<>(key + "@2.0.0", key, "test " + name + key, maker::get));
    }
    return Revision.of(
        name,
        new Revision.Component<>(name + "@2.0.0", "channel", "test " + name, channel::get),
        components,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        new ModuleThreads(name, 2, deadline),
        release);
  }

  /** Begins its code for a session that is none. */
  public static CompletionStage<SessionCode.Begun> begin(Revision revision) {
    return SessionCode.begin(
        revision,
        beginning(
            new SessionInfo(new UUID(0, 1), Direction.GET, "in", OptionalLong.empty(), "test")),
        /* others= */ 0);
  }

  /** Behind no other code, and asked nothing yet. */
  static SessionCode.Beginning beginning(SessionInfo session) {
    return new SessionCode.Beginning(session, /* predecessor= */ null, Optional.empty());
  }

  private static List<Revision.Component<NetworkFunction>> components(
      String name, List<Supplier<NetworkFunction>> makers) {
    List<Revision.Component<NetworkFunction>> components = new ArrayList<>();
    for (Supplier<NetworkFunction> maker : makers) {
      String key = "function-" + (components.size() + 1);
      components.add(
          new Revision.Component<>(key + "@2.0.0", key, "test " + name + key, maker::get));
    }
    return components;
  }
}
