package io.theseus.store;

import java.nio.file.Path;

/**
 * Files that are served no more, until a person has looked at them.
 *
 * @param where they are
 */
public record SetAside(long files, Path where) {}
