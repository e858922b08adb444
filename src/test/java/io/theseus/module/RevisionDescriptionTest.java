package io.theseus.module;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RevisionDescriptionTest {
  private static final String SHA_1 = "1".repeat(64);
  private static final String SHA_2 = "2".repeat(64);
  private static final RevisionDescription STANDARD = RevisionDescription.standard();

  /** A module whose components are written {@code kind:name}. */
  private static ModuleDescriptor module(String name, String version, String... components) {
    return new ModuleDescriptor(
        name,
        new ModuleVersion(version),
        1,
        Arrays.stream(components)
            .map(each -> each.split(":"))
            .map(each -> new Component(ComponentKind.of(each[0]), each[1], "C"))
            .toList());
  }

  private static RevisionDescription chain() throws Exception {
    return STANDARD
        .with(module("firewall", "1.0", "function:firewall"), SHA_1)
        .with(module("limiter", "1.0", "function:limiter", "fairness:shares"), SHA_1)
        .with(module("counter", "1.0", "function:counter"), SHA_1);
  }

  private static List<String> functions(RevisionDescription revision) {
    return revision.functions().stream().map(ComponentReference::toString).toList();
  }

  @Test
  void shouldReplaceWhatIsOfTheSameModuleInItsPlace() throws Exception {
    RevisionDescription later =
        chain()
            .with(
                module("limiter", "1.1", "function:meter", "function:limiter", "channel:slow"),
                SHA_2);

    assertThat(functions(later))
        .containsExactly("firewall@1.0", "limiter@1.1", "counter@1.0", "limiter@1.1#meter");
    assertThat(later.channel()).hasToString("Optional[limiter@1.1#slow]");
    assertThat(later.fairness()).as("not in it any more").isEmpty();
    assertThat(later.jars()).containsExactlyInAnyOrder(SHA_1, SHA_2);
  }

  @Test
  void shouldReplaceChannelAndPoliciesByKind() throws Exception {
    RevisionDescription one =
        STANDARD.with(module("a", "1", "channel:a", "admission:gate", "backup:near"), SHA_1);
    RevisionDescription other = one.with(module("b", "1", "channel:b"), SHA_2);

    assertThat(other.channel()).hasToString("Optional[b@1]");
    assertThat(other.admission()).hasToString("Optional[a@1#gate]");
    assertThat(other.backup()).hasToString("Optional[a@1#near]");
    assertThat(other.with(module("b", "2", "channel:b", "backup:far"), SHA_2).changesTo(STANDARD))
        .contains("backup: b@2#far -> standard");
    assertThat(other.without("b").channel()).isEmpty();
    assertThat(other.without("b").without("a")).isEqualTo(STANDARD);
  }

  @Test
  void shouldTakeAModuleOut() throws Exception {
    RevisionDescription without = chain().without("limiter");

    assertThat(functions(without)).containsExactly("firewall@1.0", "counter@1.0");
    assertThat(without.fairness()).isEmpty();
    assertThat(chain().without("nothing")).isEqualTo(chain());
  }

  @Test
  void shouldRefuseADowngrade() throws Exception {
    RevisionDescription now = STANDARD.with(module("counter", "1.10", "function:counter"), SHA_1);
    for (String version : List.of("1.9", "1.10", "1", "1.10.0")) {
      assertThatThrownBy(() -> now.with(module("counter", version, "function:counter"), SHA_2))
          .isInstanceOf(ModuleException.class)
          .hasMessage(
              "version: counter@"
                  + version
                  + " (expected: higher than counter@1.10, which is known with other content; a"
                  + " rollback goes back)");
    }
    assertThat(now.with(module("counter", "1.10", "function:counter"), SHA_1)).isEqualTo(now);
    assertThat(functions(now.with(module("counter", "1.11", "function:counter"), SHA_2)))
        .containsExactly("counter@1.11");
  }

  @Test
  void shouldRefuseADowngradeOfWhatWasTakenOut() throws Exception {
    RevisionDescription before = STANDARD.with(module("counter", "2", "function:counter"), SHA_1);
    List<RevisionDescription> known = List.of(STANDARD, before, before.without("counter"));

    assertThatThrownBy(
            () ->
                RevisionDescription.requireNewer(
                    known, module("counter", "1", "function:counter"), SHA_2))
        .hasMessageContaining("version: counter@1 (expected: higher than counter@2,");
    RevisionDescription.requireNewer(known, module("counter", "3", "function:counter"), SHA_2);
  }

  @Test
  void shouldBeWrittenInOneWay() throws Exception {
    assertThat(STANDARD.toJson()).isEqualTo("{\"channel\":\"standard\",\"functions\":[]}");
    assertThat(STANDARD.id())
        .as("names it on every node, for ever")
        .isEqualTo("2a200102724ba4cc8a6ad32c25a3b55184dac3bddfcec4ce44a4aa9520157406");
    RevisionDescription revision =
        STANDARD.with(
            module("a", "1.2", "channel:c", "function:f", "fairness:s", "backup:b"), SHA_1);
    String reference =
        "{\"module\":\"a\",\"version\":\"1.2\",\"component\":\"%s\",\"sha256\":\"" + SHA_1 + "\"}";
    assertThat(revision.toJson())
        .isEqualTo(
            "{\"channel\":"
                + reference.formatted("c")
                + ",\"functions\":["
                + reference.formatted("f")
                + "],\"fairness\":"
                + reference.formatted("s")
                + ",\"backup\":"
                + reference.formatted("b")
                + "}");
    assertThat(RevisionDescription.parse(revision.toJson())).isEqualTo(revision);
    assertThat(RevisionDescription.parse(STANDARD.toJson())).isEqualTo(STANDARD);
    assertThat(revision.id()).isNotEqualTo(STANDARD.id());
  }

  @Test
  void shouldReadNoOtherWay() throws Exception {
    String json = chain().toJson();
    for (String bad :
        List.of(
            "",
            "[]",
            "{}",
            json + " ",
            json.replace("\"channel\":\"standard\",", ""),
            json.replace("\"channel\":\"standard\"", "\"channel\":\"other\""),
            json.replace("\"functions\"", "\"backup\":{},\"functions\""),
            json.replace("\"functions\"", "\"target\":{},\"functions\""),
            json.replace("\"version\":\"1.0\"", "\"version\":1.0"),
            json.replace("\"version\":\"1.0\"", "\"version\":\"1.0\",\"since\":1"),
            json.replace(SHA_1, "1"),
            json.replaceAll("limiter|counter", "firewall"))) {
      assertThatThrownBy(() -> RevisionDescription.parse(bad))
          .as(bad)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("(expected: ");
    }
  }

  @Test
  void shouldSayWhatChanges() throws Exception {
    RevisionDescription later =
        chain()
            .without("firewall")
            .with(module("counter", "1.1", "function:counter"), SHA_2)
            .with(module("burst", "1", "channel:burst"), SHA_1)
            .with(module("chain", "2", "function:wall", "admission:gate"), SHA_1);

    assertThat(chain().changesTo(later))
        .containsExactly(
            "channel: standard -> burst@1",
            "function firewall@1.0: removed",
            "function: counter@1.0 -> counter@1.1",
            "function chain@2#wall: added",
            "admission: standard -> chain@2#gate");
    assertThat(later.changesTo(chain()))
        .contains("functions: in the order firewall@1.0, limiter@1.0, counter@1.0")
        .contains("channel: burst@1 -> standard");
    assertThat(chain().changesTo(chain())).isEmpty();
  }

  @Test
  void shouldSayWhereOnlyTheBytesChange() {
    ComponentReference one =
        new ComponentReference("burst", new ModuleVersion("1"), "burst", SHA_1);
    ComponentReference other =
        new ComponentReference("burst", new ModuleVersion("1"), "burst", SHA_2);
    assertThat(channel(one).changesTo(channel(other)))
        .containsExactly("channel: burst@1 (11111111) -> burst@1 (22222222)");
  }

  private static RevisionDescription channel(ComponentReference reference) {
    return new RevisionDescription(
        Optional.of(reference), List.of(), Optional.empty(), Optional.empty(), Optional.empty());
  }
}
