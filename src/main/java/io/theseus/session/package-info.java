/**
 * Sessions: one actor for each, and the workers that it spawns.
 *
 * <p>In: a connection with a command ({@link io.theseus.session.SessionActor.Attach}), reports of
 * the connection's event loop ({@link io.theseus.session.Report}). Out: grants, acknowledgements
 * and the end, over {@link io.theseus.session.SessionLink}. A session outlives its connections, its
 * workers and, as a {@link io.theseus.session.Transfer}, even its actor. Start reading at {@link
 * io.theseus.session.SessionActor}.
 */
@NullMarked
package io.theseus.session;

import org.jspecify.annotations.NullMarked;
