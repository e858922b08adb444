/**
 * Control: takes in the commands of connections and supervises a session for each transfer.
 *
 * <p>In: commands from the doors ({@link io.theseus.control.Control}). Out: sessions that answer
 * over {@link io.theseus.session.SessionLink}, answers about names ({@link
 * io.theseus.control.Catalogue}). Start reading at {@link io.theseus.control.ControlActor}, which
 * supervises the sessions through a lane on each event loop.
 */
@NullMarked
package io.theseus.control;

import org.jspecify.annotations.NullMarked;
