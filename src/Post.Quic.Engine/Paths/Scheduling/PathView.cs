namespace Post.Quic.Engine.Paths.Scheduling;

/// <summary>A path as a scheduler sees it. Times are microseconds, sizes bytes.</summary>
internal readonly record struct PathView
{
    public required uint PathId { get; init; }

    /// <summary>The window and the pacing let a datagram out now.</summary>
    public required bool CanSend { get; init; }

    /// <summary>
    /// When they will: now where they do, the pacer's time where that is what holds the path back, and otherwise about when the
    /// oldest packet on the way should have been acknowledged: that may be past.
    /// </summary>
    public required long ReadyAt { get; init; }

    /// <summary>Smoothed; what is assumed before the first sample.</summary>
    public required long RoundTrip { get; init; }

    /// <summary>
    /// How long the way there takes. It is not half of the round trip where acknowledgements come back by a faster path
    /// (draft-ietf-quic-multipath-21 section 5.5).
    /// </summary>
    public required long OneWay { get; init; }

    public long RoundTripVariation { get; init; }

    public long BytesInFlight { get; init; }

    public long Window { get; init; }

    /// <summary>Bytes a second that the path was seen to deliver or, before it was, that its window and round trip allow.</summary>
    public long Rate { get; init; }

    /// <summary>Its window doubles each round trip (slow start), so that the rate says little of what is to come.</summary>
    public bool IsGrowing { get; init; }

    /// <summary>What a datagram may hold.</summary>
    public int DatagramSize { get; init; }

    /// <summary>Either side would rather keep it for when nothing else works (draft-ietf-quic-multipath-21 section 3.3).</summary>
    public bool IsBackup { get; init; }

    /// <summary>
    /// Whether it works at this moment is in doubt: its probe timeout expired and nothing was acknowledged since, or it was not heard
    /// lately where others were. Of no meaning to bulk.
    /// </summary>
    public bool IsInDoubt { get; init; }

    /// <summary>It has owed acknowledgements for two probe timeouts: what it held has been given to the others.</summary>
    public bool IsSuspect { get; init; }
}
