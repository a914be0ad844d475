namespace Post.Quic.Benchmarks.Reporting;

/// <summary>What all engines showed in one case.</summary>
/// <param name="Case">Its name.</param>
/// <param name="Engines">The engines, in the order of the columns.</param>
internal sealed record CaseResult(string Case, IReadOnlyList<EngineResult> Engines)
{
    /// <summary>The names of the figures with their units, in the order in which the case gives them.</summary>
    public IEnumerable<(string Name, string Unit)> Figures =>
        Engines.SelectMany(engine => engine.Runs).SelectMany(run => run).Select(figure => (figure.Name, figure.Unit)).Distinct();
}
