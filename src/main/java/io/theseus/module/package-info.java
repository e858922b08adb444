/**
 * What runs: revisions of data channels. Until jars are loaded there is one, built in.
 *
 * <p>Start reading at {@link io.theseus.module.Revision}.
 */
@NullMarked
package io.theseus.module;

import org.jspecify.annotations.NullMarked;
