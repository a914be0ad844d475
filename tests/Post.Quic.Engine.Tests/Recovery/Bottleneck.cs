namespace Post.Quic.Engine.Tests.Recovery;

/// <summary>The narrow place of a <see cref="LinkModel"/>, which several may share.</summary>
internal sealed class Bottleneck
{
    /// <summary>Bytes a second.</summary>
    public double Rate { get; set; } = 12_500_000;

    /// <summary>Bytes that wait before it drops.</summary>
    public double Queue { get; set; } = 625_000;

    /// <summary>Bytes in the queue at which it marks instead of waiting for the drop.</summary>
    public double MarkAbove { get; set; } = double.MaxValue;

    /// <summary>When what waits now has passed.</summary>
    public double FreeAt { get; set; }
}
