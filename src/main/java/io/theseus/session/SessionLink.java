package io.theseus.session;

import io.theseus.backup.Replication;
import io.theseus.channel.Range;
import io.theseus.names.Place;
import io.theseus.store.Completed;
import io.theseus.store.StoredFile;
import io.theseus.wire.ErrorCode;
import java.util.List;
import java.util.UUID;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A connection as the session that it serves sees it; the net door implements it.
 *
 * <p>One object for each command of a connection. Every call only hands something to the event loop
 * that owns the connection, in the order of the calls; calls behind the end are ignored.
 */
public interface SessionLink {
  /** Address of the client, for logs and audits. */
  String remote();

  /** Number of the event loop that owns the connection; sessions that begin on it live there. */
  int lane();

  /**
   * Says whom to wake when a report is there; wakes at once if one waits. The newest call wins.
   *
   * @param wake called by the event loop, once for each turn of the slot from empty to full
   */
  void onReport(Runnable wake);

  /**
   * Says whom to tell that bytes move and code was switched: once for each switch, at a packet
   * boundary. The newest call wins.
   *
   * @param generation of the last switch; one read of a number at each packet
   */
  void onSwitch(LongSupplier generation, Runnable due);

  /** Takes the latest report; null if there is none since the last call. */
  @Nullable Report drain();

  /** Accepts the session: READY, and RESTART where it says so. */
  void ready(Ready ready);

  /** Gives leave to move a range. */
  void grant(Grant grant);

  /** Holds the transfer at the next packet boundary; MODIFYING tells the client. */
  void hold();

  /**
   * Obeys a new worker from the next packet on.
   *
   * @param keep whether what older ones granted is good until its first word; otherwise it is
   *     forgotten at once
   * @param tell whether RESUMED tells the client
   */
  void swap(long workerGeneration, String module, boolean keep, boolean tell);

  /**
   * Obeys a new worker whose first word is there already, at once: nothing waits, nothing is
   * written, RESUMED leaves with what leaves next. Only on the thread that owns the connection.
   *
   * @param seekEpoch for which the ranges are
   */
  void succeed(long workerGeneration, String module, long seekEpoch, List<Range> ranges);

  /**
   * Where the transfer stands now; null before READY and behind the end. Only on the thread that
   * owns the connection.
   */
  @Nullable Report stands();

  /** A worker grants nothing yet: what older ones granted is forgotten. */
  void revoke(long workerGeneration);

  /** PUT: all before {@code offset} is durable. */
  void durable(long offset);

  /** PUT: its copies have become short, or whole again; NOTICE. */
  void copies(Replication.Whole whole);

  /** PUT: content and name are durable; OFFSET(size) and COMPLETE. */
  void complete(Completed completed);

  /** GET: the file is another now; RESTART. */
  void restart(StoredFile file, long workerGeneration);

  /** The client goes on at another node: MIGRATE, then close. */
  void migrate(UUID session, Place place);

  /** Refuses or ends the session: ERROR, then close. */
  void fail(ErrorCode code, String message);
}
