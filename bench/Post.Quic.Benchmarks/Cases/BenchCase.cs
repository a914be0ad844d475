using Post.Quic.Benchmarks.Engines;

namespace Post.Quic.Benchmarks.Cases;

/// <summary>Something that is measured, with any engine that can do it.</summary>
internal abstract class BenchCase
{
    public abstract string Name { get; }

    public abstract string Description { get; }

    public virtual bool Fits(BenchEngine engine) => true;

    /// <summary>One run on an engine that has started.</summary>
    public abstract Task<IReadOnlyList<Figure>> RunAsync(BenchEngine engine, BenchSettings settings);
}
