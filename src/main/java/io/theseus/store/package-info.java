/**
 * Files: names on disk, uploads and their commit, identities, live sources. Knows no network and no
 * actors.
 *
 * <p><b>In</b> come names, which {@link io.theseus.wire.FileName} has already confined, and direct
 * buffers of a PUT. <b>Out</b> go open files ({@link io.theseus.store.StoredFile}), listings,
 * durable offsets ({@link io.theseus.store.Upload#sync}) and commits ({@link
 * io.theseus.store.Upload#commit}). What blocks is called from disk threads only; the exceptions
 * ({@code Upload.Writer.write}, {@code sync}, {@code commit}, {@code takeOver}) hand over and
 * return.
 *
 * <p>Kill points, in the order in which one PUT passes them: {@code put.part-created}, {@code
 * put.written}, {@code put.synced}, {@code commit.decided}, {@code commit.attributes}, {@code
 * commit.file-synced}, {@code record.persisted} (only where something is to be remembered), {@code
 * commit.renamed}, {@code commit.directory-synced}.
 *
 * <p>Start reading at {@link io.theseus.store.FileStore}, then {@link io.theseus.store.Upload}.
 */
@NullMarked
package io.theseus.store;

import org.jspecify.annotations.NullMarked;
