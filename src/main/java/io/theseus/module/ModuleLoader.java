package io.theseus.module;

import io.theseus.channel.Spi;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Modifier;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The code of one version of a module, in a class loader of its own.
 *
 * <p>Its classes see each other, the interfaces of {@link io.theseus.channel} and the Java
 * platform, nothing else of this program. That keeps modules apart from what is changed without
 * notice; it is no sandbox: whoever can sign a module is trusted with the node.
 *
 * <p>{@link #close} lets go of the classes. They are collected when no object of theirs is left.
 */
public final class ModuleLoader implements AutoCloseable {
  private final ModuleDescriptor descriptor;

  /** By name of the component; null once it is closed. */
  private volatile @Nullable Map<String, Constructor<?>> constructors;

  private ModuleLoader(ModuleArchive module) throws ModuleException {
    this.descriptor = module.descriptor();
    Classes loaded = new Classes(module);
    Map<String, Constructor<?>> found = new HashMap<>();
    for (Component each : descriptor.components()) {
      found.put(each.name(), constructor(loaded, each));
    }
    this.constructors = Map.copyOf(found);
  }

  /**
   * Loads the classes of its components, and checks that they can be used. None of their code runs.
   *
   * @throws ModuleException which one can't be used, and why
   */
  public static ModuleLoader load(VerifiedModule module) throws ModuleException {
    return new ModuleLoader(module.archive());
  }

  /** The same of a module that this user has at hand and wants to try; never one that was sent. */
  public static ModuleLoader loadOwn(ModuleArchive module) throws ModuleException {
    return new ModuleLoader(module);
  }

  /** What it says of itself. */
  public ModuleDescriptor descriptor() {
    return descriptor;
  }

  /**
   * Makes a new object of a component. This runs code of the module, which may hang.
   *
   * @param type the interface of its kind
   * @throws ModuleException where the constructor throws, or the loader is closed
   * @throws IllegalArgumentException where the module has no such component
   */
  public <T> T instantiate(String component, Class<T> type) throws ModuleException {
    Component found =
        descriptor
            .component(component)
            .filter(each -> each.kind().type() == type)
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "component: "
                            + component
                            + " (expected: a "
                            + type.getSimpleName()
                            + " of "
                            + descriptor.module()
                            + ")"));
    Map<String, Constructor<?>> all = constructors;
    Constructor<?> constructor = all == null ? null : all.get(component);
    if (constructor == null) {
      throw refusal(found, "its module was unloaded (expected: one that is loaded)");
    }
    try {
      return type.cast(constructor.newInstance());
    } catch (InvocationTargetException e) {
      throw refusal(found, "its constructor threw " + Thrown.text(e.getTargetException()));
    } catch (ReflectiveOperationException | LinkageError e) {
      throw refusal(found, "can't be made: " + Thrown.text(e));
    }
  }

  private Constructor<?> constructor(Classes loaded, Component component) throws ModuleException {
    try {
      Class<?> type = Class.forName(component.className(), false, loaded);
      if (type.getClassLoader() != loaded) {
        throw refusal(component, "not a class of the module (expected: one)");
      }
      if (!component.kind().type().isAssignableFrom(type)) {
        throw refusal(
            component,
            "does not implement "
                + component.kind().type().getName()
                + " (expected: a "
                + component.kind().label()
                + ")");
      }
      if (!Modifier.isPublic(type.getModifiers()) || Modifier.isAbstract(type.getModifiers())) {
        throw refusal(component, "not public, or abstract (expected: a public class)");
      }
      return type.getConstructor();
    } catch (NoSuchMethodException e) {
      throw refusal(component, "no public constructor without parameters (expected: one)");
    } catch (ClassNotFoundException | LinkageError e) {
      throw refusal(component, "can't be loaded: " + Thrown.text(e));
    }
  }

  private ModuleException refusal(Component component, String reason) {
    return new ModuleException(
        "component "
            + descriptor.module()
            + "#"
            + component.name()
            + ": class "
            + component.className()
            + ": "
            + reason);
  }

  /** Lets go of the classes. */
  @Override
  public void close() {
    constructors = null;
  }

  /** Defines classes from the bytes of the archive and of nothing else. */
  private static final class Classes extends ClassLoader {
    private static final String SPI = Spi.class.getPackageName() + ".";

    static {
      registerAsParallelCapable();
    }

    private final ModuleArchive module;

    Classes(ModuleArchive module) {
      super(module.descriptor().module(), ClassLoader.getPlatformClassLoader());
      this.module = module;
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (name.startsWith(SPI)) {
        return Class.forName(name, false, Spi.class.getClassLoader());
      }
      return super.loadClass(name, resolve);
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
      byte[] bytes = module.content(name.replace('.', '/') + ".class");
      if (bytes == null) {
        throw new ClassNotFoundException(
            name + " (expected: a class of the module, of io.theseus.channel or of the platform)");
      }
      return defineClass(name, bytes, 0, bytes.length);
    }

    @Override
    public @Nullable InputStream getResourceAsStream(String name) {
      byte[] bytes = module.content(name);
      return bytes == null ? super.getResourceAsStream(name) : new ByteArrayInputStream(bytes);
    }
  }
}
