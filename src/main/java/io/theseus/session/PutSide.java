package io.theseus.session;

import io.theseus.backup.Replicas;
import io.theseus.backup.Replication;
import io.theseus.channel.Direction;
import io.theseus.channel.Progress;
import io.theseus.names.Names;
import io.theseus.names.Standing;
import io.theseus.session.SessionActor.Command;
import io.theseus.store.Completed;
import io.theseus.store.Upload;
import io.theseus.store.UploadRequest;
import io.theseus.wire.ClientMessage;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * What a session does for a PUT: opens the upload, makes durable before it is acknowledged,
 * commits.
 *
 * <p>Two things are durable before an OFFSET goes out, in this order: the bytes in the store, the
 * mark in the journal.
 */
final class PutSide {
  private final SessionActor session;
  private final SessionEnvironment environment;
  private final Transfer transfer;
  private final Workers workers;
  private final DiskTasks disk;
  private final SessionLog log;

  private Upload.@Nullable Writer writer;
  private boolean syncing;

  PutSide(
      SessionActor session,
      SessionEnvironment environment,
      Transfer transfer,
      Workers workers,
      DiskTasks disk,
      SessionLog log) {
    this.session = session;
    this.environment = environment;
    this.transfer = transfer;
    this.workers = workers;
    this.disk = disk;
    this.log = log;
  }

  // ---- opening

  /** Why the session can't go on where a connection wants it to; empty where it can. */
  Optional<ProtocolException> refusal(ClientMessage.Put put) {
    Upload upload = transfer.upload;
    // without an upload the disk says what is there: all of it, where only COMPLETE was lost
    return upload != null && put.offset() > upload.received() && !transfer.committing
        ? Optional.of(unknownSession(put.offset(), upload.received()))
        : Optional.empty();
  }

  private ProtocolException unknownSession(long offset, long has) {
    return new ProtocolException(
        ErrorCode.UNKNOWN_SESSION,
        "session "
            + transfer.id
            + " from Offset "
            + offset
            + " (expected: at most "
            + has
            + ", all that node "
            + environment.nodeId()
            + " has of it)");
  }

  /** From here on nothing of an older connection is stored. */
  void takeOver() {
    Upload upload = transfer.upload;
    if (upload != null) {
      writer = upload.takeOver();
    }
  }

  void open(ClientMessage.Put put) {
    Facts known = transfer.facts;
    Upload staged = transfer.upload;
    if (staged != null) {
      copy(staged);
      // what came over older connections is made durable, then the client goes on behind it
      sync();
    } else if (known == null) {
      disk.open(
          names().isAlone()
              ? disk.run(() -> begin(put, put.ifIdentity()))
              : told(beginAmongOthers(put)));
    } else {
      long durable = transfer.durable;
      boolean altered = transfer.altered;
      disk.open(told(disk.run(() -> reopen(known, known.size(), durable, altered, put.offset()))));
    }
  }

  /** Begins where no other node has the session, or anything against it. */
  private CompletionStage<Command> beginAmongOthers(ClientMessage.Put put) {
    FileName place;
    try {
      place = transfer.place(put.name());
    } catch (ProtocolException e) {
      return CompletableFuture.failedFuture(e);
    }
    transfer.asked = true;
    return names()
        .standing(place, put.session())
        .thenCompose(
            found ->
                disk.run(
                    () -> {
                      Optional<Completed> completed =
                          put.session().isPresent()
                              ? environment.store().completed(transfer.id, place)
                              : Optional.empty();
                      if (completed.isPresent()) {
                        return new SessionActor.AlreadyCompleted(completed.get());
                      }
                      if (found.session().isPresent()) {
                        return new SessionActor.Elsewhere(found.session().get());
                      }
                      requireBeginnable(put, place, found);
                      return begin(put, /* ifIdentity= */ Optional.empty());
                    }));
  }

  private void requireBeginnable(ClientMessage.Put put, FileName place, Standing found)
      throws ProtocolException {
    if (put.offset() > 0 && !found.silent().isEmpty()) {
      throw new ProtocolException(
          ErrorCode.BUSY,
          "session "
              + transfer.id
              + " is not here, and may be on another node: "
              + String.join(", ", new TreeSet<>(found.silent()))
              + " can't be reached (expected: all nodes can be reached; try again)");
    }
    if (found.obstacle().isPresent()) {
      throw new ProtocolException(ErrorCode.EXISTS, found.obstacle().get());
    }
    if (put.ifIdentity().isPresent()) {
      Optional<ProtocolException> refusal = Names.refusal(place, put.ifIdentity().get(), found);
      if (refusal.isPresent()) {
        throw refusal.get();
      }
    }
  }

  /** What was completed before is known to all before it is said. */
  private CompletionStage<Command> told(CompletionStage<Command> opening) {
    return opening.thenCompose(
        opened ->
            opened instanceof SessionActor.AlreadyCompleted already
                ? names().announce(already.completed().name()).thenApply(any -> opened)
                : CompletableFuture.completedFuture(opened));
  }

  private Names names() {
    return environment.names();
  }

  /** Opens what is staged of a session that nobody resumed, so that it can be removed. */
  void openToRemove() {
    Facts known = transfer.facts();
    long durable = transfer.durable;
    // nothing more is to be written: no room is asked for, as there may be none
    disk.open(
        () -> reopen(known, OptionalLong.empty(), durable, /* altered= */ false, /* offset= */ 0));
  }

  /** Goes on with a commit that was decided; nothing where a client does so. */
  Next finish() {
    if (transfer.markedVersion
        && !transfer.over
        && !transfer.committing
        && transfer.opening == null
        && transfer.link == null) {
      Upload staged = transfer.upload;
      if (staged == null) {
        Facts known = transfer.facts();
        long durable = transfer.durable;
        boolean altered = transfer.altered;
        disk.open(
            told(disk.run(() -> reopen(known, known.size(), durable, altered, /* offset= */ 0))));
      } else {
        copy(staged);
        commit();
      }
    }
    return Next.STAY;
  }

  private Command begin(ClientMessage.Put put, Optional<String> ifIdentity) throws Exception {
    FileName place = transfer.place(put.name());
    if (put.session().isPresent()) {
      Optional<Completed> completed = environment.store().completed(transfer.id, place);
      if (completed.isPresent()) {
        return new SessionActor.AlreadyCompleted(completed.get());
      }
    }
    if (put.offset() > 0) {
      throw unknownSession(put.offset(), 0);
    }
    return new SessionActor.UploadOpened(
        environment
            .store()
            .begin(
                new UploadRequest(
                    transfer.id, place, put.size(), ifIdentity, put.sha256(), put.modified())));
  }

  private Command reopen(Facts facts, OptionalLong size, long durable, boolean altered, long offset)
      throws Exception {
    FileName name = transfer.place(FileName.parse(facts.name()));
    Optional<Completed> completed = environment.store().completed(transfer.id, name);
    if (completed.isPresent()) {
      return new SessionActor.AlreadyCompleted(completed.get());
    }
    long staged = environment.store().stagedBytes(transfer.id);
    if (staged < durable) {
      log.warn(
          "lost acknowledged bytes of {}: {} are staged (expected: >= {})",
          Texts.quote(facts.name()),
          staged,
          durable);
    }
    if (offset > Math.min(staged, durable)) {
      throw unknownSession(offset, Math.min(staged, durable));
    }
    return new SessionActor.UploadOpened(
        environment
            .store()
            .reopen(
                new UploadRequest(
                    transfer.id,
                    name,
                    size,
                    names().isAlone() ? facts.ifIdentity() : Optional.empty(),
                    facts.sha256(),
                    facts.modified()),
                durable,
                altered));
  }

  Next onOpened(SessionActor.UploadOpened opened) {
    transfer.opening = null;
    Upload upload = opened.upload();
    transfer.upload = upload;
    writer = null; // one of an upload that failed appends nothing to this one
    if (transfer.link == null) {
      return transfer.markedVersion ? finish() : session.onOpenedForNobody();
    }
    copy(upload);
    if (transfer.facts == null && transfer.command instanceof ClientMessage.Put put) {
      transfer.facts = Facts.of(put, transfer.target);
    }
    if (!transfer.isServed()) {
      return session.open(); // a newer connection than it was opened for: code is asked first
    }
    serve();
    return Next.STAY;
  }

  /** Copies are made from now on, if they are not yet; those of another upload obey no more. */
  private void copy(Upload upload) {
    Replicas copies = environment.copies();
    Replication begun = transfer.replication;
    if (copies != null && (begun == null || begun.original() != upload)) {
      transfer.epoch = transfer.epoch.next(environment.nodeId(), names().millis());
      transfer.replication = copies.begin(transfer.epoch, upload, transfer.markedCopies);
      listen();
    }
  }

  /** Hears from now on when copies become short, or whole again. */
  void listen() {
    Replication copies = transfer.replication;
    if (copies != null) {
      copies.onChange(session.telling(new SessionActor.CopiesChanged()));
    }
  }

  Next onCopiesChanged() {
    tellOfCopies();
    return Next.STAY;
  }

  /** Tells the client, where it does not know. */
  private void tellOfCopies() {
    Replication copies = transfer.replication;
    SessionLink link = transfer.link;
    if (copies != null && link != null && transfer.accepted) {
      Replication.Whole whole = copies.whole();
      if (whole.isShort() != transfer.toldShort) {
        transfer.toldShort = whole.isShort();
        link.copies(whole);
      }
    }
  }

  /** What the journal is to know of copies, and does not. */
  Optional<SessionEvent> markOfCopies() {
    Replication copies = transfer.replication;
    if (copies == null
        || (copies.nodes().equals(transfer.markedCopies)
            && (copies.nodes().isEmpty() || transfer.epoch.equals(transfer.markedEpoch)))) {
      return Optional.empty();
    }
    transfer.markedCopies = copies.nodes();
    transfer.markedEpoch = transfer.epoch;
    return Optional.of(new SessionEvent.Copied(transfer.epoch, transfer.markedCopies));
  }

  private void serve() {
    SessionLink link = transfer.connected();
    Upload upload = upload();
    Facts facts = transfer.facts();
    if (writer == null) {
      takeOver();
    }
    session.accepted();
    boolean whole = facts.size().isPresent() && facts.size().getAsLong() == upload.received();
    link.ready(
        new Ready.ReadyPut(
            transfer.id,
            whole ? upload.received() : transfer.durable,
            workers.module(),
            transfer.nextGeneration(),
            whole ? null : writer,
            facts.size(),
            facts.stream()));
    environment.steps().at("put.ready");
    transfer.toldShort = false;
    tellOfCopies();
    if (whole) {
      commit();
    } else if (session.isHeld()) {
      link.hold();
    } else {
      workers.begin(Direction.PUT, transfer.durable, facts.size().orElse(Progress.UNKNOWN_END));
    }
  }

  /** The client did not hear that its PUT was complete, and asks again. */
  Next onAlreadyCompleted(SessionActor.AlreadyCompleted already) {
    transfer.opening = null;
    Completed completed = already.completed();
    SessionLink link = transfer.link;
    if (link != null && transfer.command instanceof ClientMessage.Put put) {
      Optional<ProtocolException> refusal = refusal(put, completed);
      if (refusal.isPresent()) {
        return session.giveUp(refusal.get().code(), refusal.get().reason());
      }
      sayCompleted(link, completed);
    }
    return session.finish("completed before");
  }

  private Optional<ProtocolException> refusal(ClientMessage.Put put, Completed completed) {
    try {
      FileName place = transfer.place(put.name());
      if (!place.equals(completed.name())) {
        return Optional.of(Facts.mismatch("name", place.value(), completed.name().value()));
      }
    } catch (ProtocolException e) {
      return Optional.of(e);
    }
    if (put.size().isPresent() && put.size().getAsLong() != completed.size()) {
      return Optional.of(
          Facts.mismatch(
              "Size", String.valueOf(put.size().getAsLong()), String.valueOf(completed.size())));
    }
    return put.offset() > completed.size()
        ? Optional.of(unknownSession(put.offset(), completed.size()))
        : Optional.empty();
  }

  // ---- running

  Next onReport(Report report) {
    Closure closure = report.closure();
    boolean givenUp = closure != null && closure.endsSession();
    if (report.finished() && !transfer.committing && !givenUp) {
      commit();
    }
    if (closure != null) {
      return session.onClosed(closure);
    }
    if (transfer.committing) {
      return Next.STAY;
    }
    if (report.checkpoint() > transfer.durable) {
      sync();
    }
    if (report.held()) {
      return session.onHeld(transfer.durable);
    }
    workers.advance(Direction.PUT, report);
    return Next.STAY;
  }

  private void sync() {
    if (!syncing) {
      syncing = true;
      disk.await(durable(), SessionActor.Synced::new);
    }
  }

  /** What was received up to now, durable here and on the copies. */
  private CompletionStage<Long> durable() {
    Upload upload = upload();
    Replication copies = transfer.replication;
    if (copies == null) {
      return upload.sync();
    }
    CompletionStage<Long> there = copies.sync(upload.received());
    return upload.sync().thenCombine(there, Math::min);
  }

  Next onSynced(SessionActor.Synced synced) {
    syncing = false;
    environment.steps().at("session.synced");
    environment.counters().add(Counters.Count.CHECKPOINTS);
    long durable = synced.durable();
    if (transfer.link == null || transfer.committing || transfer.over) {
      return Next.STAY; // nobody waits for it
    }
    OptionalLong size = transfer.facts().size();
    if (durable <= transfer.durable || (size.isPresent() && durable == size.getAsLong())) {
      // nothing new, or the commit is the mark
      acknowledge();
      return Next.STAY;
    }
    return Next.persist(
        session.marks(durable),
        () -> {
          environment.steps().at("put.marked");
          environment.counters().add(Counters.Count.MARKS);
          transfer.durable = durable;
          acknowledge();
        });
  }

  private void acknowledge() {
    SessionLink link = transfer.link;
    if (link == null) {
      return;
    }
    if (!transfer.isServed()) {
      return; // opened once code was asked about the newer connection
    }
    if (!transfer.accepted) {
      if (upload().durable() < upload().received()) {
        sync(); // that was an older connection's checkpoint
      } else {
        serve();
      }
      return;
    }
    link.durable(transfer.durable);
    environment.steps().at("put.acknowledged");
    Report report = transfer.report;
    if (report != null && report.checkpoint() > transfer.durable) {
      sync();
    }
  }

  // ---- the end

  /** All is here: makes it visible. */
  void commit() {
    transfer.committing = true;
    workers.stop();
    environment.steps().at("put.commit");
    Upload upload = upload();
    if (names().isAlone()) {
      disk.await(upload.commit(upload.received(), sha256()), SessionActor.Committed::new);
      return;
    }
    String known = transfer.version;
    if (known != null) {
      seal(known);
    } else {
      disk.await(version(upload.request().name()), SessionActor.Versioned::new);
    }
  }

  /**
   * Above all that the nodes know of the name; under a condition the lowest one that is, and looked
   * at while no other condition is.
   */
  private CompletionStage<String> version(FileName name) {
    Optional<String> identity = transfer.facts().ifIdentity();
    if (identity.isPresent()) {
      transfer.claimed = name;
      return names()
          .claim(name, transfer.id)
          .thenCompose(any -> names().decide(name, identity.get()));
    }
    if (transfer.asked) {
      return CompletableFuture.completedFuture(names().next());
    }
    return names().standing(name, Optional.empty()).thenApply(any -> names().next());
  }

  Next onVersioned(String version) {
    if (transfer.committing) {
      transfer.version = version;
      seal(version);
    }
    return Next.STAY;
  }

  /** Here and on all copies everything is decided that could be refused. */
  private void seal(String version) {
    Upload upload = upload();
    Replication copies = transfer.replication;
    CompletionStage<Void> done =
        upload
            .seal(upload.received(), sha256(), version)
            .thenCompose(
                here ->
                    copies == null
                        ? CompletableFuture.completedFuture(null)
                        : copies.seal(here.size(), upload.storedSha256(), here.sha256(), version));
    disk.await(done, everywhere -> new SessionActor.SealedEverywhere());
  }

  /** From here on it is only forward, so the journal knows the version before any copy commits. */
  Next onSealedEverywhere() {
    environment.steps().at("put.sealed");
    Replication copies = transfer.replication;
    String version = transfer.version;
    if (version == null || !transfer.committing) {
      return Next.STAY; // a failure came first
    }
    if (transfer.markedVersion || copies == null || copies.nodes().isEmpty()) {
      commit(copies, version);
      return Next.STAY;
    }
    List<SessionEvent> events = new ArrayList<>(session.marks(transfer.durable));
    events.add(new SessionEvent.Committing(version, upload().received()));
    return Next.persist(
        List.copyOf(events),
        () -> {
          transfer.markedVersion = true;
          transfer.durable = upload().received();
          environment.steps().at("put.decided");
          commit(copies, version);
        });
  }

  /** On the copies, here, and then nobody has an older one. */
  private void commit(@Nullable Replication copies, String version) {
    Upload upload = upload();
    CompletionStage<Integer> there =
        copies == null ? CompletableFuture.completedFuture(0) : copies.commit();
    disk.await(
        there
            .thenCompose(done -> upload.publish())
            .thenCompose(
                completed ->
                    names().announce(completed.name(), version).thenApply(any -> completed)),
        SessionActor.Committed::new);
  }

  /** As the client has it, where it said so. */
  private Optional<String> sha256() {
    Report report = transfer.report;
    Optional<String> said = report == null ? Optional.empty() : report.sha256();
    return said.or(() -> transfer.facts().sha256());
  }

  private void unclaim() {
    FileName claimed = transfer.claimed;
    if (claimed != null) {
      transfer.claimed = null;
      names().unclaim(claimed, transfer.id);
    }
  }

  Next onCommitted(SessionActor.Committed committed) {
    Completed completed = committed.completed();
    environment.steps().at("put.committed");
    log.info("complete: {} bytes in {}", completed.size(), Texts.quote(transfer.facts().name()));
    SessionLink link = transfer.link;
    if (link != null) {
      if (transfer.accepted) {
        link.complete(completed);
      } else {
        sayCompleted(link, completed);
      }
      environment.steps().at("put.complete-sent");
    }
    return session.finish("complete");
  }

  private void sayCompleted(SessionLink link, Completed completed) {
    boolean stream = transfer.command instanceof ClientMessage.Put put && put.streamProducer();
    link.ready(
        new Ready.ReadyPut(
            transfer.id,
            completed.size(),
            workers.module(),
            transfer.workerGeneration,
            /* writer= */ null,
            OptionalLong.of(completed.size()),
            stream));
    link.complete(completed);
  }

  /**
   * Something of this transfer failed.
   *
   * @param kept whether the session stays; an upload that failed stays failed, so the next
   *     connection opens what is durable anew
   */
  void onFailed(boolean kept) {
    syncing = false;
    transfer.committing = false;
    unclaim();
    Upload upload = transfer.upload;
    if (kept && upload != null && upload.failure().isPresent()) {
      upload.suspend();
      transfer.upload = null;
      if (!transfer.markedVersion) {
        transfer.version = null; // all is looked at anew
      }
    }
  }

  /** The connection is lost, the upload stays. */
  void suspend() {
    if (transfer.upload != null) {
      transfer.upload.suspend();
    }
  }

  /** Removes what is staged. */
  void end() {
    unclaim();
    Replication copies = transfer.replication;
    if (copies != null) {
      transfer.replication = null;
      copies.release();
    }
    Upload upload = transfer.upload;
    if (upload != null) {
      transfer.upload = null;
      upload.discard();
    }
  }

  private Upload upload() {
    Upload upload = transfer.upload;
    if (upload == null) {
      throw new IllegalStateException("session " + transfer.id + " without an upload");
    }
    return upload;
  }
}
