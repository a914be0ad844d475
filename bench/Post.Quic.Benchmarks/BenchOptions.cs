namespace Post.Quic.Benchmarks;

/// <summary>How much each case does.</summary>
internal sealed record BenchOptions
{
    /// <summary>Just enough to see that a case works; its figures mean nothing.</summary>
    public static BenchOptions Tiny { get; } = new()
    {
        Runs = 1,
        Seconds = 0.4,
        Bytes = 4 << 20,
        Streams = 200,
        Objects = 200,
        Echoes = 20,
        Handshakes = 3,
        Associations = 20,
        MaxAssociations = 50,
        Limit = TimeSpan.FromSeconds(60),
    };

    /// <summary>Runs of each case with each engine, interleaved; the median is what is reported.</summary>
    public int Runs { get; init; } = 3;

    /// <summary>How long a run of a case lasts that is measured by time.</summary>
    public double Seconds { get; init; } = 10;

    /// <summary>Bytes of one bulk transfer.</summary>
    public long Bytes { get; init; } = 1L << 30;

    /// <summary>Streams of the cases that count streams.</summary>
    public int Streams { get; init; } = 50_000;

    /// <summary>Objects of the cases that count objects.</summary>
    public int Objects { get; init; } = 50_000;

    /// <summary>Echoes of one run.</summary>
    public int Echoes { get; init; } = 5_000;

    /// <summary>Handshakes of one run.</summary>
    public int Handshakes { get; init; } = 1_000;

    /// <summary>Associations, or connections, that are there at once.</summary>
    public int Associations { get; init; } = 1_000;

    /// <summary>No case has more associations at once, whatever its name says.</summary>
    public int MaxAssociations { get; init; } = int.MaxValue;

    /// <summary>Decides which packets the links lose; each run takes the next one, the same for every engine.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>After this a run has failed: nothing that is measured here takes so long.</summary>
    public TimeSpan Limit { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Which of the runs this is, from 0.</summary>
    public int Run { get; init; }

    /// <summary>The seed of this run.</summary>
    public int RunSeed => Seed + Run;
}
