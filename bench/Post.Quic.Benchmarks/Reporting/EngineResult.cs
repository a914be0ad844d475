namespace Post.Quic.Benchmarks.Reporting;

/// <summary>What one engine showed in one case: figures of each run, or why there are none.</summary>
internal sealed class EngineResult(string engine)
{
    public string Engine { get; } = engine;

    public List<IReadOnlyList<Figure>> Runs { get; } = [];

    /// <summary>Why the case was not measured with this engine; no fault of the engine's.</summary>
    public string? NotMeasured { get; set; }

    /// <summary>What went wrong: bytes that did not arrive, or not as they were sent. No figure counts then.</summary>
    public string? Failure { get; set; }
}
