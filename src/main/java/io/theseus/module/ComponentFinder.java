package io.theseus.module;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import javax.annotation.processing.AbstractProcessor;
import javax.annotation.processing.RoundEnvironment;
import javax.annotation.processing.SupportedAnnotationTypes;
import javax.lang.model.SourceVersion;
import javax.lang.model.element.Element;
import javax.lang.model.element.ExecutableElement;
import javax.lang.model.element.Modifier;
import javax.lang.model.element.NestingKind;
import javax.lang.model.element.TypeElement;
import javax.lang.model.util.ElementFilter;

/** Finds the components of a module while it is compiled, as the compiler sees its classes. */
@SupportedAnnotationTypes("*")
final class ComponentFinder extends AbstractProcessor {
  /**
   * A class that implements a kind.
   *
   * @param refusal why it can't be used; empty where it can
   */
  record Found(
      ComponentKind kind, String simpleName, String binaryName, Optional<String> refusal) {}

  private final List<Found> found = new ArrayList<>();

  /** In the order of the source. */
  List<Found> found() {
    return found;
  }

  @Override
  public SourceVersion getSupportedSourceVersion() {
    return SourceVersion.latest();
  }

  @Override
  public boolean process(Set<? extends TypeElement> annotations, RoundEnvironment round) {
    ElementFilter.typesIn(round.getRootElements()).forEach(this::look);
    return false;
  }

  private void look(TypeElement type) {
    boolean meant =
        type.getKind().isClass()
            && !type.getModifiers().contains(Modifier.ABSTRACT)
            && !type.getModifiers().contains(Modifier.PRIVATE);
    if (meant) {
      for (ComponentKind kind : ComponentKind.values()) {
        TypeElement spi =
            processingEnv.getElementUtils().getTypeElement(kind.type().getCanonicalName());
        if (processingEnv.getTypeUtils().isAssignable(type.asType(), spi.asType())) {
          found.add(
              new Found(
                  kind,
                  type.getSimpleName().toString(),
                  processingEnv.getElementUtils().getBinaryName(type).toString(),
                  refusal(type)));
        }
      }
    }
    ElementFilter.typesIn(type.getEnclosedElements()).forEach(this::look);
  }

  private static Optional<String> refusal(TypeElement type) {
    String subject = "class " + type.getQualifiedName() + ": ";
    for (Element each = type;
        each instanceof TypeElement outer;
        each = outer.getEnclosingElement()) {
      if (!each.getModifiers().contains(Modifier.PUBLIC)) {
        return Optional.of(subject + "not public (expected: public, as what it stands in)");
      }
    }
    if (type.getNestingKind() == NestingKind.MEMBER
        && !type.getModifiers().contains(Modifier.STATIC)) {
      return Optional.of(subject + "an inner class (expected: a static one)");
    }
    boolean constructible =
        ElementFilter.constructorsIn(type.getEnclosedElements()).stream()
            .anyMatch(ComponentFinder::isPublicWithoutParameters);
    return constructible
        ? Optional.empty()
        : Optional.of(subject + "no public constructor without parameters (expected: one)");
  }

  private static boolean isPublicWithoutParameters(ExecutableElement constructor) {
    return constructor.getParameters().isEmpty()
        && constructor.getModifiers().contains(Modifier.PUBLIC);
  }
}
