package io.theseus.module;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.theseus.wire.Texts;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Which components run together: the unit that an upgrade replaces, as data.
 *
 * <p>Written as JSON in one way only, so that its SHA-256 names it on every node:
 *
 * <pre>
 * {"channel":"standard",
 *  "functions":[{"module":"firewall","version":"1.0","component":"firewall","sha256":"..."}],
 *  "fairness":{"module":"max-min",...}}
 * </pre>
 *
 * <p>without spaces, members in this order, {@code admission}, {@code fairness} and {@code backup}
 * left out where the node's own are in force.
 *
 * @param channel empty for the one that is built in, {@code standard}
 * @param functions in the order of the chain
 * @param admission empty where everybody is let in
 * @param fairness empty for first come, first served
 * @param backup empty for the least loaded nodes
 */
public record RevisionDescription(
    Optional<ComponentReference> channel,
    List<ComponentReference> functions,
    Optional<ComponentReference> admission,
    Optional<ComponentReference> fairness,
    Optional<ComponentReference> backup) {
  private static final String STANDARD = "standard";
  private static final int MOST_NAME = 100;
  private static final Set<String> MEMBERS =
      Set.of("channel", "functions", "admission", "fairness", "backup");
  private static final Set<String> REFERENCE_MEMBERS =
      Set.of("module", "version", "component", "sha256");
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  public RevisionDescription {
    functions = List.copyOf(functions);
    Set<String> once = new HashSet<>();
    for (ComponentReference each : functions) {
      if (!once.add(each.module() + "#" + each.component())) {
        throw new IllegalArgumentException(
            "function: " + each + " twice (expected: each component once)");
      }
    }
  }

  /** What a node runs without any module. */
  public static RevisionDescription standard() {
    return new RevisionDescription(
        Optional.empty(), List.of(), Optional.empty(), Optional.empty(), Optional.empty());
  }

  // ---- other revisions of this one

  /**
   * The revision with this module in it: its functions replace those of the same name in place and
   * are appended where there are none, its channel and policies replace those of the kind; what is
   * of an older version of it and not in this one any more is taken out.
   *
   * @param sha256 of its jar
   * @throws ModuleException where it is not newer than what runs of it
   */
  public RevisionDescription with(ModuleDescriptor module, String sha256) throws ModuleException {
    requireNewer(List.of(this), module, sha256);
    List<ComponentReference> chain = new ArrayList<>();
    List<ComponentReference> offered = references(module, sha256, ComponentKind.FUNCTION);
    for (ComponentReference each : functions) {
      if (each.module().equals(module.name())) {
        offered.stream().filter(each::isVersionOf).forEach(chain::add);
      } else {
        chain.add(each);
      }
    }
    offered.stream().filter(each -> !chain.contains(each)).forEach(chain::add);
    return new RevisionDescription(
        with(channel, module, sha256, ComponentKind.CHANNEL),
        chain,
        with(admission, module, sha256, ComponentKind.ADMISSION),
        with(fairness, module, sha256, ComponentKind.FAIRNESS),
        with(backup, module, sha256, ComponentKind.BACKUP));
  }

  private static Optional<ComponentReference> with(
      Optional<ComponentReference> now,
      ModuleDescriptor module,
      String sha256,
      ComponentKind kind) {
    return references(module, sha256, kind).stream()
        .findFirst()
        .or(() -> now.filter(each -> !each.module().equals(module.name())));
  }

  private static List<ComponentReference> references(
      ModuleDescriptor module, String sha256, ComponentKind kind) {
    return module.components().stream()
        .filter(each -> each.kind() == kind)
        .map(each -> new ComponentReference(module.name(), module.version(), each.name(), sha256))
        .toList();
  }

  /** The revision without anything of this module: what is built in takes its place. */
  public RevisionDescription without(String module) {
    return new RevisionDescription(
        channel.filter(each -> !each.module().equals(module)),
        functions.stream().filter(each -> !each.module().equals(module)).toList(),
        admission.filter(each -> !each.module().equals(module)),
        fairness.filter(each -> !each.module().equals(module)),
        backup.filter(each -> !each.module().equals(module)));
  }

  /**
   * Refuses a module that is no step up. Versions only go up, whatever is in force now: the way
   * back is a rollback to a revision that was in force, and that names the revision, not a module.
   *
   * @param known what was ever in force
   * @throws ModuleException naming both versions
   */
  public static void requireNewer(
      Collection<RevisionDescription> known, ModuleDescriptor module, String sha256)
      throws ModuleException {
    for (RevisionDescription each : known) {
      for (ComponentReference component : each.components()) {
        if (component.module().equals(module.name())
            && component.version().compareTo(module.version()) >= 0
            && !component.sha256().equals(sha256)) {
          throw new ModuleException(
              "version: "
                  + module.module()
                  + " (expected: higher than "
                  + component.module()
                  + "@"
                  + component.version()
                  + ", which is known with other content; a rollback goes back)");
        }
      }
    }
  }

  /** All that it refers to: channel, functions, admission, fairness, backup. */
  public List<ComponentReference> components() {
    return Stream.of(
            channel.stream(),
            functions.stream(),
            admission.stream(),
            fairness.stream(),
            backup.stream())
        .flatMap(each -> each)
        .toList();
  }

  /** The SHA-256 of the jars that it needs. */
  public Set<String> jars() {
    return components().stream()
        .map(ComponentReference::sha256)
        .collect(Collectors.toUnmodifiableSet());
  }

  // ---- what changes from this one to another

  /** What another revision changes, a line each; none where they are the same. */
  public List<String> changesTo(RevisionDescription later) {
    List<String> lines = new ArrayList<>();
    change("channel", channel, later.channel, lines);
    List<ComponentReference> kept = new ArrayList<>();
    for (ComponentReference each : functions) {
      Optional<ComponentReference> next =
          later.functions.stream().filter(each::isVersionOf).findFirst();
      if (next.isEmpty()) {
        lines.add("function " + each + ": removed");
      } else {
        kept.add(next.get());
        change("function", Optional.of(each), next, lines);
      }
    }
    List<ComponentReference> added = new ArrayList<>(later.functions);
    added.removeAll(kept);
    added.forEach(each -> lines.add("function " + each + ": added"));
    List<ComponentReference> inOrder = new ArrayList<>(kept);
    inOrder.addAll(added);
    if (!inOrder.equals(later.functions)) {
      lines.add(
          "functions: in the order "
              + later.functions.stream()
                  .map(ComponentReference::toString)
                  .collect(Collectors.joining(", ")));
    }
    change("admission", admission, later.admission, lines);
    change("fairness", fairness, later.fairness, lines);
    change("backup", backup, later.backup, lines);
    return lines;
  }

  private static void change(
      String what,
      Optional<ComponentReference> from,
      Optional<ComponentReference> to,
      List<String> lines) {
    if (!from.equals(to)) {
      boolean alike = name(from).equals(name(to));
      lines.add(
          what + ": " + name(from) + bytes(from, alike) + " -> " + name(to) + bytes(to, alike));
    }
  }

  private static String name(Optional<ComponentReference> reference) {
    return reference.map(ComponentReference::toString).orElse(STANDARD);
  }

  private static String bytes(Optional<ComponentReference> reference, boolean shown) {
    return shown
        ? reference.map(each -> " (" + each.sha256().substring(0, 8) + ")").orElse("")
        : "";
  }

  // ---- as text

  /** For people: the modules in it, as {@code a@1.0+b@2.1}; at most 100 characters. */
  public String name() {
    String modules =
        components().stream()
            .map(each -> each.module() + "@" + each.version())
            .distinct()
            .collect(Collectors.joining("+"));
    String whole = modules.isEmpty() ? STANDARD : modules;
    return whole.length() <= MOST_NAME ? whole : whole.substring(0, MOST_NAME);
  }

  /** What names it: SHA-256 of {@link #toJson}, 64 hex digits. */
  public String id() {
    return ModuleKeys.sha256(toJson().getBytes(StandardCharsets.UTF_8));
  }

  /** The one way to write it. */
  public String toJson() {
    ObjectNode node = MAPPER.createObjectNode();
    if (channel.isPresent()) {
      node.set("channel", toJson(channel.get()));
    } else {
      node.put("channel", STANDARD);
    }
    ArrayNode chain = node.putArray("functions");
    functions.forEach(each -> chain.add(toJson(each)));
    admission.ifPresent(each -> node.set("admission", toJson(each)));
    fairness.ifPresent(each -> node.set("fairness", toJson(each)));
    backup.ifPresent(each -> node.set("backup", toJson(each)));
    return node.toString();
  }

  private static ObjectNode toJson(ComponentReference reference) {
    return MAPPER
        .createObjectNode()
        .put("module", reference.module())
        .put("version", reference.version().text())
        .put("component", reference.component())
        .put("sha256", reference.sha256());
  }

  /**
   * The revision in a text.
   *
   * @throws IllegalArgumentException where it is not what {@link #toJson} writes: what one node
   *     doesn't know must not be left out in silence
   */
  public static RevisionDescription parse(String json) {
    try {
      JsonNode node = MAPPER.readTree(json);
      requireMembers(node, MEMBERS, json);
      List<ComponentReference> chain = new ArrayList<>();
      for (JsonNode each : node.path("functions")) {
        chain.add(reference(each, json));
      }
      JsonNode channel = node.path("channel");
      RevisionDescription revision =
          new RevisionDescription(
              channel.asText().equals(STANDARD)
                  ? Optional.empty()
                  : Optional.of(reference(channel, json)),
              chain,
              optional(node.path("admission"), json),
              optional(node.path("fairness"), json),
              optional(node.path("backup"), json));
      if (!revision.toJson().equals(json)) {
        throw refusal(json, revision.toJson());
      }
      return revision;
    } catch (JsonProcessingException e) {
      throw refusal(json, "JSON: " + Texts.escape(e.getOriginalMessage()));
    }
  }

  private static Optional<ComponentReference> optional(JsonNode node, String json) {
    return node.isMissingNode() ? Optional.empty() : Optional.of(reference(node, json));
  }

  private static ComponentReference reference(JsonNode node, String json) {
    requireMembers(node, REFERENCE_MEMBERS, json);
    return new ComponentReference(
        node.path("module").asText(),
        new ModuleVersion(node.path("version").asText()),
        node.path("component").asText(),
        node.path("sha256").asText());
  }

  private static void requireMembers(JsonNode node, Set<String> known, String json) {
    if (!node.isObject()) {
      throw refusal(json, "an object");
    }
    for (Iterator<String> names = node.fieldNames(); names.hasNext(); ) {
      if (!known.contains(names.next())) {
        throw refusal(json, "the members " + known.stream().sorted().toList());
      }
    }
  }

  private static IllegalArgumentException refusal(String json, String expected) {
    return new IllegalArgumentException(
        "revision: " + Texts.quote(json) + " (expected: " + expected + ")");
  }
}
