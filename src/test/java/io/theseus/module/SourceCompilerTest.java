package io.theseus.module;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SourceCompilerTest {
  private static final ModuleVersion VERSION = new ModuleVersion("3");

  private static SourceCompiler.Compiled compile(String name, String source) throws Exception {
    return SourceCompiler.ofThisJava().compile(name, source, VERSION);
  }

  private static void refused(String source, String message) {
    assertThatThrownBy(() -> compile("dir/Burst.java", source))
        .isInstanceOf(ModuleException.class)
        .hasMessage(message);
  }

  @Test
  void shouldMakeTheSameModuleEachTime(@TempDir Path directory) throws Exception {
    Path file = Files.writeString(directory.resolve("Burst.java"), TestModules.SOURCE);
    ModuleArchive module = SourceCompiler.ofThisJava().compile(file, VERSION).module();

    assertThat(module.descriptor().module()).isEqualTo("burst@3");
    assertThat(module.descriptor().components())
        .containsExactly(new Component(ComponentKind.CHANNEL, "burst", "example.Burst"));
    assertThat(module.bytes())
        .isEqualTo(compile("Burst.java", TestModules.SOURCE).module().bytes());
  }

  @Test
  void shouldFindComponentsInTheOrderOfTheSource() throws Exception {
    ModuleArchive module =
        compile(
                "MyChain.java",
                """
                import io.theseus.channel.*;
                public final class MyChain {
                  public static final class Wall implements NetworkFunction {}
                  public static final class ByteCounter extends Base {}
                  public static final class Gate implements AdmissionPolicy {
                    @Override public Admission admit(SessionInfo session, int others) {
                      return Admission.admit();
                    }
                  }
                  public abstract static class Base implements NetworkFunction {}
                  private static final class Own implements NetworkFunction {}
                }
                """)
            .module();

    assertThat(module.descriptor().name()).isEqualTo("my-chain");
    assertThat(module.descriptor().components())
        .containsExactly(
            new Component(ComponentKind.FUNCTION, "wall", "MyChain$Wall"),
            new Component(ComponentKind.FUNCTION, "byte-counter", "MyChain$ByteCounter"),
            new Component(ComponentKind.ADMISSION, "gate", "MyChain$Gate"));
  }

  @Test
  void shouldShowWhatTheCompilerShows() {
    refused(
        TestModules.SOURCE.replace("new Range", "new Rnage"),
        """
        does not compile:
        dir/Burst.java:10: error: cannot find symbol
            return new Rnage(progress.position(), (int) Math.min(1024, progress.end() - progress.position()));
                       ^
          symbol:   class Rnage
          location: class Burst
        1 error""");
  }

  @Test
  void shouldShowWarnings() throws Exception {
    SourceCompiler.Compiled compiled =
        compile(
            "Burst.java",
            TestModules.SOURCE.replace("{\n  @Override", "{\n  java.util.List raw;\n  @Override"));

    assertThat(compiled.warnings())
        .startsWith("Burst.java:8: warning: [rawtypes] found raw type: List");
    assertThat(compile("Burst.java", TestModules.SOURCE).warnings()).isEmpty();
  }

  @Test
  void shouldSeeNothingOfThisProgramButTheInterfaces() {
    for (String hidden :
        new String[] {"io.theseus.wire.FileName", "io.netty.channel.Channel", "org.slf4j.Logger"}) {
      assertThatThrownBy(
              () ->
                  compile(
                      "Burst.java",
                      TestModules.SOURCE.replace(
                          "import io.theseus.channel.Range;",
                          "import io.theseus.channel.Range;\nimport " + hidden + ";")))
          .as(hidden)
          .isInstanceOf(ModuleException.class)
          .hasMessageContaining("error: package " + hidden.substring(0, hidden.lastIndexOf('.')));
    }
  }

  @Test
  void shouldRefuseWhatIsNoModule() {
    refused(
        "public class Burst {}",
        "\"dir/Burst.java\": no component (expected: a public class that implements DataChannel,"
            + " NetworkFunction, AdmissionPolicy, FairnessPolicy or BackupPolicy)");
    refused(
        "class Burst implements io.theseus.channel.NetworkFunction {}",
        "\"dir/Burst.java\": class Burst: not public (expected: public, as what it stands in)");
    refused(
        "public class Burst implements io.theseus.channel.NetworkFunction { Burst(int a) {} }",
        "\"dir/Burst.java\": class Burst: no public constructor without parameters (expected: one)");
    refused(
        "public class Burst {"
            + " public class A implements io.theseus.channel.NetworkFunction {} }",
        "\"dir/Burst.java\": class Burst.A: an inner class (expected: a static one)");
    assertThatThrownBy(() -> compile("Burst.txt", ""))
        .hasMessage(
            "\"Burst.txt\": no Java source (expected: a file NAME.java, or a jar NAME.jar)");
  }

  @Test
  void shouldSayThatAJavaHasNoCompiler() {
    assertThatThrownBy(() -> SourceCompiler.of(null))
        .isInstanceOf(ModuleException.class)
        .hasMessageContaining(" has no compiler (expected: a JDK, 17 or later; Debian: apt-get");
  }

  @Test
  void shouldNameModulesAfterClasses() {
    assertThat(SourceCompiler.kebab("MaxMin")).isEqualTo("max-min");
    assertThat(SourceCompiler.kebab("HTTPFilter")).isEqualTo("http-filter");
    assertThat(SourceCompiler.kebab("Sha256Check")).isEqualTo("sha256-check");
    assertThat(SourceCompiler.kebab("Burst")).isEqualTo("burst");
  }
}
