package io.theseus.module;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.theseus.channel.Spi;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What a module says of itself in {@value #ENTRY}, a JSON object:
 *
 * <pre>
 * {"name": "burst", "version": "1.2", "spi": 1,
 *  "components": [{"kind": "channel", "name": "burst", "class": "example.Burst"}]}
 * </pre>
 *
 * <p>The name of a component may be left out where it is the only one: it is the module's. There is
 * at most one channel, admission, fairness and backup in a module, since there is one of each in a
 * revision; functions are as many as wanted, in the order of their chain. Unknown members are
 * ignored.
 *
 * @param spi version of the interfaces that it was built for, {@link Spi#VERSION}
 */
public record ModuleDescriptor(
    String name, ModuleVersion version, int spi, List<Component> components) {
  /** Where it stands in the jar. */
  public static final String ENTRY = "META-INF/theseus/module.json";

  private static final int MOST_COMPONENTS = 64;
  private static final int MOST_BYTES = 64 * 1024;

  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  public ModuleDescriptor {
    Component.requireName("name", name);
    components = List.copyOf(components);
    if (spi != Spi.VERSION) {
      throw new IllegalArgumentException(
          "spi: " + spi + " (expected: " + Spi.VERSION + ", the version of this program)");
    }
    if (components.isEmpty() || components.size() > MOST_COMPONENTS) {
      throw new IllegalArgumentException(
          "components: " + components.size() + " (expected: 1 to " + MOST_COMPONENTS + ")");
    }
    Set<String> names = new HashSet<>();
    Set<ComponentKind> kinds = EnumSet.noneOf(ComponentKind.class);
    for (Component each : components) {
      if (!names.add(each.name())) {
        throw new IllegalArgumentException(
            "component: " + Texts.quote(each.name()) + " twice (expected: each name once)");
      }
      if (each.kind() != ComponentKind.FUNCTION && !kinds.add(each.kind())) {
        throw new IllegalArgumentException(
            "component: "
                + Texts.quote(each.name())
                + ", a second "
                + each.kind().label()
                + " (expected: one of them in a module)");
      }
    }
  }

  /** {@code name@version}, as READY and the history name it. */
  public String module() {
    return name + "@" + version;
  }

  /** The component of this name. */
  public Optional<Component> component(String component) {
    for (Component each : components) { // no stream: sessions ask, all of them at a switch
      if (each.name().equals(component)) {
        return Optional.of(each);
      }
    }
    return Optional.empty();
  }

  /** The descriptor in these bytes. */
  static ModuleDescriptor parse(byte[] json) throws ModuleException {
    try {
      if (json.length > MOST_BYTES) {
        throw new IllegalArgumentException(
            json.length + " bytes (expected: at most " + MOST_BYTES + ")");
      }
      JsonNode node = MAPPER.readTree(json);
      if (!node.isObject()) {
        throw new IllegalArgumentException("no JSON object (expected: one, and nothing else)");
      }
      JsonNode spi = node.path("spi");
      if (!spi.isInt()) {
        throw bad("spi", spi, "a number");
      }
      String name = text(node, "name");
      Component.requireName("name", name);
      return new ModuleDescriptor(
          name, new ModuleVersion(text(node, "version")), spi.intValue(), components(node, name));
    } catch (IllegalArgumentException e) {
      throw new ModuleException(ENTRY + ": " + e.getMessage());
    } catch (IOException e) {
      String reason =
          e instanceof JsonProcessingException bad ? bad.getOriginalMessage() : e.getMessage();
      throw new ModuleException(
          ENTRY + ": " + Texts.escape(String.valueOf(reason)) + " (expected: one JSON object)");
    }
  }

  private static List<Component> components(JsonNode node, String module) {
    JsonNode list = node.path("components");
    if (!list.isArray()) {
      throw bad("components", list, "a list of objects");
    }
    List<Component> components = new ArrayList<>();
    for (JsonNode each : list) {
      if (!each.isObject()) {
        throw bad("component", each, "an object");
      }
      if (components.size() == MOST_COMPONENTS) {
        throw new IllegalArgumentException(
            "components: " + list.size() + " (expected: 1 to " + MOST_COMPONENTS + ")");
      }
      String name = list.size() == 1 && !each.has("name") ? module : text(each, "name");
      components.add(
          new Component(ComponentKind.of(text(each, "kind")), name, text(each, "class")));
    }
    return components;
  }

  private static String text(JsonNode node, String member) {
    JsonNode value = node.path(member);
    if (!value.isTextual()) {
      throw bad(member, value, "a text");
    }
    return value.textValue();
  }

  private static IllegalArgumentException bad(String member, JsonNode value, String expected) {
    return new IllegalArgumentException(
        member
            + ": "
            + (value.isMissingNode() ? "missing" : Texts.escape(value.toString()))
            + " (expected: "
            + expected
            + ")");
  }

  /** The same descriptor as bytes; the same bytes for the same one. */
  byte[] toJson() {
    ObjectNode node = MAPPER.createObjectNode();
    node.put("name", name).put("version", version.text()).put("spi", spi);
    ArrayNode list = node.putArray("components");
    for (Component each : components) {
      list.addObject()
          .put("kind", each.kind().label())
          .put("name", each.name())
          .put("class", each.className());
    }
    return (node.toPrettyString().replace("\r\n", "\n") + "\n").getBytes(StandardCharsets.UTF_8);
  }
}
