using Post.Quic.Engine.Lanes;

namespace Post.Quic.Engine.Datagrams;

/// <summary>How much of the application's datagrams may wait to be sent.</summary>
internal sealed class DatagramQueueOptions
{
    /// <summary>The connection's lanes, which its streams wait in, too.</summary>
    public LaneTable Lanes { get; init; } = new();

    public int MaxCount { get; init; } = 1024;

    public int MaxBytes { get; init; } = 1024 * 1024;
}
