/**
 * The command line: arguments in, words or JSON and an exit code out.
 *
 * <p>A client of the doors below ({@code client}, {@code admin}), never of the actors. Each
 * subcommand is a class; {@link io.theseus.cli.Theseus} is their root, and {@link
 * io.theseus.cli.ExitCode} lists what scripts can rely on. Start reading at {@link
 * io.theseus.cli.Theseus}.
 */
@NullMarked
package io.theseus.cli;

import org.jspecify.annotations.NullMarked;
