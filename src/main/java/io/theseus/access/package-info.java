/**
 * Who comes in, and what they may do: certificates and keys, tokens, and what wrong ones cost.
 *
 * <p>In: files of a person ({@link io.theseus.access.Watched} reads them again when they change),
 * tokens and addresses of clients. Out: an {@link io.theseus.access.Identity} for TLS, {@link
 * io.theseus.access.Rights} for a command. It decides and never acts: a door asks once for each
 * command, before anything is looked up for it, and sends the answer. Start reading at {@link
 * io.theseus.access.Access}.
 */
@NullMarked
package io.theseus.access;

import org.jspecify.annotations.NullMarked;
