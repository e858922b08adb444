/**
 * Modules: code that comes as a jar and is put to work while the node runs.
 *
 * <p><b>In</b> come jars ({@link io.theseus.module.ModuleArchive}), which are read once and
 * strictly, then verified against pinned keys ({@link io.theseus.module.ModuleKeys}); or one Java
 * source ({@link io.theseus.module.SourceCompiler}). A {@link io.theseus.module.VerifiedModule}
 * goes into the {@link io.theseus.module.ModuleStore} and comes out of it as the same bytes.
 * <b>Out</b> come objects of its components, each from the class loader of its module's version
 * ({@link io.theseus.module.ModuleLoader}). Which components of which modules run together is a
 * {@link io.theseus.module.Revision}; {@link io.theseus.module.Revisions} stages it.
 *
 * <p>Start reading at {@link io.theseus.module.ModuleArchive}, then {@link
 * io.theseus.module.Revision}.
 */
@NullMarked
package io.theseus.module;

import org.jspecify.annotations.NullMarked;
