/** Named kill points: places where a test may stop a process or a worker. No-ops otherwise. */
@NullMarked
package io.theseus.steps;

import org.jspecify.annotations.NullMarked;
