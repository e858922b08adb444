package io.theseus.store;

import io.theseus.wire.FileName;

/** A name with the version of what it names. */
public record Named(FileName name, String version) {}
