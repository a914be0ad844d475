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

    /// <summary>Bytes a second that a policer before it lets through; it delays nothing and drops what is more.</summary>
    public double PolicedRate { get; set; } = double.PositiveInfinity;

    /// <summary>Bytes that the policer lets through at once after silence.</summary>
    public double PolicedBurst { get; set; }

    private double _tokens = double.NaN;
    private long _filled;

    /// <summary>Whether the policer lets a packet through.</summary>
    public bool TryPass(int size, long now)
    {
        if (double.IsPositiveInfinity(PolicedRate))
        {
            return true;
        }

        _tokens = double.IsNaN(_tokens) ? PolicedBurst : Math.Min(PolicedBurst, _tokens + ((now - _filled) * PolicedRate / 1e6));
        _filled = now;
        if (_tokens < size)
        {
            return false;
        }

        _tokens -= size;
        return true;
    }
}
