package io.theseus.upgrade;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("once") // says nothing of a version of Java
final class CodecTest {
  private static final int DAMAGES = 2_000;

  static List<Message> messages() {
    return Examples.messages();
  }

  static List<AgentState> agentStates() {
    return Examples.agentStates();
  }

  @Test
  void shouldHaveAnExampleOfEveryMessage() {
    Set<Class<?>> examples = new HashSet<>();
    messages().forEach(each -> examples.add(each.getClass()));
    assertThat(Message.ToAgent.class.getPermittedSubclasses()).isSubsetOf(examples);
    assertThat(Message.ToCoordinator.class.getPermittedSubclasses()).isSubsetOf(examples);
  }

  @ParameterizedTest
  @MethodSource("messages")
  void shouldReadWhatItWroteOfAMessage(Message message) {
    assertThat(Codec.message(Codec.encode(message))).isEqualTo(message);
  }

  @ParameterizedTest
  @MethodSource("agentStates")
  void shouldReadWhatItWroteOfAState(AgentState state) {
    assertThat(Codec.agentState(Codec.encode(state))).isEqualTo(state);
  }

  @Test
  void shouldReadWhatItPractisesWith() {
    Codec.practise();
  }

  /** Artery drops a frame over its limit, so what is sent has one: see {@code application.conf}. */
  @Test
  void shouldKeepTheLongestStateWithinItsBound() {
    Message longest = new Message.Accept(Term.NONE, Examples.longest(), 0);
    assertThat(Codec.encode(longest)).hasSizeBetween(200_000, 350_000);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "\"\" | malformed: No content to map due to end-of-input",
        "nothing | malformed: Unrecognized token 'nothing'",
        "null | frame: null (expected: one)",
        "{} | malformed: Missing creator property 'version'",
        "{'version':2,'message':{'message':'ask','life':1}} | version: 2 (expected: 1)",
        "{'version':1,'message':null} | message: null (expected: one)",
        "{'version':1,'message':{'message':'gadget'}} | malformed: Could not resolve type id",
        "{'version':1,'message':{'message':'ask'}} | malformed: Missing creator property",
        "{'version':1,'message':{'message':'ask','life':null}} | malformed: Cannot map `null` into",
        "{'version':1,'message':{'message':'ask','life':1.5}} | malformed: Cannot coerce Floating-point",
        "{'version':1,'message':{'message':'ask','life':'1'}} | malformed: Cannot coerce String value",
        "{'version':1,'message':{'message':'ask','life':1e9}} | malformed: Cannot coerce Floating-point",
        "{'version':1,'message':{'message':'ask','life':99999999999999999999}} | malformed: Numeric value",
        "{'version':1,'message':{'message':'ask','life':1,'life':2}} | malformed: Duplicate field 'life'",
        "{'version':1,'message':{'message':'ask','life':1,'x':2}} | malformed: Unrecognized field 'x'",
        "{'version':1,'message':{'message':'ask','life':1}} x | malformed: Unrecognized token 'x'",
        "{'version':1,'message':{'message':'prepare','term':{'number':-1,'node':'n','life':0}}} |"
            + " malformed: Cannot construct instance of `io.theseus.upgrade.Term`, problem: term: -1 (expected: >= 0)",
        "{'version':1,'message':{'message':'prepare','term':null}} | malformed: Cannot construct instance of",
      })
  void shouldRefuseInWords(String json, String words) {
    String quoted = json.replace('\'', '"');
    assertThatThrownBy(() -> Codec.message(quoted))
        .isInstanceOf(IllegalArgumentException.class)
        .satisfies(
            refused ->
                assertThat(String.valueOf(refused.getMessage()).replace('"', '\''))
                    .startsWith(words));
  }

  /** Whatever is wrong with it, there is one kind of refusal, and no other state comes out. */
  @ParameterizedTest
  @MethodSource("messages")
  void shouldRefuseOrReadWhateverIsDamaged(Message message) {
    Random random = new Random(message.hashCode());
    byte[] sound = Codec.encode(message).getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < DAMAGES; i++) {
      byte[] damaged = sound.clone();
      int at = random.nextInt(damaged.length);
      damaged[at] = (byte) (random.nextBoolean() ? random.nextInt(256) : damaged[at] ^ 1);
      byte[] cut = random.nextInt(4) == 0 ? java.util.Arrays.copyOf(damaged, at) : damaged;
      try {
        Message read = Codec.message(new String(cut, StandardCharsets.UTF_8));
        assertThat(Codec.message(Codec.encode(read))).isEqualTo(read);
      } catch (IllegalArgumentException e) {
        assertThat(e.getMessage()).isNotBlank();
      }
    }
  }
}
