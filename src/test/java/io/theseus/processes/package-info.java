/** Tests of real processes, started from the packaged jar; tagged {@code processes}. */
@org.jspecify.annotations.NullMarked
package io.theseus.processes;
