package io.theseus.module;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.theseus.channel.DataChannel;
import io.theseus.channel.Direction;
import io.theseus.channel.NetworkFunction;
import io.theseus.channel.Progress;
import io.theseus.channel.Range;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ModuleLoaderTest {
  private static final Progress PROGRESS = new Progress(Direction.GET, 0, 3000);

  @Test
  void shouldLoadAComponent() throws Exception {
    ModuleKey key = ModuleKey.make();
    VerifiedModule module =
        ModuleKeys.of(key.open())
            .verify(TestModules.burst("1.2").sign(key, Optional.empty()), Instant.EPOCH);
    try (ModuleLoader loader = ModuleLoader.load(module)) {
      DataChannel channel = loader.instantiate("burst", DataChannel.class);

      assertThat(channel.next(PROGRESS)).isEqualTo(new Range(0, 1024));
      assertThat(channel.getClass().getClassLoader().getName()).isEqualTo("burst@1.2");
      assertThat(loader.instantiate("burst", DataChannel.class)).isNotSameAs(channel);
      assertThatThrownBy(() -> loader.instantiate("burst", NetworkFunction.class))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("component: burst (expected: a NetworkFunction of burst@1.2)");
    }
  }

  @Test
  void shouldKeepVersionsApart() throws Exception {
    ModuleArchive module = TestModules.burst("1.2");
    try (ModuleLoader one = ModuleLoader.loadOwn(module);
        ModuleLoader other = ModuleLoader.loadOwn(module)) {
      assertThat(one.instantiate("burst", DataChannel.class).getClass())
          .isNotEqualTo(other.instantiate("burst", DataChannel.class).getClass());
    }
  }

  @Test
  void shouldShowNothingOfThisProgramButTheInterfaces() throws Exception {
    try (ModuleLoader loader = ModuleLoader.loadOwn(TestModules.burst("1"))) {
      ClassLoader classes =
          loader.instantiate("burst", DataChannel.class).getClass().getClassLoader();
      for (String hidden :
          new String[] {
            "io.theseus.Main",
            "io.theseus.module.ModuleLoader",
            "io.theseus.session.SessionActor",
            "io.theseus.wire.FileName",
            "akka.actor.ActorSystem",
            "scala.Option",
            "io.netty.channel.Channel",
            "picocli.CommandLine",
            "com.fasterxml.jackson.databind.ObjectMapper",
            "org.slf4j.Logger",
            "org.jspecify.annotations.NullMarked",
          }) {
        assertThatThrownBy(() -> Class.forName(hidden, false, classes))
            .as(hidden)
            .isInstanceOf(ClassNotFoundException.class)
            .hasMessage(
                hidden
                    + " (expected: a class of the module, of io.theseus.channel or of the"
                    + " platform)");
      }
      for (String seen : new String[] {"java.util.List", "java.sql.Date", "example.Burst"}) {
        assertThat(Class.forName(seen, false, classes)).as(seen).isNotNull();
      }
      assertThat(Class.forName("io.theseus.channel.DataChannel", false, classes))
          .isSameAs(DataChannel.class);
    }
  }

  @Test
  void shouldGiveItsResources() throws Exception {
    ModuleArchive module =
        TestModules.with(
            TestModules.burst("1"), "example/a.txt", "hello".getBytes(StandardCharsets.UTF_8));
    try (ModuleLoader loader = ModuleLoader.loadOwn(module)) {
      Class<?> type = loader.instantiate("burst", DataChannel.class).getClass();
      try (var in = type.getResourceAsStream("a.txt")) {
        assertThat(in).hasContent("hello");
      }
      assertThat(type.getResourceAsStream("/logback.xml")).isNull();
      assertThat(type.getResourceAsStream("/application.conf")).isNull();
    }
  }

  @Test
  void shouldBeCollectedAfterUse() throws Exception {
    ModuleLoader loader = ModuleLoader.loadOwn(TestModules.burst("1"));
    WeakReference<ClassLoader> classes = used(loader);
    System.gc();
    assertThat(classes.get()).as("in use").isNotNull();

    loader.close();

    await()
        .untilAsserted(
            () -> {
              System.gc();
              assertThat(classes.get()).isNull();
            });
    assertThatThrownBy(() -> loader.instantiate("burst", DataChannel.class))
        .isInstanceOf(ModuleException.class)
        .hasMessageEndingWith("its module was unloaded (expected: one that is loaded)");
  }

  private static WeakReference<ClassLoader> used(ModuleLoader loader) throws ModuleException {
    DataChannel channel = loader.instantiate("burst", DataChannel.class);
    assertThat(channel.next(PROGRESS).length()).isEqualTo(1024);
    return new WeakReference<>(channel.getClass().getClassLoader());
  }

  // ---- classes that can't be used

  /** The descriptor says what the compiler would not have found. */
  private static ModuleArchive described(String className, String source) throws Exception {
    ModuleArchive compiled = TestModules.compile("Burst", "1", TestModules.SOURCE + "\n" + source);
    ModuleDescriptor descriptor =
        new ModuleDescriptor(
            "burst",
            new ModuleVersion("1"),
            1,
            java.util.List.of(new Component(ComponentKind.CHANNEL, "burst", className)));
    java.util.Map<String, byte[]> files = new java.util.TreeMap<>();
    for (String each : compiled.names()) {
      byte[] content = compiled.content(each);
      if (!each.startsWith("META-INF/") && content != null) {
        files.put(each, content);
      }
    }
    return ModuleArchive.build(descriptor, files);
  }

  private static void refused(String className, String source, String message) throws Exception {
    ModuleArchive module = described(className, source);
    assertThatThrownBy(() -> ModuleLoader.loadOwn(module))
        .isInstanceOf(ModuleException.class)
        .hasMessage("component burst@1#burst: class " + className + ": " + message);
  }

  @Test
  void shouldRefuseWhatIsNoComponent() throws Exception {
    refused(
        "example.Other",
        "class Other {}",
        "does not implement io.theseus.channel.DataChannel (expected: a channel)");
  }

  @Test
  void shouldRefuseWhatIsNotPublic() throws Exception {
    refused(
        "example.Hidden",
        "abstract class Hidden implements DataChannel {}",
        "not public, or abstract (expected: a public class)");
  }

  @Test
  void shouldSayWhatAConstructorThrows() throws Exception {
    String source =
        TestModules.SOURCE.replace(
            "{\n  @Override",
            "{\n  public Burst() { throw new IllegalStateException(\"no\\nluck\"); }\n  @Override");
    try (ModuleLoader loader = ModuleLoader.loadOwn(TestModules.compile("Burst", "1", source))) {
      assertThatThrownBy(() -> loader.instantiate("burst", DataChannel.class))
          .isInstanceOf(ModuleException.class)
          .hasMessageEndingWith(
              "its constructor threw java.lang.IllegalStateException: no\\u000Aluck")
          .hasNoCause();
    }
  }

  @Test
  void shouldRefuseWhatIsNoClass() throws Exception {
    ModuleArchive module = ModuleArchive.read(TestModules.zip().bytes());
    assertThatThrownBy(() -> ModuleLoader.loadOwn(module))
        .isInstanceOf(ModuleException.class)
        .hasMessageContaining("can't be loaded: java.lang.ClassFormatError");
  }
}
