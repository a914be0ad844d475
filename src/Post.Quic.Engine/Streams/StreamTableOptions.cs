using Post.Quic.Engine.Lanes;

namespace Post.Quic.Engine.Streams;

/// <summary>What the streams of one connection are created with.</summary>
internal sealed class StreamTableOptions
{
    public required bool IsServer { get; init; }

    /// <summary>The connection's lanes, which its datagrams wait in, too.</summary>
    public LaneTable Lanes { get; init; } = new();

    /// <summary>What we announce to the peer: the windows streams begin with and the streams it may have open.</summary>
    public required StreamCredits Announced { get; init; }

    /// <summary>How far the connection's receive window may grow.</summary>
    public ulong MaxConnectionWindow { get; init; } = 64 * 1024 * 1024;

    /// <summary>How far one stream's receive window may grow.</summary>
    public ulong MaxStreamWindow { get; init; } = 32 * 1024 * 1024;

    /// <summary>Copied bytes of one stream that may wait for their acknowledgement.</summary>
    public int SendBufferSize { get; init; } = 1024 * 1024;
}
