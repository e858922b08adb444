/**
 * The command line: what a person or a script types, and what they are told.
 *
 * <p>Arguments come in at {@link io.theseus.cli.Theseus}; {@code GetCommand}, {@code PutCommand},
 * {@code ListCommand}, {@code StatCommand} and {@code RemoveCommand} turn them into calls of {@code
 * io.theseus.client}, {@code StatusCommand} into one of {@code io.theseus.admin}. Out go data on
 * standard output and nothing else there; progress, summaries and failures on standard error; one
 * {@link io.theseus.cli.ExitCode}, which is the only place where exit codes are given out. {@code
 * Failure} is the only place where a failure becomes a sentence with advice.
 *
 * <p>With {@code -r}, {@code SourceTree} reads what is to be put and {@code TargetTree} confines
 * what a server names to one directory. {@code Progress} decides between a bar, plain lines and
 * silence; {@code Screen} alone knows how to draw on a terminal.
 *
 * <p>A client of the doors, never of the actors. Start reading at {@code ClientCommand}, then
 * {@code GetCommand}.
 */
@NullMarked
package io.theseus.cli;

import org.jspecify.annotations.NullMarked;
