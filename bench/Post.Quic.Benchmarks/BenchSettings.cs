namespace Post.Quic.Benchmarks;

/// <summary>How much each case does.</summary>
internal sealed record BenchSettings
{
    /// <summary>Bytes of one bulk transfer.</summary>
    public long Bytes { get; init; } = 1L << 30;

    /// <summary>Streams of the cases that count streams.</summary>
    public int Streams { get; init; } = 50_000;

    /// <summary>Echoes of one run.</summary>
    public int Echoes { get; init; } = 5_000;

    /// <summary>Handshakes of one run.</summary>
    public int Handshakes { get; init; } = 200;

    /// <summary>Connections that idle.</summary>
    public int Idle { get; init; } = 1_000;

    /// <summary>Runs of each case for each engine, interleaved; the median is what is reported.</summary>
    public int Rounds { get; init; } = 3;
}
