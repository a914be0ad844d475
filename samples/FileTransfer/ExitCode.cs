namespace FileTransfer;

/// <summary>What the program's exit code says. Stated in samples/README.md.</summary>
internal enum ExitCode
{
    /// <summary>All was done, and every hash matched.</summary>
    Done = 0,

    /// <summary>Some files were not transferred; which and why was said.</summary>
    Incomplete = 1,

    /// <summary>The command line is wrong.</summary>
    Usage = 2,

    /// <summary>The other side could not be reached, or did not prove its identity.</summary>
    NotConnected = 3,

    /// <summary>The connection was lost on the way; run the same command again, and only the rest moves.</summary>
    Interrupted = 4,

    /// <summary>The other side refused, or sent what must be refused.</summary>
    Refused = 5,

    /// <summary>This machine is in the way: a file, a permission, a full disk, an engine that does not run.</summary>
    LocalProblem = 6,

    /// <summary>The terminal went away (SIGHUP).</summary>
    HungUp = 129,

    /// <summary>Stopped from the keyboard (SIGINT).</summary>
    Canceled = 130,

    /// <summary>Whoever read the output has gone (SIGPIPE).</summary>
    OutputClosed = 141,

    /// <summary>Told to stop (SIGTERM).</summary>
    Terminated = 143,
}
