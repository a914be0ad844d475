namespace FileTransfer.Reporting;

/// <summary>How much is told.</summary>
internal enum Verbosity
{
    /// <summary>What went wrong.</summary>
    Quiet,

    /// <summary>Progress and results, too.</summary>
    Normal,

    /// <summary>And what carried the transfer.</summary>
    Detailed,
}
