/** The operating system's calls that Java's library lacks. */
@NullMarked
package io.theseus.os;

import org.jspecify.annotations.NullMarked;
