package io.theseus;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The house of the design page: imports point down only. */
@Tag("once") // says nothing of a version of Java
class ArchitectureTest {
  /** From outermost to innermost; a package may import those that stand below it. */
  private static final List<String> DOWNWARDS =
      List.of(
          "node", "cli", "client", "net", "admin", "control", "upgrade", "session", "module",
          "repair", "backup", "names", "journal", "peer", "store", "channel", "access", "wire",
          "steps", "os");

  private static final String ROOT = "io.theseus";

  private static final JavaClasses ALL =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages(ROOT);

  @Test
  void shouldKnowEveryPackage() {
    assertThat(ALL.stream().filter(each -> !each.getPackageName().equals(ROOT)))
        .isNotEmpty()
        .allSatisfy(each -> assertThat(DOWNWARDS).contains(part(each)));
  }

  @Test
  void shouldImportDownwardsOnly() {
    for (String lower : DOWNWARDS) {
      String[] above =
          Stream.concat(
                  Stream.of(ROOT),
                  DOWNWARDS.subList(0, DOWNWARDS.indexOf(lower)).stream()
                      .map(each -> ROOT + "." + each + ".."))
              .toArray(String[]::new);
      noClasses()
          .that()
          .resideInAPackage(ROOT + "." + lower + "..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(above)
          .allowEmptyShould(true)
          .check(ALL);
    }
  }

  @Test
  void shouldHaveNoCycles() {
    slices().matching(ROOT + ".(**)").should().beFreeOfCycles().check(ALL);
  }

  @Test
  void shouldKeepTheClientFreeOfActorsAndNetty() {
    noClasses()
        .that()
        .resideInAPackage(ROOT + ".client..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("akka..", "scala..", "io.netty..", "com.typesafe..")
        .allowEmptyShould(true)
        .check(ALL);
    classes()
        .that()
        .resideInAPackage(ROOT + ".client..")
        .should()
        .onlyDependOnClassesThat(
            resideInAnyPackage(ROOT + ".client..", ROOT + ".wire..")
                .or(describe("not of this project", each -> !isOurs(each))))
        .allowEmptyShould(true)
        .check(ALL);
  }

  @Test
  void shouldKeepWireAndChannelFreeOfFrameworks() {
    noClasses()
        .that()
        .resideInAnyPackage(ROOT + ".wire..", ROOT + ".channel..", ROOT + ".steps..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("akka..", "scala..", "io.netty..", "com.typesafe..", "picocli..")
        .check(ALL);
  }

  @Test
  void shouldKeepTheCommandLineAwayFromActors() {
    noClasses()
        .that()
        .resideInAnyPackage(ROOT + ".cli..", ROOT + ".admin..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("akka..", "scala..")
        .check(ALL);
  }

  /** In a chroot whose root is no mount point it can't be found, and nothing would start. */
  @Test
  void shouldAskNothingOfMountPoints() {
    noClasses()
        .that()
        .haveNameNotMatching(".*DiskCheckup") // does without where it isn't found
        .should()
        .callMethod(Files.class, "getFileStore", Path.class)
        .because("free space is asked of the directory: File.getUsableSpace")
        .check(ALL);
  }

  @Test
  void shouldExplainEveryPackage() throws IOException {
    try (Stream<Path> directories = Files.walk(Path.of("src/main/java/io/theseus"))) {
      assertThat(directories.filter(Files::isDirectory).filter(ArchitectureTest::hasClasses))
          .isNotEmpty()
          .allSatisfy(
              each ->
                  assertThat(Files.readString(each.resolve("package-info.java")))
                      .contains("@NullMarked"));
    }
  }

  private static boolean hasClasses(Path directory) {
    try (Stream<Path> files = Files.list(directory)) {
      return !directory.endsWith("theseus")
          && files.anyMatch(each -> each.toString().endsWith(".java"));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static boolean isOurs(JavaClass each) {
    return each.getPackageName().equals(ROOT) || each.getPackageName().startsWith(ROOT + ".");
  }

  /** The first part below the root. */
  private static String part(JavaClass each) {
    return Optional.of(each.getPackageName().substring(ROOT.length() + 1))
        .map(name -> name.contains(".") ? name.substring(0, name.indexOf('.')) : name)
        .orElseThrow();
  }
}
