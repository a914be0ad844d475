using FileTransfer.Protocol;

namespace FileTransfer.Reporting;

/// <summary>What a transfer came to.</summary>
internal sealed record Summary
{
    /// <summary>Which command.</summary>
    public required string Command { get; init; }

    /// <summary>Files that are complete now.</summary>
    public required long Files { get; init; }

    /// <summary>Those among them that were complete before.</summary>
    public long AlreadyThere { get; init; }

    /// <summary>Bytes of all files.</summary>
    public required long Bytes { get; init; }

    /// <summary>Bytes that went over the network.</summary>
    public required long BytesMoved { get; init; }

    /// <summary>How long it took.</summary>
    public required double Seconds { get; init; }

    /// <summary>Bytes moved in a second.</summary>
    public double BytesPerSecond => Seconds > 0 ? BytesMoved / Seconds : 0;

    /// <summary>Which transport carried it.</summary>
    public required string Engine { get; init; }

    /// <summary>The smoothed round-trip time in milliseconds, where the transport measures it.</summary>
    public double? RoundTripMilliseconds { get; init; }

    /// <summary>The paths at the end.</summary>
    public IReadOnlyList<string> Paths { get; init; } = [];

    /// <summary>How often a path came, changed or went.</summary>
    public int PathChanges { get; init; }

    /// <summary>Files that were not transferred.</summary>
    public IReadOnlyList<FailedFile> Failed { get; init; } = [];

    /// <summary>Why the destination could not go on; null: it could.</summary>
    public string? Stopped { get; init; }

    /// <summary>Files whose hash was compared with the original, in the demonstration.</summary>
    public long? Verified { get; init; }
}
