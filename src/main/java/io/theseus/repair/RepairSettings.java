package io.theseus.repair;

import java.nio.file.Path;
import java.time.Duration;

/**
 * How a node sees to its files.
 *
 * @param factor copies that are wanted beside the first
 * @param after so long a node may be away, and a file short of copies, before it is copied
 * @param refillBytes in a second, for copies of files; 0 for no limit
 * @param scrubEvery from the end of one reading of all files to the next; 0 for none
 * @param scrubBytes in a second, for that; 0 for no limit
 * @param directory where it remembers when it has read them last
 */
public record RepairSettings(
    String nodeId,
    int factor,
    Duration after,
    long refillBytes,
    Duration scrubEvery,
    long scrubBytes,
    Path directory) {}
