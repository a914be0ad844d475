using Post.Quic.Benchmarks.Engines;
using Post.Quic.Benchmarks.Reporting;

namespace Post.Quic.Benchmarks.Cases;

/// <summary>Something that is measured, with any engine that can do it.</summary>
internal abstract class BenchCase
{
    /// <summary>What the command line and reports call it.</summary>
    public abstract string Name { get; }

    /// <summary>What it measures.</summary>
    public abstract string Measures { get; }

    /// <summary>What its figures do not say.</summary>
    public abstract string Excludes { get; }

    /// <summary>What it measures where that is no engine; null: every engine.</summary>
    public virtual BenchEngine? Subject => null;

    /// <summary>Why the case means nothing with an engine; null: it does.</summary>
    public virtual string? WhyNot(BenchEngine engine) => null;

    /// <summary>One run with an engine that has started.</summary>
    /// <exception cref="NotMeasuredException">Something that it needs is missing here.</exception>
    /// <exception cref="WrongBytesException">What came is not what was sent.</exception>
    public abstract Task<IReadOnlyList<Figure>> RunAsync(
        BenchEngine engine, BenchOptions settings, CancellationToken cancellationToken);
}
