package io.theseus.upgrade;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorRefResolver;
import akka.actor.typed.ActorSystem;
import akka.cluster.Member;
import akka.cluster.typed.Cluster;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The other nodes as the cluster knows them now, by their ids: no address names a node for long.
 */
public final class Peers {
  private final Cluster cluster;
  private final ActorRefResolver resolver;
  private final String idRole;

  /**
   * Peers of a node.
   *
   * @param idRole how the role begins that carries a member's id
   */
  public Peers(ActorSystem<?> system, String idRole) {
    this.cluster = Cluster.get(system);
    this.resolver = ActorRefResolver.get(system);
    this.idRole = idRole;
  }

  /** An actor of a node; empty where the node is no member now. */
  public <T> Optional<ActorRef<T>> find(String node, String actor) {
    return members().stream()
        .filter(member -> member.hasRole(idRole + node))
        .map(member -> this.<T>at(member, actor))
        .reduce((older, newer) -> newer); // one that returned may be there twice for a while
  }

  /** An actor of every other node that can be reached. */
  public <T> List<ActorRef<T>> others(String actor) {
    return members().stream()
        .filter(member -> !member.uniqueAddress().equals(cluster.selfMember().uniqueAddress()))
        .filter(member -> !cluster.state().getUnreachable().contains(member))
        .map(member -> this.<T>at(member, actor))
        .toList();
  }

  /** Ids of the members that can be reached, this one among them. */
  Set<String> reachable() {
    Set<String> ids = new HashSet<>();
    for (Member member : members()) {
      if (!cluster.state().getUnreachable().contains(member)) {
        member.getRoles().stream()
            .filter(role -> role.startsWith(idRole))
            .forEach(role -> ids.add(role.substring(idRole.length())));
      }
    }
    return ids;
  }

  private List<Member> members() {
    List<Member> members = new ArrayList<>();
    cluster.state().getMembers().forEach(members::add);
    return members;
  }

  private <T> ActorRef<T> at(Member member, String actor) {
    return resolver.resolveActorRef(member.address() + "/user/" + actor);
  }
}
